/**
 * An HTTP client for a onepath server: fetch and nothing else, for browsers, Node and workers.
 *
 * Every logical call is made once, however often it has to be sent: a create carries an idempotency
 * key that is minted with the call and kept through its retries.
 */

import type { BuildRequestOptions, Estimate, Finding, GenerateContentRequest, GenerationNodeConfig, GenerationSocialContext, OperationRow, ProviderInfo, Rating, RatingTrail, Report } from './index.js';
import { Prompts, segment } from './prompts.js';

export { Prompts, template } from './prompts.js';
export type * from './prompts.js';

/** What a generation can be; the last three are final. */
export type GenerationStatus = 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled';

/** How a create was answered. */
export type Answer = 'created' | 'joined' | 'cache' | 'hash';

/** A picture, an animation or a video: uploaded, or made by a generation. */
export interface Asset {
  /** Requests name it as `asset:<id>`. */
  id: string;
  /** Whether its file is at the server; what describes the file is absent until it is. */
  sync_status?: 'remote' | 'downloading' | 'downloaded' | 'error' | 'gone';
  /** Where its file is read, without a token: for a while, or for ever if it is public. */
  url?: string;
  /** Where a small picture of it is read, as its file is; absent for videos. */
  thumbnail_url?: string;
  /** Whether anybody may fetch its file. */
  public?: boolean;
  media_type?: string;
  width?: number;
  height?: number;
  /** How long it plays, in milliseconds. */
  duration_ms?: number;
  bytes?: number;
  sha256?: string;
  generation_id?: string;
  name?: string;
  tags?: string[];
  [member: string]: unknown;
}

/** What may be changed of an asset; an absent member stays as it is. */
export interface AssetPatch {
  name?: string | null;
  tags?: string[] | null;
  /** Whether anybody may fetch its file; the server and the world may keep it private. */
  public?: boolean;
}

/** One of what was made, as a page shows it. */
export interface Variant {
  /** Its place, from 0. */
  index: number;
  asset_id: string;
  /** Where its file is read, without a token. */
  url: string;
  /** Where a small picture of it is read; absent for videos. */
  thumbnail_url?: string;
  media_type: string;
  width: number;
  height: number;
  /** How long it plays, in milliseconds. */
  duration_ms?: number;
}

/** A page of assets. */
export interface AssetListResponse {
  assets: Asset[];
  limit: number;
  /** Where the next page begins; absent on the last. */
  next_cursor?: string | null;
  [member: string]: unknown;
}

/** What a list of assets is narrowed to. */
export interface AssetQuery {
  tag?: string;
  q?: string;
  provider_id?: string;
  generation_id?: string;
  media?: 'image' | 'video';
  media_type?: string;
  source?: 'upload' | 'generation';
  sync_status?: string;
  limit?: number;
  cursor?: string;
}

/** A generation, as the server tells it. Members that this version does not know are kept. */
export interface GenerationResponse {
  id: string;
  status: GenerationStatus;
  /** In answers to a create. */
  answer?: Answer;
  request_hash?: string;
  family_hash?: string;
  cache_key?: string;
  seed?: string;
  assets?: Asset[];
  /** What was made, in short, as far as it is here; absent in answers to a create. */
  variants?: Variant[];
  /** The provider's own id of the attempt; null until it was submitted. */
  predictionId?: string | null;
  /** What the provider is sent, without secrets. */
  settings?: unknown;
  /** Why it failed; a stable code. */
  error_code?: string | null;
  /** Whether its run takes, or took, longer than it may. */
  overdue?: boolean;
  /** Why it is not begun, if an operator has stopped that. */
  paused?: { by: string; reason?: string; since: string };
  created_at?: string;
  [member: string]: unknown;
}

/** A page of generations. */
export interface GenerationListResponse {
  generations: GenerationResponse[];
  limit: number;
  /** Where the next page begins; absent on the last. */
  next_cursor?: string | null;
  [member: string]: unknown;
}

/** What both forms of a create may say beside what is asked for. */
export interface CreateEnvelope {
  /** The hash of the request as the editor computed it: the server refuses another. */
  request_hash?: string;
  cache_key?: string;
  name?: string;
  description?: string;
  priority?: number;
  force_new?: boolean;
  /** Refuses instead of lowering a rating to the server's bounds. */
  strict?: boolean;
  workspace_id?: string;
  scheduled_at?: string;
  /** Whether anybody may fetch what is made, where server and world leave that to whoever asks. */
  public?: boolean;
  [member: string]: unknown;
}

