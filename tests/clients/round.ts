// The same round with every client that was made of openapi.json: create, follow, list, usage, a
// problem. The types are part of the test: it compiles under `strict`, and narrows by words.

import createFetch from 'openapi-fetch';

import type { components, paths } from './made/types';
import { createClient } from './made/hey/client';
import * as hey from './made/hey';
import * as orval from './made/orval';

type Created = components['schemas']['CreateGenerationResponse'];
type Generation = components['schemas']['GenerationResponse'];
type Problem = components['schemas']['Problem'];

/** What a client must be able to do. */
interface Round {
  create(prompt: string, priority?: number): Promise<Created | Problem>;
  get(id: string): Promise<Generation>;
  count(): Promise<number | undefined>;
  runs(): Promise<number>;
}

function envelope(prompt: string, priority?: number) {
  return {
    provider_id: 'local',
    config: {
      generationType: 'text_to_image',
      purpose: 'ambient',
      strategy: 'once',
      prompt,
      fallback: { mode: 'skip' },
    },
    ...(priority === undefined ? {} : { priority }),
  } as const;
}

function needed<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what}: no answer`);
  return value;
}

function withFetch(baseUrl: string, key: string): Round {
  const client = createFetch<paths>({ baseUrl, headers: { authorization: `Bearer ${key}` } });
  return {
    async create(prompt, priority) {
      const { data, error } = await client.POST('/api/v1/generations', { body: envelope(prompt, priority) });
      return needed<Created | Problem>(data as Created | undefined ?? error, 'create');
    },
    async get(id) {
      const { data } = await client.GET('/api/v1/generations/{id}', { params: { path: { id }, header: { Prefer: 'wait=20' } } });
      return needed(data as Generation | undefined, 'get');
    },
    async count() {
      const { data } = await client.GET('/api/v1/generations', { params: { query: { count: true, limit: 1, status: 'completed' } } });
      return needed(data, 'list').total;
    },
    async runs() {
      return needed((await client.GET('/api/v1/usage')).data, 'usage').runs_month;
    },
  };
}

function withHey(baseUrl: string, key: string): Round {
  const client = createClient({ baseUrl, auth: () => key });
  return {
    async create(prompt, priority) {
      const { data, error } = await hey.createGeneration({ client, body: envelope(prompt, priority) });
      return needed(data as Created | undefined ?? error as Problem | undefined, 'create');
    },
    async get(id) {
      const { data } = await hey.getGeneration({ client, path: { id }, headers: { Prefer: 'wait=20' } });
      return needed(data as Generation | undefined, 'get');
    },
    async count() {
      const { data } = await hey.listGenerations({ client, query: { count: true, limit: 1, status: 'completed' } });
      return needed(data, 'list').total;
    },
    async runs() {
      return needed((await hey.getUsage({ client })).data, 'usage').runs_month;
    },
  };
}

function withOrval(baseUrl: string, key: string): Round {
  // It calls `fetch` with paths: the base is put before them here.
  const real = globalThis.fetch;
  globalThis.fetch = (input, init) => real(typeof input === 'string' && input.startsWith('/') ? baseUrl + input : input, init);
  const options = { headers: { authorization: `Bearer ${key}` } };
  return {
    async create(prompt, priority) {
      return (await orval.createGeneration(envelope(prompt, priority), options)).data as Created | Problem;
    },
    async get(id) {
      const headers = { ...options.headers, prefer: 'wait=20' };
      return (await orval.getGeneration(id, { headers })).data as Generation;
    },
    async count() {
      const answer = await orval.listGenerations({ count: true, limit: 1, status: 'completed' }, options);
      return answer.status === 200 ? answer.data.total : undefined;
    },
    async runs() {
      const answer = await orval.getUsage(options);
      if (answer.status !== 200) throw new Error(`usage: ${answer.status}`);
      return answer.data.runs_month;
    },
  };
}

/** The words are closed: a word that is none does not compile, and each leads somewhere. */
function tell(generation: Generation): string {
  switch (generation.status) {
    case 'completed':
      return generation.assets[0]?.url ?? 'nothing';
    case 'failed':
    case 'cancelled':
      return generation.error_code ?? 'no reason';
    case 'pending':
    case 'processing':
      return 'not yet';
  }
}

function same<T>(seen: T, expected: T, what: string): void {
  if (JSON.stringify(seen) !== JSON.stringify(expected)) throw new Error(`${what}: ${JSON.stringify(seen)}, not ${JSON.stringify(expected)}`);
}

const rounds = { 'openapi-typescript with openapi-fetch': withFetch, '@hey-api/openapi-ts': withHey, orval: withOrval };

/** Runs the round with every client; how many went well and how many did not. */
export async function run(baseUrl: string, key: string): Promise<[passed: number, failed: number]> {
  let passed = 0;
  let failed = 0;
  for (const [name, make] of Object.entries(rounds)) {
    try {
      const client = make(baseUrl, key);
      const before = await client.runs();
      const created = await client.create(`a lighthouse, for ${name}`);
      if (!('id' in created)) throw new Error(`${created.code}: ${created.detail}`);
      same(created.answer, 'created', 'answer');
      const done = await client.get(created.id);
      same(done.status, 'completed', 'status');
      const file = await fetch(baseUrl + tell(done));
      same(file.headers.get('content-type'), 'image/png', 'file');
      same(await client.runs(), before + 1, 'usage');
      same(await client.count(), passed + failed + 1, 'count');
      const refused = await client.create('too urgent', 11);
      if (!('errors' in refused)) throw new Error('a fault was not told');
      same(refused.errors?.map((fault) => fault.pointer), ['/priority'], 'faults');
      passed += 1;
      console.log(`ok      ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return [passed, failed];
}
