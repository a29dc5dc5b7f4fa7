/** RFC 6901 pointers, and the edits that lead from one value to another. */

export type Step = string | number;

export function pointer(...steps: Step[]): string {
  return steps.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

export function steps(pointer: string): string[] {
  return pointer.split('/').slice(1).map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Whether a place is another or lies in it. */
export function isWithin(place: string, other: string): boolean {
  return place === other || place.startsWith(`${other}/`);
}

/** A member in its one spelling: documents may have `seed_source` for `seedSource`. */
export function plain(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

export type Json = null | boolean | number | string | Json[] | { [member: string]: Json };

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a place, in whichever spelling. */
export function at(value: unknown, place: readonly Step[]): unknown {
  let here = value;
  for (const step of place) {
    if (Array.isArray(here)) here = here[Number(step)];
    else if (isObject(here)) here = member(here, String(step));
    else return undefined;
  }
  return here;
}

export function member(object: Record<string, unknown>, name: string): unknown {
  if (Object.hasOwn(object, name)) return object[name];
  const spelled = Object.keys(object).find((key) => plain(key) === name);
  return spelled === undefined ? undefined : object[spelled];
}

/** One change of a document. Without a value something is taken away. */
export interface Edit {
  pointer: string;
  value?: unknown;
}

/** The fewest edits that lead from one value to another; what is equal keeps its bytes. */
export function edits(before: unknown, after: unknown, place = ''): Edit[] {
  if (same(before, after)) return [];
  if (after === undefined) return [{ pointer: place }];
  if (isObject(before) && isObject(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].flatMap((name) => edits(before[name], after[name], place + pointer(name)));
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    if (before.length === after.length) {
      return before.flatMap((item, index) => edits(item, after[index], place + pointer(index)));
    }
    const first = before.findIndex((item, index) => !same(item, after[index]));
    const from = first < 0 ? before.length : first;
    if (after.length === before.length + 1 && from === before.length) {
      return [{ pointer: place + pointer(from), value: after[from] }];
    }
    if (after.length === before.length - 1 && same(before.slice(from + 1), after.slice(from))) {
      return [{ pointer: place + pointer(from) }];
    }
  }
  return [{ pointer: place, value: after }];
}

export function same(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => same(item, right[index]));
  }
  if (!isObject(left) || !isObject(right)) return false;
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => Object.hasOwn(right, name) && same(left[name], right[name]));
}
