// A document, with what of it can be answered on this side: a number that is put where one stood goes
// in without a text, and findings that are as they were before come from a list.

import { Document as Bound } from './bindings.js';

/** Entries that are kept; then all of them are forgotten. */
const KEPT = 64;

export class Document extends Bound {
  #fields = new Map();
  #lists = new Map();

  /** What the findings are like; 0 if the module must be asked. */
  #state = 0;

  set(pointer, value) {
    const isNumber = typeof value === 'number';
    this.#state = isNumber ? this.putNumber(this.#fields.get(pointer), value) : 0;
    if (this.#state > 0) return;
    super.set(pointer, value);
    if (isNumber) keep(this.#fields, pointer, this.fieldNumber(pointer));
  }

  remove(pointer) {
    this.#state = 0;
    return super.remove(pointer);
  }

  undo() {
    this.#state = 0;
    return super.undo();
  }

  redo() {
    this.#state = 0;
    return super.redo();
  }

  findings() {
    // A document that was freed has no pointer, and the module says so.
    const state = (this.__wbg_ptr && this.#state) || this.state();
    return this.#lists.get(state) ?? keep(this.#lists, state, super.findings());
  }
}

function keep(map, name, value) {
  if (map.size >= KEPT) map.clear();
  map.set(name, value);
  return value;
}
