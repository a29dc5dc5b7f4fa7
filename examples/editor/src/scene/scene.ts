/** The open document: edited text with its history, and what the package says about it. */

import { Document, OnepathRefusal, type BuildRequestOptions, type Finding, type Prepared, type Report } from 'onepath';

import { items, type Item } from './items';
import type { Edit } from './pointer';

/** The document at one moment. */
export interface View {
  text: string;
  /** Undefined while the text is no JSON. */
  value: unknown;
  report: Report;
  items: Item[];
  isChanged: boolean;
  canUndo: boolean;
  canRedo: boolean;
}

/** How close two edits of one field must follow to be taken back together, in milliseconds. */
const ONE_GO = 1_000;

interface Step {
  edits: number;
  field: string | undefined;
  at: number;
}

export class Scene {
  readonly name: string;
  readonly #edited: Document;
  #asked: Document;
  #base: BuildRequestOptions;
  #saved: string;
  #done: Step[] = [];
  #undone: Step[] = [];

  constructor(name: string, text: string, base: BuildRequestOptions, saved = text) {
    this.name = name;
    this.#edited = new Document(text);
    this.#asked = new Document(text, base);
    this.#base = base;
    this.#saved = saved;
  }

  get text(): string {
    return this.#edited.toString();
  }

  /** Another context, such as another provider; history stays. */
  rebase(base: BuildRequestOptions): void {
    this.#base = base;
    this.#ask();
  }

  /** Makes edits that are one step of the history. Edits of a field in one go are one step, too. */
  apply(edits: readonly Edit[], field?: string): void {
    let made = 0;
    const last = this.#done.at(-1);
    const goesOn = field !== undefined && last?.field === field && Date.now() - last.at < ONE_GO;
    try {
      for (const { pointer, value } of edits) {
        if (value === undefined) made += this.#edited.remove(pointer) ? 1 : 0;
        else {
          this.#edited.set(pointer, value);
          made += 1;
        }
      }
    } catch (error) {
      for (; made > 0; made -= 1) this.#edited.undo();
      throw error;
    }
    if (made === 0) return;
    if (goesOn) {
      last.edits += made;
      last.at = Date.now();
    } else this.#done.push({ edits: made, field, at: Date.now() });
    this.#undone = [];
    this.#ask();
  }

  undo(): void {
    const step = this.#done.pop();
    if (!step) return;
    for (let left = step.edits; left > 0; left -= 1) this.#edited.undo();
    this.#undone.push({ ...step, field: undefined });
    this.#ask();
  }

  redo(): void {
    const step = this.#undone.pop();
    if (!step) return;
    for (let left = step.edits; left > 0; left -= 1) this.#edited.redo();
    this.#done.push(step);
    this.#ask();
  }

  saved(): void {
    this.#saved = this.text;
    // What was saved is not taken back together with what comes.
    const last = this.#done.at(-1);
    if (last) last.field = undefined;
  }

  view(): View {
    const { text } = this;
    let value: unknown;
    try {
      value = this.#asked.toJSON();
    } catch {
      value = undefined;
    }
    return {
      text,
      value,
      report: this.#asked.report(),
      items: items(value),
      isChanged: text !== this.#saved,
      canUndo: this.#done.length > 0,
      canRedo: this.#undone.length > 0,
    };
  }

  /** The whole path of an item. */
  prepare(item: Item): Prepared | undefined {
    return prepare(this.#asked, item);
  }

  /** The same in another context, with what is pinned (at whichever of these places) set to `pin`. */
  prepareWith(item: Item, base: BuildRequestOptions, pins: readonly string[], pin: string): Prepared | undefined {
    const other = new Document(this.text, base);
    try {
      for (const place of pins) if (other.remove(place)) other.set(place, pin);
      return prepare(other, item);
    } finally {
      other.free();
    }
  }

  free(): void {
    this.#edited.free();
    this.#asked.free();
  }

  #ask(): void {
    const { text } = this;
    const next = new Document(text, this.#base);
    this.#asked.free();
    this.#asked = next;
  }
}

function prepare(document: Document, item: Item): Prepared | undefined {
  try {
    return document.prepare(item.name);
  } catch (error) {
    if (error instanceof OnepathRefusal) return { report: reportOf(error.findings) };
    // An edge that generates nothing, or a node that could not be read.
    return undefined;
  }
}

function reportOf(findings: Finding[]): Report {
  return { status: 'error', summary: '', errors: [], warnings: [], suggestions: [], findings };
}
