// A document, with what of it can be answered on this side: a number that is put where one stood goes
// in without a text, and findings that are as they were before come from a list.

import { Document as Bound } from './bindings.js';

/** Entries that are kept; then all of them are forgotten. */
const KEPT = 64;

export class Document extends Bound {
  #fields = new Map();
  #lists = new Map();

  set(pointer, value) {
    const isNumber = typeof value === 'number';
    if (isNumber && this.putNumber(this.#fields.get(pointer), value)) return;
    super.set(pointer, value);
    if (isNumber) keep(this.#fields, pointer, this.fieldNumber(pointer));
  }

  findings() {
    const state = this.state();
    return this.#lists.get(state) ?? keep(this.#lists, state, super.findings());
  }
}

function keep(map, name, value) {
  if (map.size >= KEPT) map.clear();
  map.set(name, value);
  return value;
}
