/** What runs on the server, node by node. A run goes on when another node is looked at. */

import type { GenerateContentRequest } from 'onepath';
import { ApiError, isFinal, type Client, type GenerationResponse } from 'onepath/client';

import { Observed } from '../ui/observed';
import { forget, remember, remembered } from './remembered';

export interface Run {
  /** What is being done. */
  phase: 'idle' | 'loading' | 'sending' | 'following';
  generation?: GenerationResponse | undefined;
  /** Why the last call failed. */
  error?: unknown;
}

const IDLE: Run = { phase: 'idle' };

export class Runs {
  readonly all = new Observed<ReadonlyMap<string, Run>>(new Map());
  readonly #client: () => Client;
  #file = '';
  #abort = new AbortController();

  constructor(client: () => Client) {
    this.#client = client;
  }

  /** Another file is open: what ran for nodes of the one before is not watched any more. */
  opened(file: string): void {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#file = file;
    this.all.set(new Map());
  }

  of(node: string): Run {
    return this.all.get().get(node) ?? IDLE;
  }

  /** Brings back the last generation of a node. */
  recall(node: string): void {
    const id = remembered(this.#file, node);
    if (id === undefined || this.all.get().has(node)) return;
    void this.#guard(node, async (signal) => {
      this.#put(node, { phase: 'loading' });
      try {
        const generation = await this.#client().getGeneration(id, { signal });
        this.#put(node, { phase: 'idle', generation });
        if (!isFinal(generation)) await this.#follow(node, id, signal);
      } catch (error) {
        if (!(error instanceof ApiError && error.status === 404)) throw error;
        forget(this.#file, node);
        this.#put(node, IDLE);
      }
    });
  }

  /** Sends a request with its hash: never the config it was built from. */
  run(node: string, request: GenerateContentRequest, request_hash: string): Promise<void> {
    return this.#guard(node, async (signal) => {
      this.#put(node, { phase: 'sending' });
      const { id } = await this.#client().createGeneration({ request, request_hash }, { signal });
      remember(this.#file, node, id);
      await this.#follow(node, id, signal);
    });
  }

  cancel(node: string): Promise<void> {
    return this.#again(node, (id, signal) => this.#client().cancelGeneration(id, { signal }));
  }

  retry(node: string): Promise<void> {
    return this.#again(node, (id, signal) => this.#client().retryGeneration(id, { signal }));
  }

  #again(node: string, call: (id: string, signal: AbortSignal) => Promise<GenerationResponse>): Promise<void> {
    const { generation, phase } = this.of(node);
    if (!generation) return Promise.resolve();
    return this.#guard(node, async (signal) => {
      const changed = await call(generation.id, signal);
      this.#put(node, { phase, generation: changed });
      if (phase !== 'following') await this.#follow(node, generation.id, signal);
    });
  }

  async #follow(node: string, id: string, signal: AbortSignal): Promise<void> {
    for await (const generation of this.#client().watchGeneration(id, { signal, events: true, interval: 1_000 })) {
      this.#put(node, { phase: isFinal(generation) ? 'idle' : 'following', generation });
    }
  }

  async #guard(node: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this.#abort;
    try {
      await work(signal);
    } catch (error) {
      if (signal.aborted) return;
      this.#put(node, { phase: 'idle', generation: this.of(node).generation, error });
    }
  }

  #put(node: string, run: Run): void {
    this.all.set(new Map(this.all.get()).set(node, run));
  }
}
