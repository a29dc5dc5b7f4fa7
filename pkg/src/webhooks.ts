/**
 * Verifies what a onepath server tells over webhooks: WebCrypto and nothing else, for Node, workers
 * and wherever else requests are answered.
 *
 * The scheme is that of Standard Webhooks. Hand in the body as it came, before anything reads it as
 * JSON: other spelling is another signature.
 */

import type { GenerationStatus } from './client.js';

/** What a webhook tells. Members that this version does not know are kept. */
export interface WebhookEvent {
  /** What happened, such as `generation.completed`; `webhook.ping` for a test. */
  type: string;
  /** When it happened. */
  timestamp: string;
  data: {
    /** The generation it is about. */
    generation_id?: string;
    /** Its status after it. */
    status?: GenerationStatus;
    /** What went wrong. */
    error_code?: string;
    /** Its events are numbered from 1, without gaps: what comes late has a smaller number. */
    number?: number;
    /** Who pays for it. */
    user_id?: string;
    [member: string]: unknown;
  };
  [member: string]: unknown;
}

/** A message that is believed. */
export interface VerifiedWebhook {
  /** The same however often the message is sent: keep it, and pass over one that you had. */
  id: string;
  /** When it was sent. */
  sentAt: Date;
  /** What it tells. */
  event: WebhookEvent;
}

/** Why a message is not believed. */
export type WebhookErrorCode =
  | 'missing_header'
  | 'bad_id'
  | 'bad_timestamp'
  | 'too_old'
  | 'too_new'
  | 'bad_secret'
  | 'no_match'
  | 'unreadable';

/** A message that is not believed: answer with 400 and do nothing. */
export class WebhookError extends Error {
  override readonly name: string = 'WebhookError';
  /** Why. */
  readonly code: WebhookErrorCode;

  constructor(code: WebhookErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Headers of a request: `Headers`, or the object that Node's servers have. */
export type HeaderSource =
  | { get(name: string): string | null }
  | Record<string, string | string[] | undefined>;

/** How a message is verified. */
export interface VerifyOptions {
  /** Seconds by which the time of sending may differ from ours, either way; 300 if absent. */
  toleranceSeconds?: number;
  /** The time in milliseconds since 1970, instead of the clock's. */
  now?: number;
}

const PREFIX = 'whsec_';
const VERSION = 'v1,';

/**
 * Verifies a message and reads what it tells. Several secrets count at once, while one replaces
 * another.
 *
 * @throws {WebhookError} if it is not believed.
 */
export async function verifyWebhook(
  body: string | ArrayBuffer | Uint8Array,
  headers: HeaderSource,
  secrets: string | readonly string[],
  options: VerifyOptions = {},
): Promise<VerifiedWebhook> {
  const id = header(headers, 'webhook-id');
  const timestamp = header(headers, 'webhook-timestamp');
  const signature = header(headers, 'webhook-signature');
  if (id === '' || id.length > 256 || id.includes('.')) {
    throw new WebhookError('bad_id', 'the header `webhook-id` holds no id');
  }
  const at = /^[0-9]{1,15}$/.test(timestamp) ? Number(timestamp) : Number.NaN;
  if (Number.isNaN(at)) throw new WebhookError('bad_timestamp', 'the header `webhook-timestamp` holds no time');
  const now = Math.floor((options.now ?? Date.now()) / 1000);
  const tolerance = options.toleranceSeconds ?? 300;
  if (now - at > tolerance) throw new WebhookError('too_old', 'it was sent too long ago');
  if (at - now > tolerance) throw new WebhookError('too_new', 'it was sent in the future');

  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : new Uint8Array(body);
  const signed = joined(new TextEncoder().encode(`${id}.${timestamp}.`), bytes);
  const given = signature.split(' ').flatMap((one) => {
    const base64 = one.startsWith(VERSION) ? fromBase64(one.slice(VERSION.length)) : undefined;
    return base64 === undefined ? [] : [base64];
  });
  for (const secret of typeof secrets === 'string' ? [secrets] : secrets) {
    const key = await hmacKey(secret);
    for (const one of given) {
      // WebCrypto compares in constant time.
      if (await crypto.subtle.verify('HMAC', key, one, signed)) {
        return { id, sentAt: new Date(at * 1000), event: read(bytes) };
      }
    }
  }
  throw new WebhookError('no_match', 'no signature holds: is it the secret of this endpoint?');
}

function header(headers: HeaderSource, name: string): string {
  const found = typeof headers.get === 'function'
    ? (headers as { get(name: string): string | null }).get(name)
    : (headers as Record<string, string | string[] | undefined>)[name];
  if (typeof found !== 'string') throw new WebhookError('missing_header', `the header \`${name}\` is missing`);
  return found;
}

async function hmacKey(secret: string): Promise<CryptoKey> {
  const text = secret.trim();
  const bytes = fromBase64(text.startsWith(PREFIX) ? text.slice(PREFIX.length) : text);
  if (bytes === undefined || bytes.length < 16 || bytes.length > 128) {
    throw new WebhookError('bad_secret', 'it is no secret of a webhook: `whsec_` and 16 to 128 bytes in base64 are wanted');
  }
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(first.length + second.length);
  out.set(first);
  out.set(second, first.length);
  return out;
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function read(bytes: Uint8Array): WebhookEvent {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as WebhookEvent;
  } catch {
    throw new WebhookError('unreadable', 'it is signed and is no JSON');
  }
}
