import { explain, type Prepared } from 'onepath';
import { useMemo, useState } from 'react';

import { editor } from '../editor';
import type { Item } from '../scene/items';
import type { View } from '../scene/scene';

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
          <table className="compare">
            <thead><tr><th scope="col">field</th><th scope="col">{item.name}</th><th scope="col">{other.name}</th><th scope="col">for</th></tr></thead>
            <tbody>
              {differences.map(({ pointer, left, right, policy, changes_key }) => (
                <tr key={pointer} className={changes_key ? 'matters' : ''}>
                  <th scope="row"><code>{pointer}</code>{changes_key && <span className="tag" title="a difference here changes hash or key">in the key</span>}</th>
                  <td>{shown(left)}</td>
                  <td>{shown(right)}</td>
                  <td className="dim">{policy}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </>
  );
}

function shown(value: unknown): string {
  if (value === undefined) return '—';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