/** What a server is asked to make: a request that was built here, or a config for it to build. */
export type CreateGenerationRequest = CreateEnvelope &
  (
    | { request: GenerateContentRequest; config?: never }
    | { config: GenerationNodeConfig; request?: never }
  );

/** What is checked by the server's own rules. */
export interface ValidateRequest {
  config: GenerationNodeConfig;
  options?: BuildRequestOptions;
  [member: string]: unknown;
}

/** What a create would do, without doing it. */
export interface PreflightResponse {
  answer?: Answer;
  /** The generation that would answer. */
  generation_id?: string;
  request_hash?: string;
  cache_key?: string;
  /** As asked and as it takes effect under the server's bounds. */
  rating?: RatingTrail;
  /** Whether the server's bounds lower what takes effect. */
  lowered?: boolean;
  /** What a run would cost; 0 if none is needed. */
  price?: Estimate;
  /** What the server allows, for `rebound`. */
  bounds?: { world?: Rating; user?: Rating };
  findings?: Finding[];
  [member: string]: unknown;
}

/** What may be changed of a generation; null takes it away. */
export interface GenerationChange {
  name?: string | null;
  description?: string | null;
  tags?: string[] | null;
  /** 0 to 10; 0 goes first. While it is pending. */
  priority?: number;
  /** RFC 3339. While it is pending. */
  scheduled_at?: string | null;
}

/** A picture that shall move. */
export interface SimpleImageToVideo {
  provider_id: string;
  prompt: string;
  image_url: string;
  name?: string;
  priority?: number;
}

/** How a player stands to the npcs of a moment. */
export interface SocialContextResponse {
  social_context: GenerationSocialContext;
  /** What the server allows here. */
  bounds?: { world?: Rating; user?: Rating };
  [member: string]: unknown;
}

/** What shall answer no create any more. */
export interface Invalidation {
  cache_keys?: string[];
  scene_id?: string;
  template_id?: string;
  template_version_id?: string;
  /** Says what it would do, and does nothing. */
  preview?: boolean;
}

/** Limits of a plan; what is absent is not limited. */
export interface Limits {
  in_flight?: number;
  runs_month?: number;
  micros_month?: number;
  storage_bytes?: number;
}

/** What a user used of their plan. */
export interface Usage {
  limits: Limits;
  remaining: Limits;
  in_flight: number;
  runs_month: number;
  micros_month: number;
  storage_bytes: number;
  /** When the month's limits start anew (RFC 3339). */
  resets_at: string;
  [member: string]: unknown;
}

/** An answer whose members `/docs` of the server describes. */
export type Answered = Record<string, unknown>;

/** One event of a generation, as the stream tells it. */
export interface GenerationEvent {
  /** What happened, such as `generation.completed`. */
  type: string;
  /** Its place among all events. */
  cursor: number;
  /** The generation, or the one that the asset was made for. */
  generation_id?: string;
  /** The asset, if the event is about one. */
  asset_id?: string;
  /** The generation's status after it; absent if the event is about an asset. */
  status?: GenerationStatus;
  /** Whether the asset's file is here after it. */
  sync_status?: string;
  error_code?: string;
  [member: string]: unknown;
}

/** What a list is narrowed to. */
export interface ListQuery {
  status?: GenerationStatus;
  operation_type?: string;
  provider_id?: string;
  world_id?: string;
  workspace_id?: string;
  q?: string;
  limit?: number;
  cursor?: string;
  created_after?: string;
  created_before?: string;
}

/** The body of an error: RFC 9457. */
export interface Problem {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  /** A stable word, such as `CANONICAL_MISMATCH`. */
  code?: string;
  /** What is wrong, where: findings, or the fields that differ. */
  errors?: (Partial<Finding> & { pointer: string; detail?: string })[];
  [member: string]: unknown;
}

/** An answer of the server that is an error. */
export class ApiError extends Error {
  override readonly name: string = 'ApiError';
  /** The status of the answer. */
  readonly status: number;
  /** The problem's code; `HTTP_<status>` if the answer was no problem document. */
  readonly code: string;
  /** The whole body. */
  readonly problem: Problem;
  /** Seconds after which the server wants to be asked again. */
  readonly retryAfter: number | undefined;

