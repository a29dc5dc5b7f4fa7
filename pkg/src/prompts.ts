/** Prompts that a server keeps: families of numbered versions, what they come to, and terms. */

import type { Finding, Template, Terms } from './index.js';

/** What a version says of one of its variables. */
export interface PromptVariable {
  type?: 'text' | 'number' | 'boolean';
  /** Its value where nobody gives one; it must be given if this is absent. */
  default?: string | number | boolean;
  about?: string;
}

/** One version of a family. It never changes. */
export interface PromptVersion {
  /** By which configs pin it: `templateVersionId`. */
  id: string;
  family_id: string;
  number: number;
  text: string;
  negative_text?: string;
  variables: Record<string, PromptVariable>;
  /** The names that its texts use, in order. */
  placeholders: string[];
  author: string;
  notes?: string;
  parent_id?: string;
  content_hash: string;
  created_at: string;
  [member: string]: unknown;
}

/** How versions share those who ask for no version. */
export interface PromptSplit {
  started_at?: string;
  arms: { version_id: string; weight: number }[];
}

/** A family of versions. */
export interface PromptFamily {
  /** By which configs name it: `templateId`. */
  id: string;
  name?: string;
  description?: string;
  /** The newest version; of a create the one that was added or found. */
  version: PromptVersion;
  /** The number of the newest version. */
  latest: number;
  split?: PromptSplit;
  created_at: string;
  updated_at: string;
  [member: string]: unknown;
}

/** A version to add. A variable may be its default alone. */
export interface NewPromptVersion {
  text: string;
  negative_text?: string;
  variables?: Record<string, PromptVariable | string | number | boolean>;
  author?: string;
  notes?: string;
  parent_id?: string;
}

/** A prompt to find by its content, or to keep as the first version of a family. */
export interface NewPrompt extends Omit<NewPromptVersion, 'parent_id'> {
  /** By which configs will name it; made of the content if absent. */
  id?: string;
  name?: string;
  description?: string;
}

/** How a version is rendered. */
export interface RenderRequest {
  /** `latest`, a number or an id; the one that the player gets if absent. */
  version?: string;
  variables?: Record<string, unknown>;
  player_id?: string;
  provider_id?: string;
}

/** A version, rendered. */
export interface RenderedPrompt {
  family_id: string;
  version_id: string;
  number: number;
  chosen_by: 'pin' | 'split' | 'latest';
  /** The text that a provider would be sent. */
  prompt: string;
  negative_prompt?: string;
  characters: number;
  findings: Finding[];
  /** The version as builders take it in `templates`. */
  template: Template;
  [member: string]: unknown;
}

/** A piece of two texts. */
export interface Piece {
  kind: 'same' | 'removed' | 'added';
  text: string;
}

/** In what two versions differ. */
export interface PromptDiff {
  family_id: string;
  from: { id: string; number: number };
  to: { id: string; number: number };
  same: boolean;
  text: Piece[];
  negative_text: Piece[];
  variables: { name: string; from?: PromptVariable; to?: PromptVariable }[];
  [member: string]: unknown;
}

/** What a version came to. */
export interface VersionUsage {
  version_id: string;
  runs: number;
  outcomes: { completed: number; fallback: number; failed: number; cancelled: number };
  success_rate?: number;
  /** Runs by what moderation refused. */
  moderation: Record<string, number>;
  errors: Record<string, number>;
  micros: number;
}

/** What the versions of a family came to. */
export interface PromptUsage {
  family_id: string;
  since?: string;
  versions: VersionUsage[];
  split?: PromptSplit;
  /** The versions that share, since they do. */
  arms?: VersionUsage[];
  [member: string]: unknown;
}

/** What a part of a prompt speaks about. */
export type PromptRole = 'character' | 'action' | 'setting' | 'mood' | 'camera';

/** What a prompt speaks about, and who takes it. */
export interface PromptAnalysis {
  analyst: string;
  parts: { text: string; role?: PromptRole; roles: { role: PromptRole; words: string[] }[] }[];
  missing: PromptRole[];
  characters: number;
  limits: { provider_id: string; most: number; fits: boolean }[];
  findings: Finding[];
  [member: string]: unknown;
}

/** One page of a list. */
export interface PromptPage {
  limit?: number;
  cursor?: string;
}

type Options = { signal?: AbortSignal };

/** How the client sends a call; none of these makes another thing when it is sent again. */
export type Ask = <T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH', path: string, options: Options, body?: unknown, query?: object) => Promise<T>;

