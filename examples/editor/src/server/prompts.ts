/** The server's families of prompts and its terms, as the editor builds with them. */

import type { Template, Terms } from 'onepath';
import { template, type Client, type PromptAnalysis, type PromptVersion } from 'onepath/client';
import { useEffect, useState } from 'react';

import { Observed } from '../ui/observed';

export interface Kept {
  /** The newest version of each family. */
  templates: Record<string, Template>;
  /** Versions of families that were looked at, newest first. */
  versions: Record<string, PromptVersion[]>;
  terms: Terms;
}

const NOTHING: Kept = { templates: {}, versions: {}, terms: {} };

/** How long typing must pause before a prompt is taken apart, in milliseconds. */
const PAUSE = 300;

export class PromptShelf {
  readonly kept = new Observed<Kept>(NOTHING);
  readonly #client: () => Client;

  constructor(client: () => Client) {
    this.#client = client;
  }

  /** Reads families and terms anew. */
  async load(): Promise<void> {
    const { prompts } = this.#client();
    const [templates, terms] = await Promise.all([prompts.templates(), prompts.terms()]);
    this.kept.set({ templates, versions: {}, terms });
  }

  /** Nothing is known of a server that is not there. */
  forget(): void {
    this.kept.set(NOTHING);
  }

  /** Reads the versions of a family, unless they are known. */
  async look(family: string): Promise<void> {
    const { templates, versions } = this.kept.get();
    if (!(family in templates) || family in versions) return;
    const { versions: found } = await this.#client().prompts.versions(family, { limit: 50 });
    this.kept.update({ versions: { ...this.kept.get().versions, [family]: found } });
  }

  /** A version as a build takes it. */
  version(family: string, id: string): Template | undefined {
    const found = this.kept.get().versions[family]?.find((version) => version.id === id);
    return found && template(found);
  }
}

/** What a prompt speaks about, asked whenever it has changed. */
export function useAnalysis(client: Client, text: string | undefined, isReady: boolean): PromptAnalysis | undefined {
  const [known, setKnown] = useState<PromptAnalysis>();
  useEffect(() => {
    setKnown(undefined);
    if (!isReady || !text) return;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      // Without an answer the prompt is shown as it is.
      client.prompts.analyze(text, {}, { signal: controller.signal }).then(setKnown, () => undefined);
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [client, text, isReady]);
  return known;
}
