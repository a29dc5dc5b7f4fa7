import { explain, type Prepared } from 'onepath';
import { useMemo, useState } from 'react';

import { editor } from '../editor';
import type { Item } from '../scene/items';
import type { View } from '../scene/scene';
import { Differences } from './differences';

/** Two nodes side by side: in which fields their requests differ, and which of them change the key. */
export function CompareTab({ item, view, prepared }: { item: Item; view: View; prepared: Prepared | undefined }) {
  const others = view.items.filter((other) => other.generates && other.place !== item.place);
  const [chosen, setChosen] = useState<string>();
  const other = others.find(({ place }) => place === chosen) ?? others[0];
  const right = useMemo(() => (other ? editor.prepare(other) : undefined), [other?.place, view]);
  const differences = useMemo(() => {
    if (!prepared?.request || !right?.request) return undefined;
    return explain(prepared.request, right.request);
  }, [prepared, right]);
  if (!other) return <p className="empty">There is nothing to compare it with: the file has one node.</p>;
  const matter = differences?.filter(({ changes_key }) => changes_key).length ?? 0;
  const keys = [prepared?.fingerprint?.cache_key, right?.fingerprint?.cache_key];
  return (
    <>
      <label className="row">
        <span>{item.name} beside</span>
        <select value={other.place} onChange={({ target }) => setChosen(target.value)} aria-label="compare with">
          {others.map(({ place, name, kind }) => <option key={place} value={place}>{name}{kind === 'edge' ? ' (edge)' : ''}</option>)}
        </select>
      </label>
      {!differences && <p className="empty">{prepared?.request ? other.name : item.name} has no request yet: fix its errors first.</p>}
      {differences && (
        <>
          <p role="status">
            {differences.length === 0 ? 'Both are the same request.' : `${differences.length} fields differ, ${matter} of them change hash or key.`}
            {keys[0] !== undefined && (keys[0] === keys[1] ? ' They share one key.' : ' Their keys are different.')}
          </p>
          <Differences differences={differences} left={item.name} right={other.name} />
        </>
      )}
    </>
  );
}
