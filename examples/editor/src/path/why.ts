/** What the path computed, in words: each part of a key, the seed, the rating. */

import { parseCacheKey, type Fingerprint, type GenerateContentRequest } from 'onepath';

export interface Part {
  name: string;
  /** As it stands in the key. */
  text: string;
  why: string;
}

const SHARED = {
  once: 'once: everybody shares one result, so there is no id here',
  per_playthrough: 'per_playthrough: the playthrough has a result for itself',
  per_player: 'per_player: the player has a result for themselves',
  always: 'always: nothing is kept',
};

export function keyParts(key: string, request: GenerateContentRequest, print: Fingerprint): Part[] {
  const parsed = parseCacheKey(key);
  const texts = key.replace(/^generation:/, '').split('|');
  if (!parsed || texts.length !== 8) return [];
  const [type, purpose, from, to, strategy, scope, version, tail] = texts as [string, string, string, string, string, string, string, string];
  const isFamily = print.family_hash?.startsWith(parsed.tail) ?? false;
  const scene = (id: string | null, word: string) => (id === null ? `no scene is named that it leads ${word}` : `the scene it leads ${word}`);
  return [
    { name: 'type', text: type, why: 'generationType of the config' },
    { name: 'purpose', text: purpose, why: 'purpose of the config' },
    { name: 'from', text: from, why: scene(parsed.from, 'from') },
    { name: 'to', text: to, why: scene(parsed.to, 'to') },
    { name: 'strategy', text: strategy, why: 'who shares the result' },
    { name: 'scope', text: scope, why: SHARED[parsed.strategy] },
    { name: 'version', text: version, why: request.version === undefined ? 'no version is given, which is 1; raise it to make everything again' : 'version of the config; raise it to make everything again' },
    {
      name: 'content',
      text: tail,
      why: isFamily
        ? 'first half of the family hash: the seed says nothing that the scope does not say'
        : 'first half of the request hash: content and seed together',
    },
  ];
}

export function seedWhy(config: Record<string, unknown> | undefined, print: Fingerprint): string {
  if (print.seed === undefined) return 'none is given or derived: the provider chooses';
  const own = config?.['seed'];
  if (own !== undefined && String(own) === print.seed) return 'given in the config';
  const source = config?.['seedSource'] ?? config?.['seed_source'];
  const from: Record<string, string> = {
    playthrough: 'derived from the family hash and the playthrough: the same in each replay of it',
    player: 'derived from the family hash and the player: the same for them everywhere',
    timestamp: 'derived from the family hash and the time: another one each time',
    fixed: 'fixed: given beside the config',
  };
  return from[String(source)] ?? 'given beside the config, in its build options';
}

export function ratingWhy({ asked, effective, bound_by }: Fingerprint['rating']): string {
  const by: Record<string, string> = {
    world: "the world's bound",
    user: "the user's bound",
    constraint: 'the film rating of the constraints',
    provider: 'the highest rating of the provider',
  };
  if (bound_by && asked !== effective) return `asked for ${asked}; lowered by ${by[bound_by]}`;
  return 'as asked; no bound lowers it';
}

export function money(micros: number): string {
  return `$${(micros / 1_000_000).toFixed(micros % 10_000 === 0 ? 2 : 4)}`;
}

export function ttl(seconds: number | undefined): string {
  if (seconds === undefined) return 'without end';
  const units: [number, string][] = [[86_400, 'day'], [3_600, 'hour'], [60, 'minute'], [1, 'second']];
  const [size, unit] = units.find(([size]) => seconds % size === 0) ?? [1, 'second'];
  const count = seconds / size;
  return `for ${count} ${unit}${count === 1 ? '' : 's'}`;
}
