import type { Difference } from 'onepath';

/** In which fields two requests differ, and which of them change the key. */
export function Differences({ differences, left, right }: { differences: Difference[]; left: string; right: string }) {
  return (
    <table className="compare">
      <thead><tr><th scope="col">field</th><th scope="col">{left}</th><th scope="col">{right}</th><th scope="col">for</th></tr></thead>
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
  );
}

function shown(value: unknown): string {
  if (value === undefined) return '—';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
