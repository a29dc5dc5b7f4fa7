// What the work costs without onepath: the request, its hashes and its key in plain JavaScript.
//
// It covers what the payload holds (an NPC's answer, no template, no placeholder) and none of the
// semantic rules, so ratios against it err in favour of the peer. Sub-objects go into the request by
// reference, and a member that is `undefined` is absent from the canonical text: nothing is copied
// or deleted.

import { hash } from 'node:crypto'; // one shot: for texts this short faster than createHash

// First match wins.
const LEVELS = [
  { id: 'soulmates', band: 'intense', rating: 'mature_implied', min: [95, 90, 95], tension: 10 },
  { id: 'very_intimate', band: 'intense', rating: 'mature_implied', min: [80, 60, 80] },
  { id: 'intimate', band: 'deep', rating: 'mature_implied', min: [60, 40, 60] },
  { id: 'deep_flirt', band: 'deep', rating: 'romantic', min: [40, 20, 40] },
  { id: 'light_flirt', band: 'light', rating: 'romantic', min: [20, -Infinity, 20] },
];
const NO_LEVEL = { id: undefined, band: 'none', rating: 'sfw' };
const LEVEL_BY_ID = new Map(LEVELS.map((level) => [level.id, level]));

const BANDS = ['none', 'light', 'deep', 'intense'];
const RATINGS = ['sfw', 'romantic', 'mature_implied', 'restricted'];

// The provider of the payload declares no defaults.
const PROVIDER_DEFAULTS = { local: {} };

function levelOf(entry) {
  const stored = entry.intimacyLevelId || entry.levelId;
  if (stored) return LEVEL_BY_ID.get(stored) ?? NO_LEVEL;
  const { affinity = 0, trust = 0, chemistry = 0, tension = 0 } = entry;
  for (const level of LEVELS) {
    const [minAffinity, minTrust, minChemistry] = level.min;
    if (
      affinity >= minAffinity &&
      trust >= minTrust &&
      chemistry >= minChemistry &&
      (level.tension === undefined || tension <= level.tension)
    ) {
      return level;
    }
  }
  return NO_LEVEL;
}

function tierOf(entry) {
  const stored = entry.relationshipTierId || entry.tierId || entry.affinityTierId;
  if (stored) return stored;
  const { affinity = 0 } = entry;
  if (affinity >= 80) return 'lover';
  if (affinity >= 60) return 'close_friend';
  if (affinity >= 30) return 'friend';
  if (affinity >= 10) return 'acquaintance';
  return 'stranger';
}

/** The highest band names level and tier (the first NPC on a tie); the highest rating counts. */
function socialContext(session, npcIds) {
  const relationships = session.stats?.relationships;
  let best = NO_LEVEL;
  let rating = NO_LEVEL.rating;
  let tier;
  for (const npcId of npcIds) {
    const entry = relationships?.[`npc:${npcId}`];
    if (entry === undefined) continue;
    const level = levelOf(entry);
    tier ??= tierOf(entry);
    if (BANDS.indexOf(level.band) > BANDS.indexOf(best.band)) {
      best = level;
      tier = tierOf(entry);
    }
    if (RATINGS.indexOf(level.rating) > RATINGS.indexOf(rating)) rating = level.rating;
  }
  return {
    intimacyLevelId: best.id,
    relationshipTierId: tier,
    intimacyBand: best.band,
    contentRating: rating,
    npcIds,
  };
}

function npcParams(npcId, npc) {
  return {
    npc_id: npcId,
    npc_name: npc?.name ?? `NPC ${npcId}`,
    npc_base_image: npc?.baseImage,
    expression: npc?.expression ?? 'neutral',
    emotion: npc?.emotion ?? 'neutral',
    animation: npc?.animation ?? 'idle',
    intensity: npc?.intensity ?? 0.5,
    art_style: npc?.artStyle,
    loras: npc?.loras,
  };
}

