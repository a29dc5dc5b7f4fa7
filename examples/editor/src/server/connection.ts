/** Whether there is a server, and whether it knows us. */

import type { ProviderInfo } from 'onepath';
import { createClient, type Client } from 'onepath/client';

import { Observed } from '../ui/observed';
import { keepKey, takeKey } from './session';

export interface Connection {
  state: 'asking' | 'absent' | 'no-key' | 'refused' | 'ready';
  /** Providers of the server. */
  providers: ProviderInfo[];
}

export class Server {
  readonly connection = new Observed<Connection>({ state: 'asking', providers: [] });
  readonly client: Client;
  #key = takeKey();

  constructor() {
    this.client = createClient({ baseUrl: location.origin, token: () => this.#key });
  }

  async connect(key = this.#key): Promise<void> {
    this.#key = key;
    keepKey(key);
    this.connection.set({ state: 'asking', providers: [] });
    this.connection.set(await this.#ask());
  }

  async #ask(): Promise<Connection> {
    const none = { providers: [] };
    try {
      const version = await fetch(`${location.origin}/version`);
      const running: unknown = version.ok ? await version.json() : undefined;
      if (typeof running !== 'object' || running === null || !('contract' in running)) return { state: 'absent', ...none };
      if (this.#key === '') return { state: 'no-key', ...none };
      const answer = await fetch(`${location.origin}/api/v1/providers`, { headers: { authorization: `Bearer ${this.#key}` } });
      if (answer.status === 401 || answer.status === 403) return { state: 'refused', ...none };
      const told = (await answer.json()) as { providers: ProviderInfo[]; configured: string[] };
      // What the server cannot ask is no choice.
      return { state: 'ready', providers: told.providers.filter(({ id }) => told.configured.includes(id)) };
    } catch {
      return { state: 'absent', ...none };
    }
  }
}
