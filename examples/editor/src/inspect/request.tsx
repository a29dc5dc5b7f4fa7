import type { Prepared } from 'onepath';

import type { Item } from '../scene/items';
import type { View } from '../scene/scene';
import { Copy } from '../ui/copy';
import { Findings } from './findings';
import { JsonPart } from './json';

/** What travels, and what it is built from beside the config. */
export function RequestTab({ item, view, prepared }: { item: Item; view: View; prepared: Prepared | undefined }) {
  const request = prepared?.request;
  return (
    <>
      {item.kind === 'node' && (
        <details className="group" open>
          <summary>Build options of this node</summary>
          <p className="about">What the request is built with beside the config: seed, variables, npcs, another prompt. They stand in the file as <code>{item.place}/options</code>.</p>
          <JsonPart key={item.place} place={`${item.place}/options`} view={view} label={`build options of ${item.name}`} />
        </details>
      )}
      <section className="group">
        <h3>The request that is sent {request && <Copy text={JSON.stringify(request, undefined, 2)} label="copy the request" />}</h3>
        {request ? (
          <pre className="mono sheet" tabIndex={0} aria-label="request">{JSON.stringify(request, undefined, 2)}</pre>
        ) : (
          <>
            <p className="empty">No request can be made while this stands in the way:</p>
            <Findings findings={prepared?.report.findings.filter(({ severity }) => severity === 'error') ?? []} />
            {!prepared && <p className="dim">{item.kind === 'edge' && !item.generates ? 'This edge generates nothing: its meta has no generate: true.' : 'It could not be read: see the findings.'}</p>}
          </>
        )}
      </section>
    </>
  );
}