function inputs(config, npc) {
  const list = [];
  if (config.imageUrl) list.push({ role: 'image', ref: config.imageUrl });
  for (const ref of config.imageUrls ?? []) list.push({ role: 'image', ref });
  if (list.length === 0 && npc?.baseImage) list.push({ role: 'npc_base', ref: npc.baseImage });
  return list;
}

/** Takes the provider's own block out of a style that has one. */
function splitStyle(style, providerId) {
  const defaults = PROVIDER_DEFAULTS[providerId];
  if (style?.[providerId] === undefined) return { style, settings: defaults };
  const { [providerId]: block, ...rest } = style;
  return { style: rest, settings: { ...defaults, ...block } };
}

/** The request of a checked config and its checked context. */
export function buildRequest(config, options) {
  const { session, playerContext } = options;
  const npcIds = (options.npcIds ?? []).map(String);
  const npcId = npcIds[0];
  const npc = options.npcs?.find((one) => String(one.id) === npcId);
  const providerId = options.providerId;
  const { style, settings } = splitStyle(config.style, providerId);
  return {
    type: config.generationType,
    purpose: config.purpose,
    version: config.version ?? 1,
    strategy: config.strategy,
    from_scene: options.fromScene,
    to_scene: options.toScene,
    style,
    duration: config.duration,
    constraints: config.constraints,
    fallback: config.fallback,
    player_context: {
      playthroughId: String(playerContext?.playthroughId ?? session.id),
      playerId: String(playerContext?.playerId ?? session.user_id),
      choices: playerContext?.choices,
      flags: playerContext?.flags ?? session.flags,
      stats: playerContext?.stats,
    },
    social_context: config.socialContext ?? socialContext(session, npcIds),
    npc_params: npcId === undefined ? undefined : npcParams(npcId, npc),
    provider_id: providerId,
    provider_settings: settings,
    bounds: {
      world: options.world?.meta?.generation?.maxContentRating ?? 'romantic',
      user: options.user?.maxContentRating ?? 'romantic',
    },
    prompt: options.prompt ?? config.prompt,
    negative_prompt: config.negativePrompt,
    prompts: config.prompts,
    inputs: inputs(config, npc),
    seed: options.seed ?? config.seed,
  };
}

const nodeSha256 = (text) => hash('sha256', text, 'hex');

const PLAIN_ID = /^[!-$&-{}~]+$/;

/** An id inside a cache key: `%`, `|` and all but visible ASCII become `%XX`. */
function escapeId(id) {
  if (id === undefined) return '-';
  if (id === '-') return '%2D';
  const text = String(id);
  if (PLAIN_ID.test(text)) return text;
  return Array.from(Buffer.from(text), (byte) => {
    const char = String.fromCharCode(byte);
    return PLAIN_ID.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

function scopeOf(request) {
  switch (request.strategy) {
    case 'per_playthrough':
      return `pt:${escapeId(request.player_context.playthroughId)}`;
    case 'per_player':
      return `player:${escapeId(request.player_context.playerId)}`;
    default:
      return '-';
  }
}

/**
 * Hashes and key, with `canonicalize` writing the text that is hashed. Without a seed of its own a
 * request varies with its scope.
 */
export function fingerprint(request, canonicalize, sha256 = nodeSha256) {
  const { seed } = request;
  const scope = scopeOf(request);
  const seedless = seed === undefined ? request : { ...request, seed: undefined };
  const family = sha256(canonicalize(seedless));
  const requestHash = sha256(JSON.stringify([family, String(seed ?? scope)]));
  const from = escapeId(request.from_scene?.id);
  const to = escapeId(request.to_scene?.id);
  const tail = (seed === undefined ? family : requestHash).slice(0, 32);
  const cacheKey =
    `generation:${request.type}|${request.purpose}|${from}|${to}` +
    `|${request.strategy}|${scope}|v${request.version}|${tail}`;
  return { requestHash, cacheKey };
}
