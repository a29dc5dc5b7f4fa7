/** The editor's state and everything a user can do to it. */

import { OnepathRefusal, Document, type BuildRequestOptions, type Rating, type Template } from 'onepath';

import { read, save, type Opened } from './scene/file';
import type { Item } from './scene/items';
import { named } from './scene/named';
import { isObject, type Edit } from './scene/pointer';
import { Scene, type View } from './scene/scene';
import { Server } from './server/connection';
import { PromptShelf } from './server/prompts';
import { Runs } from './server/runs';
import { Observed } from './ui/observed';

export type Tab = 'form' | 'json' | 'prompt' | 'request' | 'compare';

export interface State {
  file?: Opened | undefined;
  view?: View | undefined;
  isOpening: boolean;
  /** Place of the selected item. */
  selected?: string | undefined;
  tab: Tab;
  /** A place that wants to be seen, and a number that changes with each wish. */
  shown?: { pointer: string; wish: number } | undefined;
  provider: string;
  world?: Rating | undefined;
  user?: Rating | undefined;
  templates?: Record<string, Template> | undefined;
  templatesName?: string | undefined;
  /** What went wrong, until it is closed. */
  trouble?: string | undefined;
  /** What went well, for screen readers and eyes. */
  notice?: string | undefined;
}

export class Editor {
  readonly state = new Observed<State>({ isOpening: false, tab: 'form', provider: '' });
  readonly server = new Server();
  readonly runs = new Runs(() => this.server.client);
  readonly prompts = new PromptShelf(() => this.server.client);
  #scene: Scene | undefined;
  #wishes = 0;

  constructor() {
    this.server.connection.listen(() => void this.#reach());
    this.prompts.kept.listen(() => {
      this.#scene?.rebase(this.base());
      this.#look({});
    });
  }

  /** What the server keeps of prompts is known as soon as it is reached. */
  async #reach(): Promise<void> {
    if (this.server.connection.get().state !== 'ready') return this.prompts.forget();
    try {
      await this.prompts.load();
    } catch (error) {
      this.state.update({ trouble: `the server's prompts were not read: ${message(error)}` });
    }
  }

  /** What is known beside the file. Templates of a file count before the server's. */
  base(): BuildRequestOptions {
    const { provider, world, user } = this.state.get();
    const { templates: kept, terms } = this.prompts.kept.get();
    const templates = { ...kept, ...this.state.get().templates };
    const base: BuildRequestOptions = {};
    if (provider !== '') base.providerId = provider;
    if (world || user) base.bounds = { ...(world && { world }), ...(user && { user }) };
    if (Object.keys(templates).length > 0) base.templates = templates;
    if (terms.blocked?.length || terms.flagged?.length) base.terms = terms;
    return base;
  }

  async open(files: Iterable<File | Opened>): Promise<void> {
    this.state.update({ isOpening: true, trouble: undefined, notice: undefined });
    try {
      for (const file of files) this.#take(file instanceof File ? await read(file) : file);
    } catch (error) {
      this.state.update({ trouble: message(error) });
    } finally {
      this.state.update({ isOpening: false });
    }
  }