  constructor(status: number, problem: Problem, retryAfter?: number) {
    super(problem.detail ?? problem.title ?? `the server answered ${status}`);
    this.status = status;
    this.code = problem.code ?? `HTTP_${status}`;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }

  /** What is wrong, where. */
  get errors(): NonNullable<Problem['errors']> {
    return this.problem.errors ?? [];
  }
}

/** The server could not be reached, or what it said could not be read. */
export class ConnectionError extends Error {
  override readonly name: string = 'ConnectionError';
}

/** How a client speaks to its server. */
export interface ClientOptions {
  /** Where the server stands: `https://host`, without `/api/v1`. */
  baseUrl: string | URL;
  /** The bearer token, or how to get it for each request. */
  token?: string | (() => string | Promise<string>);
  /** Another `fetch`. */
  fetch?: typeof fetch;
  /** How often a request is sent again after the first time; 4 if absent. */
  retries?: number;
  /** The longest wait in milliseconds that a retry accepts; 60,000 if absent. */
  maxWait?: number;
  /** Further headers of every request. */
  headers?: Record<string, string>;
  /** Another clock, for tests. */
  clock?: Clock;
}

/** Time, as the client uses it. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** Waits; rejects with the signal's reason if that comes first. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** What any call may be given. */
export interface CallOptions {
  signal?: AbortSignal;
}

/** What a call that changes something may be given. */
export interface ChangeOptions extends CallOptions {
  /** The key by which the server knows this call again; minted if absent. */
  idempotencyKey?: string;
}

/** How a generation is watched. */
export interface WatchOptions extends CallOptions {
  /** Milliseconds between looks in the first minute; 3,000 if absent. */
  interval?: number;
  /** Milliseconds between looks after it; 30,000 if absent. */
  slowInterval?: number;
  /** Milliseconds after which looks become rare; 60,000 if absent. */
  slowAfter?: number;
  /** Whether to listen to the server's events and look when something happened; false if absent. */
  events?: boolean;
}

/** Which events are listened to. */
export interface EventOptions extends CallOptions {
  /** Events behind this place; those from now on if absent. */
  after?: number;
}

const FINAL: readonly string[] = ['completed', 'failed', 'cancelled'];

/** Whether a generation will not change any more. */
export function isFinal(generation: { status: string }): boolean {
  return FINAL.includes(generation.status);
}

/** What may pass: worth sending again. */
const PASSING = [408, 425, 429, 502, 503, 504];

function mayPass(error: ApiError): boolean {
  return PASSING.includes(error.status) || error.code === 'IDEMPOTENCY_IN_PROGRESS';
}

interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, unknown>;
  body?: unknown;
  file?: Blob;
  idempotencyKey?: string;
  accept?: string;
  signal?: AbortSignal | undefined;
}

/** Said when a stream is open, before its events. */
const OPEN = Symbol('open');

/** A client of one server. */
export class Client {
  /** Families of prompts, their versions, and terms. */
  readonly prompts = new Prompts((method, path, { signal }, body, query) =>
    this.#call({ method, path: `/prompts${path}`, body, query: { ...query }, signal }),
  );
  readonly #base: string;
  readonly #options: ClientOptions;
  readonly #clock: Clock;

  constructor(options: ClientOptions) {
    const base = String(options.baseUrl).replace(/\/+$/, '');
    this.#base = base.endsWith('/api/v1') ? base : `${base}/api/v1`;
    this.#options = options;
    this.#clock = options.clock ?? realClock;
  }

  /** Asks for a generation. Sending it again after a lost answer makes no second one. */
  createGeneration(body: CreateGenerationRequest, options: ChangeOptions = {}): Promise<GenerationResponse> {
    return this.#change('/generations', body, options);
  }

  /** Tells how a generation stands. */
  getGeneration(id: string, options: CallOptions = {}): Promise<GenerationResponse> {
    return this.#get(`/generations/${segment(id)}`, {}, options);
  }

  /** One page of generations, newest first. */
  listGenerations(query: ListQuery = {}, options: CallOptions = {}): Promise<GenerationListResponse> {
    return this.#get('/generations', { ...query }, options);
  }

  /** Withdraws one's interest in a generation. */
  cancelGeneration(id: string, options: ChangeOptions = {}): Promise<GenerationResponse> {
    return this.#change(`/generations/${segment(id)}/cancel`, undefined, options);
  }

