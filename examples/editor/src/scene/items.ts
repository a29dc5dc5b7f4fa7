/** What of a document can be edited: its nodes, its edges, or the one config that it is. */

import { isObject, isWithin, member, pointer } from './pointer';

export type Kind = 'node' | 'edge' | 'config';

export interface Item {
  /** As the package names it. */
  name: string;
  kind: Kind;
  /** Where it stands in the document. */
  place: string;
  /** Where its config stands; for an edge, the rules that are merged into that of its node. */
  config: string;
  /** Whether anything is generated for it. */
  generates: boolean;
}

/** Items of a document, in its order. Names are those of `Document.nodes()`. */
export function items(value: unknown): Item[] {
  if (!isObject(value)) return [];
  const nodes = member(value, 'nodes');
  if (Array.isArray(nodes) || Array.isArray(member(value, 'scenes'))) {
    const edges = member(value, 'edges');
    return [
      ...(Array.isArray(nodes) ? nodes : []).map((node, index): Item => {
        const place = pointer('nodes', index);
        return { name: id(node) ?? `nodes[${index}]`, kind: 'node', place, config: `${place}/config`, generates: true };
      }),
      ...(Array.isArray(edges) ? edges : []).map((edge, index): Item => {
        const place = pointer('edges', index);
        const meta = isObject(edge) ? member(edge, 'meta') : undefined;
        const name = id(edge) ?? (isObject(edge) ? `${String(edge['from'])}->${String(edge['to'])}` : `edges[${index}]`);
        return { name, kind: 'edge', place, config: `${place}/meta/rules`, generates: isObject(meta) && meta['generate'] === true };
      }),
    ];
  }
  if (isObject(member(value, 'config'))) {
    return [{ name: id(value) ?? 'node', kind: 'node', place: '', config: '/config', generates: true }];
  }
  return [{ name: 'config', kind: 'config', place: '', config: '', generates: true }];
}

export function id(value: unknown): string | undefined {
  const id = isObject(value) ? value['id'] : undefined;
  return typeof id === 'number' || (typeof id === 'string' && id !== '') ? String(id) : undefined;
}

/** The item that a place lies in. */
export function itemAt(all: readonly Item[], place: string): Item | undefined {
  return all.find((item) => isWithin(place, item.place));
}
