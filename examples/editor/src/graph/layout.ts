/** Where the parts of a graph stand: where the file says, else in layers along the edges. */

import { id } from '../scene/items';
import { isObject, member, pointer } from '../scene/pointer';

export interface Part {
  kind: 'scene' | 'node';
  place: string;
  id: string;
  title: string;
  value: Record<string, unknown>;
  position: { x: number; y: number };
}

export interface Link {
  place: string;
  name: string;
  from: string;
  to: string;
  generates: boolean;
  label: string | undefined;
}

const COLUMN = 270;
const ROW = 150;

export function graph(value: unknown): { parts: Part[]; links: Link[] } {
  if (!isObject(value)) return { parts: [], links: [] };
  const list = (name: string) => {
    const found = member(value, name);
    return Array.isArray(found) ? found.map((item) => (isObject(item) ? item : {})) : [];
  };
  if (!Array.isArray(member(value, 'nodes')) && !Array.isArray(member(value, 'scenes'))) {
    const isNode = isObject(member(value, 'config'));
    const config = isNode ? (member(value, 'config') as Record<string, unknown>) : value;
    const title = id(value) ?? (isNode ? 'node' : 'config');
    return { parts: [{ kind: 'node', place: '', id: title, title, value: config, position: { x: 0, y: 0 } }], links: [] };
  }
  const part = (kind: Part['kind'], list: string) => (item: Record<string, unknown>, index: number) => {
    const title = id(item) ?? `${list}[${index}]`;
    const config = member(item, 'config');
    return { kind, place: pointer(list, index), id: title, title, value: kind === 'node' && isObject(config) ? config : item, at: position(item) };
  };
  const found = [...list('scenes').map(part('scene', 'scenes')), ...list('nodes').map(part('node', 'nodes'))];
  const byId = new Map<string, string>();
  for (const { id, place } of found) if (!byId.has(id)) byId.set(id, place);
  const links = list('edges').flatMap((edge, index): Link[] => {
    const [from, to] = [byId.get(String(edge['from'])), byId.get(String(edge['to']))];
    if (from === undefined || to === undefined) return [];
    const meta = edge['meta'];
    const ui = edge['ui'];
    const label = isObject(ui) && typeof ui['label'] === 'string' ? ui['label'] : undefined;
    const name = id(edge) ?? `${String(edge['from'])}->${String(edge['to'])}`;
    return [{ place: pointer('edges', index), name, from, to, generates: isObject(meta) && meta['generate'] === true, label }];
  });
  const free = layers(found.filter(({ at }) => !at).map(({ place }) => place), links);
  const placed = found.flatMap(({ at }) => (at ? [at] : []));
  // Beside what the file places, not on it.
  const bottom = Math.max(0, ...placed.map(({ y }) => y + ROW + 40));
  const left = Math.min(...placed.map(({ x }) => x), Number.POSITIVE_INFINITY);
  const origin = { x: Number.isFinite(left) ? left : 0, y: placed.length > 0 ? bottom : 0 };
  // What the file does not place stands near what it is linked to.
  const near = (place: string) => {
    const xs = links.flatMap(({ from, to }) => (from === place ? [to] : to === place ? [from] : [])).flatMap((other) => found.find(({ place }) => place === other)?.at?.x ?? []);
    return xs.length === 0 ? Number.MAX_VALUE : xs.reduce((sum, x) => sum + x, 0) / xs.length;
  };
  const row = found.filter(({ at }) => !at).map(({ place }) => place).sort((left, right) => near(left) - near(right));
  const parts = found.map(({ at, ...part }): Part => {
    const own = free.get(part.place) ?? { x: 0, y: 0 };
    const inRow = { x: row.indexOf(part.place) * COLUMN, y: 0 };
    const offset = placed.length > 0 ? inRow : own;
    return { ...part, position: at ?? { x: origin.x + offset.x, y: origin.y + offset.y } };
  });
  return { parts, links };
}

function position(item: Record<string, unknown>): { x: number; y: number } | undefined {
  const ui = item['ui'];
  const at = isObject(ui) ? ui['position'] : undefined;
  if (!isObject(at)) return undefined;
  const { x, y } = at;
  const isFar = (value: unknown) => typeof value !== 'number' || Math.abs(value) > 1e6;
  return isFar(x) || isFar(y) ? undefined : { x: x as number, y: y as number };
}

/** Each part one column behind the last that leads to it; circles are cut where they close. */
function layers(places: readonly string[], links: readonly Link[]): Map<string, { x: number; y: number }> {
  const column = new Map<string, number>();
  const visit = (place: string, depth: number, path: ReadonlySet<string>) => {
    if (path.has(place) || (column.get(place) ?? -1) >= depth || depth > 64) return;
    column.set(place, depth);
    const on = new Set(path).add(place);
    for (const { from, to } of links) if (from === place) visit(to, depth + 1, on);
  };
  const targets = new Set(links.map(({ to }) => to));
  for (const place of places) if (!targets.has(place)) visit(place, 0, new Set());
  for (const place of places) if (!column.has(place)) visit(place, 0, new Set());
  const rows = new Map<number, number>();
  return new Map(
    places.map((place) => {
      const x = column.get(place) ?? 0;
      const y = rows.get(x) ?? 0;
      rows.set(x, y + 1);
      return [place, { x: x * COLUMN, y: y * ROW }];
    }),
  );
}
