import { estimatePrice, type Prepared } from 'onepath';
import { useMemo } from 'react';

import type { Item } from '../scene/items';
import { at, isObject, steps } from '../scene/pointer';
import type { View } from '../scene/scene';
import { Copy } from '../ui/copy';
import { keyParts, money, ratingWhy, seedWhy, ttl } from './why';

/** What the path makes of a node, live. */
export function PathPanel({ item, view, prepared }: { item: Item; view: View; prepared: Prepared | undefined }) {
  const { request, fingerprint: print, canonical, band } = prepared ?? {};
  const price = useMemo(() => (request ? estimatePrice(request) : undefined), [request]);
  if (!request || !print) {
    const stops = prepared?.report.findings.filter(({ severity }) => severity === 'error').length ?? 0;
    return (
      <p className="empty">
        {stops > 0 ? `No request, no hash, no key: ${stops} ${stops === 1 ? 'error stands' : 'errors stand'} in the way.` : item.kind === 'edge' && !item.generates ? 'This edge generates nothing.' : 'Nothing could be computed: see the findings.'}
      </p>
    );
  }
  const own = at(view.value, steps(item.config));
  const parts = print.cache_key === undefined ? [] : keyParts(print.cache_key, request, print);
  return (
    <div className="path">
      {print.pending && (
        <p className="note">Not known here yet: {print.pending.map((part) => <code key={part}>{part}</code>)}. {print.pending.includes('provider') ? 'Choose a provider above for hashes and key.' : 'Connect to the server that has its family, or open the templates beside the file.'}</p>
      )}
      <dl>
        <Row name="rating">
          <strong>{print.rating.effective}</strong>
          <span className="why">{ratingWhy(print.rating)}</span>
        </Row>
        {band && band.asked !== band.effective && <Row name="band"><strong>{band.effective}</strong><span className="why">asked for {band.asked}</span></Row>}
        <Row name="price">
          <strong>{price?.micros !== undefined ? money(price.micros) : price?.credits !== undefined ? `${price.credits} credits` : 'not known'}</strong>
          <span className="why">{price?.known ? 'what a run is expected to cost' : 'nobody stated a price for it'}</span>
        </Row>
        {!print.pending && (
          <Row name="seed">
            <strong className="mono" data-value="seed">{print.seed ?? '—'}</strong>
            <span className="why">{seedWhy(isObject(own) ? own : undefined, print)}</span>
          </Row>
        )}
        <Row name="operation"><strong>{print.operation}</strong><span className="why">what {request.type} asks of a provider</span></Row>
      </dl>
      {print.request_hash && (
        <section>
          <h3>Request hash <Copy text={print.request_hash} label="copy the request hash" /></h3>
          <p className="mono hash" data-value="request_hash">{print.request_hash}</p>
        </section>
      )}
      {!print.pending && (
        <section>
          <h3>Cache key {print.cache_key !== undefined && <Copy text={print.cache_key} label="copy the cache key" />}</h3>
          {print.cache_key === undefined ? (
            <p className="dim">None: the strategy is always, nothing is looked for or kept.</p>
          ) : (
            <>
              <p className="mono key" data-value="cache_key">{print.cache_key}</p>
              <ol className="parts">
                {parts.map(({ name, text, why }) => (
                  <li key={name}><span className="name">{name}</span><code>{text}</code><span className="why">{why}</span></li>
                ))}
              </ol>
              <p className="dim">The result is kept {ttl(print.ttl_seconds)}.</p>
            </>
          )}
        </section>
      )}
      {canonical !== undefined && (
        <details>
          <summary>Canonical text <span className="dim">{new TextEncoder().encode(canonical).length} bytes</span></summary>
          <pre className="mono sheet" tabIndex={0} aria-label="canonical text" data-value="canonical">{canonical}</pre>
          <Copy text={canonical} label="copy the canonical text" />
        </details>
      )}
    </div>
  );
}

function Row({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className="pair">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
