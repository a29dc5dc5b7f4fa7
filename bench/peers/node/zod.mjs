// The zod half of the peers: the same types as schema/config.json and schema/options.json.
// Unknown keys are refused, except in what belongs to the game (session, world, user).

import { z } from 'zod';

const text = z.string();
const texts = z.array(text);
const id = z.union([text.min(1), z.int()]);
const openMap = z.record(text, z.unknown());
const rating = z.enum(['sfw', 'romantic', 'mature_implied', 'restricted']);
const strategy = z.enum(['once', 'per_playthrough', 'per_player', 'always']);

const style = z
  .object({
    moodFrom: text.optional(),
    moodTo: text.optional(),
    pacing: z.enum(['slow', 'medium', 'fast']).optional(),
    transitionType: z.enum(['gradual', 'abrupt']).optional(),
  })
  .catchall(openMap); // a provider's own settings

const duration = z.strictObject({
  min: z.number().optional(),
  max: z.number().optional(),
  target: z.number().optional(),
});

const constraints = z.strictObject({
  rating: z.enum(['G', 'PG', 'PG-13', 'R']).optional(),
  requiredElements: texts.optional(),
  avoidElements: texts.optional(),
  contentRules: texts.optional(),
});

const fallback = z.strictObject({
  mode: z.enum(['default_content', 'skip', 'retry', 'placeholder']).optional(),
  defaultContentId: id.optional(),
  maxRetries: z.int().optional(),
  timeoutMs: z.int().optional(),
});

const socialContext = z.strictObject({
  intimacyLevelId: text.optional(),
  relationshipTierId: text.optional(),
  intimacyBand: z.enum(['none', 'light', 'deep', 'intense']).optional(),
  contentRating: rating.optional(),
  worldMaxRating: rating.optional(),
  userMaxRating: rating.optional(),
  npcIds: z.array(id).optional(),
  relationshipValues: z.record(text, z.number()).optional(),
});

const fusionAsset = z.strictObject({
  ref: text,
  name: text.optional(),
  kind: z.enum(['subject', 'background']).optional(),
});

export const configSchema = z.strictObject({
  generationType: z
    .enum([
      'transition',
      'variation',
      'dialogue',
      'environment',
      'npc_response',
      'text_to_image',
      'text_to_video',
      'image_to_video',
      'image_edit',
      'video_extend',
      'fusion',
    ])
    .optional(),
  purpose: z.enum(['gap_fill', 'variation', 'adaptive', 'ambient']).optional(),
  style: style.optional(),
  duration: duration.optional(),
  constraints: constraints.optional(),
  strategy: strategy.optional(),
  seedSource: z.enum(['playthrough', 'player', 'timestamp', 'fixed']).optional(),
  fallback: fallback.optional(),
  socialContext: socialContext.optional(),
  enabled: z.boolean().optional(),
  version: z.int().min(1).optional(),
  prompt: text.optional(),
  negativePrompt: text.optional(),
  prompts: texts.optional(),
  imageUrl: text.optional(),
  imageUrls: texts.optional(),
  videoUrl: text.optional(),
  originalVideoId: id.optional(),
  fusionAssets: z.array(fusionAsset).optional(),
  templateId: z.union([text, z.int()]).optional(),
  templateVersionId: z.union([text, z.int()]).optional(),
  variables: openMap.optional(),
  seed: z.union([text, z.int()]).optional(),
});

const relationship = z.object({
  affinity: z.number().optional(),
  trust: z.number().optional(),
  chemistry: z.number().optional(),
  tension: z.number().optional(),
  intimacyLevelId: text.optional(),
  levelId: text.optional(),
  relationshipTierId: text.optional(),
  tierId: text.optional(),
  affinityTierId: text.optional(),
});

const session = z.object({
  id,
  user_id: id,
  scene_id: id.optional(),
  current_node_id: id.optional(),
  flags: openMap.optional(),
  stats: z.object({ relationships: z.record(text, relationship).optional() }).optional(),
  world_time: z.number().optional(),
  version: z.int().optional(),
});

const world = z.object({
  id: id.optional(),
  name: text.optional(),
  meta: z
    .object({
      generation: z
        .object({ maxContentRating: rating.optional(), defaultStrategy: strategy.optional() })
        .optional(),
    })
    .optional(),
  world_time: z.number().optional(),
});

const user = z.object({
  id,
  maxContentRating: rating.optional(),
  reduceRomanticIntensity: z.boolean().optional(),
});

const npc = z.strictObject({
  id,
  name: text,
  baseImage: text.optional(),
  expression: text.optional(),
  emotion: text.optional(),
  animation: text.optional(),
  intensity: z.number().optional(),
  artStyle: z.enum(['anime', 'realistic', 'semi-realistic']).optional(),
  loras: texts.optional(),
});

const scene = z.strictObject({
  id,
  mood: text.optional(),
  summary: text.optional(),
  location: text.optional(),
  emotionalState: text.optional(),
});

const playerContext = z.strictObject({
  playthroughId: id.optional(),
  playerId: id.optional(),
  choices: openMap.optional(),
  flags: openMap.optional(),
  stats: openMap.optional(),
});

export const optionsSchema = z.strictObject({
  session,
  world: world.optional(),
  user: user.optional(),
  npcIds: z.array(id).optional(),
  npcs: z.array(npc).optional(),
  playerContext: playerContext.optional(),
  providerId: id.optional(),
  fromScene: scene.optional(),
  toScene: scene.optional(),
  prompt: text.optional(),
  seed: z.union([text, z.int()]).optional(),
});
