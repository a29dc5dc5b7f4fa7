import type { Prepared } from 'onepath';
import { isFinal, type GenerationResponse } from 'onepath/client';
import { useEffect } from 'react';

import { editor } from '../editor';
import { money } from '../path/why';
import type { Item } from '../scene/items';
import { useObserved } from '../ui/observed';
import { Connect } from './connect';
import { pictures } from './pictures';
import { usePreflight } from './preflight';
import { Trouble } from './problem';

/** Before a run what it would be, during it how it stands, and after it what it made. */
export function RunPanel({ item, prepared }: { item: Item; prepared: Prepared | undefined }) {
  const connection = useObserved(editor.server.connection);
  const run = useObserved(editor.runs.all).get(item.name) ?? { phase: 'idle' as const };
  const { provider } = useObserved(editor.state);
  const isReady = connection.state === 'ready';
  useEffect(() => {
    if (isReady) editor.runs.recall(item.name);
  }, [isReady, item.name]);
  const { request, fingerprint: print } = prepared ?? {};
  const hash = print?.request_hash;
  const settled = run.phase === 'idle' ? run.generation?.status : run.phase;
  const ahead = usePreflight(editor.server.client, isReady ? request : undefined, hash, `${run.generation?.id}${settled}`);
  if (!isReady) return <Connect />;
  const isBusy = run.phase === 'sending' || run.phase === 'following';
  const isKnown = connection.providers.some(({ id }) => id === (request?.provider_id ?? provider));
  const why = !request ? 'fix the errors first' : hash === undefined ? 'choose a provider first' : !isKnown ? 'the server does not have this provider' : '';
  const { generation } = run;
  return (
    <div className="run">
      <Ahead ahead={ahead} />
      <div className="row">
        <button type="button" className="primary" disabled={isBusy || why !== ''} aria-describedby="run-why" onClick={() => request && hash && void editor.runs.run(item.name, request, hash)}>
          {isBusy ? 'Running…' : 'Run'}
        </button>
        {generation && run.phase === 'following' && <button type="button" onClick={() => void editor.runs.cancel(item.name)}>Cancel</button>}
        {generation && !isBusy && (generation.status === 'failed' || generation.status === 'cancelled') && <button type="button" onClick={() => void editor.runs.retry(item.name)}>Retry</button>}
        <span id="run-why" className="dim">{why}</span>
      </div>
      {run.error !== undefined && <Trouble error={run.error} />}
      {run.phase === 'loading' && <p className="empty" role="status">Looking for the last generation…</p>}
      {run.phase === 'sending' && <p role="status">Sending the request…</p>}
      {generation && <Generation generation={generation} current={hash} />}
      {!generation && run.phase === 'idle' && run.error === undefined && <p className="empty">Nothing was generated for this node yet.</p>}
    </div>
  );
}

function Ahead({ ahead }: { ahead: ReturnType<typeof usePreflight> }) {
  const { answer, error, isAsking } = ahead;
  if (error !== undefined) return <Trouble error={error} />;
  if (!answer) return isAsking ? <p className="ahead" role="status">Asking the server…</p> : null;
  const price = answer.price?.micros === undefined ? 'a price nobody stated' : money(answer.price.micros);
  const said = {
    created: ['pay', `Will be paid for: ${price}.`],
    joined: ['wait', 'In flight already: a run joins it and costs nothing.'],
    cache: ['have', 'Made already: the cache answers, nothing is paid.'],
    hash: ['have', 'Made already: the same request answers, nothing is paid.'],
  }[answer.answer ?? 'created'] ?? ['pay', ''];
  const { bounds, rating, lowered } = answer;
  return (
    <div className={`ahead ${said[0]}`} role="status" data-answer={answer.answer}>
      <strong>{said[1]}</strong>
      {bounds && <span className="why">The server allows {bounds.world} for the world and {bounds.user} for the user{lowered ? `: it lowers this request to ${rating?.effective}` : ''}.</span>}
    </div>
  );
}

const SIGNS: Record<string, string> = { pending: '◌', processing: '◐', completed: '✓', failed: '✕', cancelled: '–' };

function Generation({ generation, current }: { generation: GenerationResponse; current: string | undefined }) {
  const { id, status, error_code, request_hash } = generation;
  const made = pictures(generation);
  const timings = generation['timings'] as { ran_ms?: number } | undefined;
  return (
    <section className="generation" data-status={status}>
      <p className={`status ${status}`} role="status">
        <span aria-hidden="true">{SIGNS[status] ?? '·'}</span> <strong>{status}</strong>
        {error_code && <code>{error_code}</code>}
        {timings?.ran_ms !== undefined && status === 'completed' && <span className="dim">{timings.ran_ms} ms</span>}
        {!isFinal(generation) && <span className="spin" aria-hidden="true" />}
      </p>
      {current !== undefined && request_hash !== undefined && request_hash !== current && <p className="note">This was made before the node was changed, or under lower bounds: its hash is another.</p>}
      {made.map(({ url, width, height }, index) => (
        <a key={url} href={url} target="_blank" rel="noreferrer"><img className="picture" src={url} width={width} height={height} alt={`what was generated, ${index + 1} of ${made.length}`} /></a>
      ))}
      <p className="dim mono">{id}</p>
    </section>
  );
}