/** What a client may ask of the prompts of its server. */
export class Prompts {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Families with their newest versions, by id. */
  list(page: PromptPage = {}, options: Options = {}): Promise<{ families: PromptFamily[]; next_cursor?: string }> {
    return this.#ask('GET', '', options, undefined, page);
  }

  /** The newest versions of all families, as `templates` of a build. */
  async templates(options: Options = {}): Promise<Record<string, Template>> {
    const templates: Record<string, Template> = {};
    let cursor: string | undefined;
    do {
      const page = await this.list({ limit: 200, ...(cursor !== undefined && { cursor }) }, options);
      for (const { id, version } of page.families) templates[id] = template(version);
      cursor = page.next_cursor;
    } while (cursor !== undefined);
    return templates;
  }

  /** The version that says this, or the first of a new family. */
  findOrCreate(prompt: NewPrompt, options: Options = {}): Promise<PromptFamily> {
    return this.#ask('POST', '', options, prompt);
  }

  /** One family with its newest version. */
  get(family: string, options: Options = {}): Promise<PromptFamily> {
    return this.#ask('GET', `/${segment(family)}`, options);
  }

  /** Changes name, description and split of a family; null ends them. */
  patch(family: string, change: { name?: string | null; description?: string | null; split?: PromptSplit | null }, options: Options = {}): Promise<PromptFamily> {
    return this.#ask('PATCH', `/${segment(family)}`, options, change);
  }

  /** Versions of a family, newest first. */
  versions(family: string, page: PromptPage = {}, options: Options = {}): Promise<{ versions: PromptVersion[]; next_cursor?: string }> {
    return this.#ask('GET', `/${segment(family)}/versions`, options, undefined, page);
  }

  /** One version: `latest`, a number, or an id. */
  version(family: string, version: string | number, options: Options = {}): Promise<PromptVersion> {
    return this.#ask('GET', `/${segment(family)}/versions/${segment(String(version))}`, options);
  }

  /** Adds a version, unless the family has one that says the same. */
  addVersion(family: string, version: NewPromptVersion, options: Options = {}): Promise<PromptVersion> {
    return this.#ask('POST', `/${segment(family)}/versions`, options, version);
  }

  /** What a create under a version of the family would send. */
  render(family: string, request: RenderRequest = {}, options: Options = {}): Promise<RenderedPrompt> {
    return this.#ask('POST', `/${segment(family)}/render`, options, request);
  }

  /** In what two versions differ; by default the newest and what it was made from. */
  diff(family: string, versions: { from?: string | number; to?: string | number } = {}, options: Options = {}): Promise<PromptDiff> {
    return this.#ask('GET', `/${segment(family)}/diff`, options, undefined, versions);
  }

  /** How runs of a family's versions ended. */
  usage(family: string, query: { since?: string } = {}, options: Options = {}): Promise<PromptUsage> {
    return this.#ask('GET', `/${segment(family)}/usage`, options, undefined, query);
  }

  /** What a prompt speaks about. */
  analyze(text: string, more: { provider_id?: string } = {}, options: Options = {}): Promise<PromptAnalysis> {
    return this.#ask('POST', '/analyze', options, { text, ...more });
  }

  /** What the tenant blocks and flags. */
  terms(options: Options = {}): Promise<Required<Terms>> {
    return this.#ask('GET', '/terms', options);
  }

  /** Sets what the tenant blocks and flags. */
  putTerms(terms: Terms, options: Options = {}): Promise<Required<Terms>> {
    return this.#ask('PUT', '/terms', options, terms);
  }
}

/** A version as builders take it in `templates`. */
export function template(version: PromptVersion): Template {
  const variables: Record<string, string | number | boolean> = {};
  const types: Record<string, 'text' | 'number' | 'boolean'> = {};
  for (const [name, variable] of Object.entries(version.variables)) {
    if (variable.default !== undefined) variables[name] = variable.default;
    if (variable.type !== undefined) types[name] = variable.type;
  }
  return {
    versionId: version.id,
    text: version.text,
    ...(version.negative_text !== undefined && { negativeText: version.negative_text }),
    ...(Object.keys(variables).length > 0 && { variables }),
    ...(Object.keys(types).length > 0 && { types }),
  };
}

/** An id as a part of a path. */
export function segment(id: string): string {
  if (typeof id !== 'string' || id === '') throw new TypeError('onepath: an id is needed');
  return encodeURIComponent(id);
}