  /** Starts a new run of a generation that failed or was cancelled. */
  retryGeneration(id: string, options: ChangeOptions = {}): Promise<GenerationResponse> {
    return this.#change(`/generations/${segment(id)}/retry`, undefined, options);
  }

  /** Changes name, description and tags and, while it is pending, priority and schedule. */
  patchGeneration(id: string, change: GenerationChange, options: CallOptions = {}): Promise<GenerationResponse> {
    return this.#patch(`/generations/${segment(id)}`, change, options);
  }

  /** Hides a generation that is over; it is no answer any more. */
  deleteGeneration(id: string, options: CallOptions = {}): Promise<void> {
    return this.#delete(`/generations/${segment(id)}`, options);
  }

  /** Has a picture moved: the short way. */
  simpleImageToVideo(body: SimpleImageToVideo, options: ChangeOptions = {}): Promise<GenerationResponse> {
    return this.#change('/generations/simple-image-to-video', body, options);
  }

  /** How a player stands to the npcs of a moment, from the server's own world. */
  buildSocialContext(body: Record<string, unknown>, options: CallOptions = {}): Promise<SocialContextResponse> {
    return this.#ask('/generations/social-context/build', body, options);
  }

  /** How the creates of the tenant were answered, and what that saved. */
  getCacheStats(window: '1h' | '24h' | '7d' = '24h', options: CallOptions = {}): Promise<Answered> {
    return this.#get('/generations/cache/stats', { window }, options);
  }

  /** Rows that all given members name answer no create any more; a preview says what they cost. */
  invalidateCache(body: Invalidation, options: CallOptions = {}): Promise<Answered> {
    return this.#ask('/generations/cache/invalidate', body, options);
  }

  /** What the caller used this month, and what is left. */
  getUsage(options: CallOptions = {}): Promise<Usage> {
    return this.#get('/usage', {}, options);
  }

  /** Every generation type with its operation. */
  listOperations(options: CallOptions = {}): Promise<{ operations: OperationRow[] }> {
    return this.#get('/generation-operations', {}, options);
  }

  /** The providers of the server, with their operations and settings. */
  listProviders(options: CallOptions = {}): Promise<{ providers: ProviderInfo[] }> {
    return this.#get('/providers', {}, options);
  }

  /** Checks a config against the server's own context. */
  validateRemote(body: ValidateRequest, options: CallOptions = {}): Promise<Report> {
    return this.#ask('/generations/validate', body, options);
  }

  /** Says what a create would do: made already, in flight, or to be paid for. */
  preflight(body: CreateGenerationRequest, options: CallOptions = {}): Promise<PreflightResponse> {
    return this.#ask('/generations/preflight', body, options);
  }

  /**
   * Follows a generation: yields it at once and whenever it has changed, and ends when it is final.
   * Looks every 3 seconds in the first minute and every 30 seconds after it; with `events`, when the
   * server says that something happened, and by the clock only where it has no stream.
   */
  async *watchGeneration(id: string, options: WatchOptions = {}): AsyncGenerator<GenerationResponse, void, void> {
    const { interval = 3_000, slowInterval = 30_000, slowAfter = 60_000, signal } = options;
    const since = this.#clock.now();
    let before = '';
    const isNews = (generation: GenerationResponse): boolean => {
      const now = JSON.stringify(generation);
      const changed = now !== before;
      before = now;
      return changed;
    };
    if (options.events) {
      try {
        for await (const generation of this.#listen(id, signal)) {
          if (isNews(generation)) yield generation;
          if (isFinal(generation)) return;
        }
      } catch {
        // Without a stream, the clock: a look says what is wrong, if anything is.
        signal?.throwIfAborted();
      }
    }
    for (;;) {
      const generation = await this.getGeneration(id, signal ? { signal } : {});
      if (isNews(generation)) yield generation;
      if (isFinal(generation)) return;
      const slow = this.#clock.now() - since >= slowAfter;
      await this.#clock.sleep(slow ? slowInterval : interval, signal);
    }
  }

  /**
   * The caller's events as they happen. Comes back where it was when the stream ends; throws when it
   * cannot be opened.
   */
  async *streamEvents(options: EventOptions = {}): AsyncGenerator<GenerationEvent, void, void> {
    for await (const event of this.#events(options)) if (event !== OPEN) yield event;
  }

  /** A generation when the stream is open, and after each event of it: nothing falls in between. */
  async *#listen(id: string, signal: AbortSignal | undefined): AsyncGenerator<GenerationResponse, void, void> {
    for await (const event of this.#events(signal ? { signal } : {})) {
      if (event === OPEN || event.generation_id === id) yield await this.getGeneration(id, signal ? { signal } : {});
    }
  }