  #take(file: Opened): void {
    const templates = templatesOf(file.text);
    if (templates) {
      // Prompts beside a file are no document of their own.
      checkBase({ templates });
      this.set({ templates, templatesName: file.name });
      this.state.update({ notice: `the templates of ${file.name} are known: ${Object.keys(templates).join(', ')}` });
      return;
    }
    const scene = new Scene(file.name, file.text, this.base());
    this.#scene?.free();
    this.#scene = scene;
    this.runs.opened(file.name);
    const view = scene.view();
    const first = view.items.find((item) => item.generates);
    this.state.update({ file, view, selected: first?.place, shown: undefined });
    if (first) this.runs.recall(first.name);
  }

  /** Changes the context beside the file. */
  set(change: Partial<Pick<State, 'provider' | 'world' | 'user' | 'templates' | 'templatesName'>>): void {
    this.state.update(change);
    this.#scene?.rebase(this.base());
    this.#look();
  }

  select(place: string | undefined, tab?: Tab): void {
    this.state.update({ selected: place, ...(tab && { tab }) });
    const item = this.selected();
    if (item && this.server.connection.get().state === 'ready') this.runs.recall(item.name);
  }

  selected(): Item | undefined {
    const { view, selected } = this.state.get();
    return view?.items.find((item) => item.place === selected);
  }

  /** Shows a place of the document: its item, and the field in it. */
  show(pointer: string): void {
    const { view, tab } = this.state.get();
    const item = view?.items.find((item) => item.place === pointer || pointer.startsWith(`${item.place}/`));
    this.#wishes += 1;
    this.state.update({ shown: { pointer, wish: this.#wishes } });
    if (item) this.select(item.place, tab === 'json' ? 'json' : 'form');
  }

  apply(edits: readonly Edit[], field?: string): void {
    try {
      this.#scene?.apply(edits, field);
      this.#look();
    } catch (error) {
      this.state.update({ trouble: message(error) });
    }
  }

  /** Another text for a file that cannot be read as it is. */
  rewrite(text: string): void {
    const { file } = this.state.get();
    if (!file) return;
    const scene = new Scene(file.name, text, this.base(), file.text);
    this.#scene?.free();
    this.#scene = scene;
    this.#look();
  }

  undo(): void {
    this.#scene?.undo();
    this.#look();
  }

  redo(): void {
    this.#scene?.redo();
    this.#look();
  }

  prepare(item: Item) {
    const { family, version } = named(this.state.get().view, item);
    const isOther = family !== undefined && version !== undefined && this.base().templates?.[family]?.versionId !== version;
    if (isOther && this.prompts.version(family, version)) return this.prepareWith(item, family, version);
    return this.#scene?.prepare(item);
  }

  /** The whole path of an item, under another version of its family. */
  prepareWith(item: Item, family: string, version: string) {
    const template = this.prompts.version(family, version);
    if (!template) return undefined;
    const base = this.base();
    const pins = ['templateVersionId', 'template_version_id'].map((name) => `${item.config}/${name}`);
    return this.#scene?.prepareWith(item, { ...base, templates: { ...base.templates, [family]: template } }, pins, version);
  }

  async save(): Promise<void> {
    const { file } = this.state.get();
    const scene = this.#scene;
    if (!file || !scene) return;
    try {
      const how = await save(file, scene.text);
      scene.saved();
      this.#look();
      this.state.update({ notice: how === 'written' ? `${file.name} is saved` : `${file.name} is in your downloads`, trouble: undefined });
    } catch (error) {
      this.state.update({ trouble: `${file.name} was not saved: ${message(error)}` });
    }
  }

  /** Sees the document anew; what was said of it before is over, unless something else is said. */
  #look(said: Partial<State> = { notice: undefined }): void {
    const scene = this.#scene;
    if (!scene) return;
    const view = scene.view();
    const { selected } = this.state.get();
    const isThere = view.items.some((item) => item.place === selected);
    this.state.update({ view, ...said, ...(!isThere && { selected: view.items[0]?.place }) });
  }
}

/** Templates by id, as `onepath check --prompts` takes them; undefined if the text is something else. */
function templatesOf(text: string): Record<string, Template> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const all = Object.entries(value).filter(([name]) => name !== '$schema');
  const isTemplate = ([, template]: [string, unknown]) => isObject(template) && typeof template['text'] === 'string';
  return all.length > 0 && all.every(isTemplate) ? (Object.fromEntries(all) as unknown as Record<string, Template>) : undefined;
}

/** Throws for a context that cannot be used. */
function checkBase(base: BuildRequestOptions): void {
  new Document({}, base).free();
}

export function message(error: unknown): string {
  if (error instanceof OnepathRefusal) return error.findings.map(({ message, pointer }) => `${message} (${pointer || 'the whole'})`).join('; ');
  return error instanceof Error ? error.message : String(error);
}

export const editor = new Editor();
