import { explain, type Prepared } from 'onepath';
import { useMemo, useState } from 'react';

import { editor } from '../editor';
import type { Item } from '../scene/items';
import { named } from '../scene/named';
import type { View } from '../scene/scene';
import { useAnalysis } from '../server/prompts';
import { Copy } from '../ui/copy';
import { useObserved } from '../ui/observed';
import { Differences } from './differences';

/** The prompt as a provider gets it, where it comes from, and what another version does to the key. */
export function PromptTab({ item, view, prepared }: { item: Item; view: View; prepared: Prepared | undefined }) {
  const { family, version, prompt } = named(view, item);
  const { templates, versions } = useObserved(editor.prompts.kept);
  const { state } = useObserved(editor.server.connection);
  const text = prepared?.request?.prompt;
  const analysis = useAnalysis(editor.server.client, text, state === 'ready');
  const known = family === undefined ? [] : (versions[family] ?? []);
  const put = (name: string, value: string) => editor.apply([{ pointer: `${item.config}/${name}`, ...(value !== '' && { value }) }]);
  const families = [...new Set([...Object.keys(templates), ...(family === undefined ? [] : [family])])];
  return (
    <div className="prompt">
      <label className="row">
        <span>family</span>
        <select aria-label="family of the prompt" value={family ?? ''} onChange={({ target }) => put('templateId', target.value)}>
          <option value="">none: the prompt is the node’s own</option>
          {families.map((id) => <option key={id} value={id}>{id}{id in templates ? '' : ' (not on the server)'}</option>)}
        </select>
      </label>
      {family !== undefined && (
        <label className="row">
          <span>version</span>
          <select aria-label="version of the prompt" value={version ?? ''} onChange={({ target }) => put('templateVersionId', target.value)}>
            <option value="">the newest</option>
            {version !== undefined && !known.some(({ id }) => id === version) && <option value={version}>{version} (not on the server)</option>}
            {known.map(({ id, notes }) => <option key={id} value={id}>{id}{notes === undefined ? '' : ` — ${notes}`}</option>)}
          </select>
        </label>
      )}
      {family !== undefined && prompt !== undefined && <p className="note">The node has a prompt of its own: the family is not read.</p>}
      <section className="group">
        <h3>What the provider gets {text && <Copy text={text} label="copy the prompt" />}</h3>
        {text === undefined || text === '' ? (
          <p className="empty">{prepared?.fingerprint?.pending ? 'The family is not known here: connect to the server that has it, or open a file of templates.' : 'There is no prompt.'}</p>
        ) : (
          <pre className="mono sheet" tabIndex={0} aria-label="rendered prompt" data-value="prompt">{text}</pre>
        )}
        {prepared?.request?.negative_prompt && <p className="dim">not: <span data-value="negative_prompt">{prepared.request.negative_prompt}</span></p>}
        {analysis && <Parts analysis={analysis} />}
      </section>
      {family !== undefined && prompt === undefined && known.length > 0 && <OtherVersion key={family} item={item} view={view} prepared={prepared} family={family} />}
    </div>
  );
}

/** What the parts of a prompt speak about. */
function Parts({ analysis }: { analysis: NonNullable<ReturnType<typeof useAnalysis>> }) {
  const tight = analysis.limits.filter(({ fits }) => !fits);
  return (
    <>
      <ul className="roles" aria-label="what it speaks about">
        {analysis.parts.map(({ text, role }, index) => <li key={index} data-role={role}><span className="tag">{role ?? '—'}</span> {text}</li>)}
      </ul>
      <p className="dim">{analysis.characters} characters.{analysis.missing.length > 0 && ` Nothing is said of ${analysis.missing.join(', ')}.`}{tight.length > 0 && ` Too long for ${tight.map(({ provider_id }) => provider_id).join(', ')}.`}</p>
    </>
  );
}

/** What another version would do to the request. */
function OtherVersion({ item, view, prepared, family }: { item: Item; view: View; prepared: Prepared | undefined; family: string }) {
  const { versions } = useObserved(editor.prompts.kept);
  const version = prepared?.request?.template?.version_id;
  const now = version === undefined ? undefined : String(version);
  const others = (versions[family] ?? []).filter(({ id }) => id !== now);
  const [chosen, setChosen] = useState<string>();
  const other = others.find(({ id }) => id === chosen) ?? others[0];
  const right = useMemo(() => (other ? editor.prepareWith(item, family, other.id) : undefined), [other?.id, view]);
  const differences = prepared?.request && right?.request ? explain(prepared.request, right.request) : undefined;
  if (!other) return <p className="dim">The family has no other version.</p>;
  const members = differences?.filter(({ changes_key }) => changes_key).map(({ pointer }) => pointer) ?? [];
  return (
    <section className="group">
      <h3>Another version</h3>
      <label className="row">
        <span>instead</span>
        <select aria-label="another version" value={other.id} onChange={({ target }) => setChosen(target.value)}>
          {others.map(({ id }) => <option key={id} value={id}>{id}</option>)}
        </select>
      </label>
      {!differences ? (
        <p className="empty">No request can be made with {other.id}: its variables are not those of the node.</p>
      ) : (
        <>
          <p role="status" data-changes={members.join(' ')}>
            {members.length === 0 ? 'It renders the same words: hash and key stay.' : <>It is made anew: {members.map((pointer) => <code key={pointer}>{pointer}</code>)} changed the key.</>}
          </p>
          <Differences differences={differences} left={now ?? 'now'} right={other.id} />
        </>
      )}
    </section>
  );
}