  async *#events({ after, signal }: EventOptions): AsyncGenerator<GenerationEvent | typeof OPEN, void, void> {
    let last = after;
    for (;;) {
      const query = last === undefined ? {} : { cursor: last };
      const response = await this.#send({ method: 'GET', path: '/generations/events', query, signal, accept: 'text/event-stream' });
      if (!response.body || !response.headers.get('content-type')?.startsWith('text/event-stream')) {
        throw new ConnectionError('GET /generations/events: the answer is no stream of events');
      }
      yield OPEN;
      for await (const event of frames(response.body)) {
        last = event.cursor;
        yield event;
      }
      await this.#clock.sleep(1_000, signal);
    }
  }

  /** Where the file of an asset stands. A browser needs the token to fetch it. */
  assetUrl(id: string): string {
    return `${this.#base}/assets/${segment(id)}/file`;
  }

  /**
   * Keeps a picture or a video as an asset of the caller's: requests name it as `asset:<id>`. The
   * same bytes are the same asset, so that a call that was lost may be sent again.
   */
  uploadAsset(file: Blob, options: CallOptions = {}): Promise<Asset> {
    return this.#call({ method: 'POST', path: '/assets', file, signal: options.signal });
  }

  /** The caller's own assets, newest first. */
  listAssets(query: AssetQuery = {}, options: CallOptions = {}): Promise<AssetListResponse> {
    return this.#get('/assets', { ...query }, options);
  }

  /** One asset. */
  getAsset(id: string, options: CallOptions = {}): Promise<Asset> {
    return this.#get(`/assets/${segment(id)}`, {}, options);
  }

  /** Changes an asset's name, tags, and who may fetch it. */
  patchAsset(id: string, change: AssetPatch, options: CallOptions = {}): Promise<Asset> {
    return this.#patch(`/assets/${segment(id)}`, change, options);
  }

  /** Where an asset comes from, and what came of it. */
  getAssetLineage(id: string, options: CallOptions = {}): Promise<Answered> {
    return this.#get(`/assets/${segment(id)}/lineage`, {}, options);
  }

  /** Tries again to fetch what was made and is not at the server. */
  syncAsset(id: string, options: CallOptions = {}): Promise<Asset> {
    return this.#ask(`/assets/${segment(id)}/sync`, undefined, options);
  }

  /** Deletes an asset; what was made from it goes on. */
  deleteAsset(id: string, options: CallOptions = {}): Promise<void> {
    return this.#delete(`/assets/${segment(id)}`, options);
  }

  /** The file of an asset. */
  async getAssetFile(id: string, options: CallOptions = {}): Promise<Blob> {
    const call: Call = { method: 'GET', path: `/assets/${segment(id)}/file`, signal: options.signal };
    return (await this.#send(call)).blob();
  }

  /** A small picture of an asset: up to 320 pixels. */
  async getAssetThumbnail(id: string, options: CallOptions = {}): Promise<Blob> {
    const call: Call = { method: 'GET', path: `/assets/${segment(id)}/thumbnail`, signal: options.signal };
    return (await this.#send(call)).blob();
  }

  #change<T>(path: string, body: unknown, options: ChangeOptions): Promise<T> {
    const idempotencyKey = options.idempotencyKey ?? mint();
    return this.#call({ method: 'POST', path, body, idempotencyKey, signal: options.signal });
  }

  /** A POST that changes nothing, and may be sent as often as one likes. */
  #ask<T>(path: string, body: unknown, options: CallOptions): Promise<T> {
    return this.#call({ method: 'POST', path, body, signal: options.signal });
  }

  #get<T>(path: string, query: Record<string, unknown>, options: CallOptions): Promise<T> {
    return this.#call({ method: 'GET', path, query, signal: options.signal });
  }

  #patch<T>(path: string, body: unknown, options: CallOptions): Promise<T> {
    return this.#call({ method: 'PATCH', path, body, signal: options.signal });
  }

  async #delete(path: string, options: CallOptions): Promise<void> {
    await this.#send({ method: 'DELETE', path, signal: options.signal });
  }

  async #call<T>(call: Call): Promise<T> {
    const response = await this.#send(call);
    try {
      return (await response.json()) as T;
    } catch (error) {
      call.signal?.throwIfAborted();
      throw new ConnectionError(`${call.method} ${call.path}: the answer is no JSON`, { cause: error });
    }
  }

  /** Sends a call until it is answered, refused for good, or not worth another try. */
  async #send(call: Call): Promise<Response> {
    const { retries = 4, maxWait = 60_000 } = this.#options;
    const text = call.body === undefined ? undefined : JSON.stringify(call.body);
    for (let attempt = 0; ; attempt += 1) {
      call.signal?.throwIfAborted();
      let failure: ApiError | ConnectionError;
      try {
        const response = await this.#fetch(call, text);
        if (response.ok) return response;
        const refused = await problem(response, this.#clock.now());
        if (!mayPass(refused)) throw refused;
        failure = refused;
      } catch (error) {
        call.signal?.throwIfAborted();
        if (error instanceof ApiError || error instanceof TokenError) throw error;
        failure = new ConnectionError(`${call.method} ${call.path}: ${message(error)}`, { cause: error });
      }
      const asked = failure instanceof ApiError ? failure.retryAfter : undefined;
      const wait = asked === undefined ? backoff(attempt) : asked * 1_000;
      if (attempt >= retries || wait > maxWait) throw failure;
      await this.#clock.sleep(wait, call.signal);
    }
  }

  async #fetch(call: Call, body: string | undefined): Promise<Response> {
    const url = new URL(this.#base + call.path);
    for (const [name, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined && value !== null) url.searchParams.set(name, String(value));
    }
    const headers: Record<string, string> = { accept: call.accept ?? 'application/json', ...this.#options.headers };
    const token = await this.#token();
    if (token) headers['authorization'] = `Bearer ${token}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (call.file) headers['content-type'] = call.file.type === '' ? 'application/octet-stream' : call.file.type;
    if (call.idempotencyKey !== undefined) headers['idempotency-key'] = call.idempotencyKey;
    const send = this.#options.fetch ?? globalThis.fetch;
    const init: RequestInit = { method: call.method, headers };
    if (body !== undefined) init.body = body;
    if (call.file) init.body = call.file;
    if (call.signal) init.signal = call.signal;
    return send(url, init);
  }

  async #token(): Promise<string | undefined> {
    const { token } = this.#options;
    if (typeof token !== 'function') return token;
    try {
      return await token();
    } catch (error) {
      throw new TokenError(`no token: ${message(error)}`, { cause: error });
    }
  }
}

/** The caller's own token function failed: nothing was sent, and sending again helps nobody. */
class TokenError extends ConnectionError {}

/** A client of one server. */
export function createClient(options: ClientOptions): Client {
  return new Client(options);
}

/** The events in a stream of server-sent events, until it ends or breaks off. */
async function* frames(body: ReadableStream<Uint8Array>): AsyncGenerator<GenerationEvent, void, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = block.split('\n').filter((line) => line.startsWith('data:')).map((line) => line.slice(5));
        if (data.length > 0) yield JSON.parse(data.join('\n')) as GenerationEvent;
      }
    }
  } finally {
    // Nobody listens any more: the connection is given back.
    await reader.cancel().catch(() => undefined);
  }
}

function message(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return `${error instanceof Error ? error.message : String(error)}${why}`;
}

async function problem(response: Response, now: number): Promise<ApiError> {
  let body: Problem = {};
  const text = await response.text().catch(() => '');
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) body = value as Problem;
  } catch {
    const detail = text.trim().slice(0, 200);
    if (detail !== '') body = { detail };
  }
  return new ApiError(response.status, body, retryAfter(response.headers.get('retry-after'), now));
}

/** Seconds, or a date (RFC 9110). */
function retryAfter(value: string | null, now: number): number | undefined {
  if (value === null || value.trim() === '') return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1_000);
}

/** Half a second, doubled each time, with up to half of it less so that many do not come at once. */
function backoff(attempt: number): number {
  return 500 * 2 ** attempt * (1 - Math.random() / 2);
}

/** A key of 128 random bits. `randomUUID` is missing on pages that are not served by https. */
function mint(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const realClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const abort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', abort);
        resolve();
      }, milliseconds);
      signal?.addEventListener('abort', abort, { once: true });
    }),
};
