/// <reference lib="esnext.disposable" />
// Made from the types of onepath-core; do not edit.

export type ArtStyle = 'anime' | 'realistic' | 'semi-realistic';

export type Band = 'none' | 'light' | 'deep' | 'intense';

/** A band as asked and as it takes effect. */
export interface BandTrail {
  /** What was asked. */
  asked: Band;
  /** What takes effect. */
  effective: Band;
}

export type BoundBy = 'world' | 'user' | 'constraint' | 'provider';

/** The resolved bounds of a request; an absent one bounds nothing. */
export interface Bounds {
  /** What the user allows. */
  user?: Rating | undefined;
  /** What the world allows. */
  world?: Rating | undefined;
}

export type BoundsForm = BoundsOption | 'unbounded';

/** Bounds on top of those that world and user declare. */
export interface BoundsOption {
  /** Where world or user says nothing, nothing bounds. */
  unbounded?: boolean | undefined;
  /** Lowers the user's bound. */
  user?: Rating | undefined;
  /** Lowers the world's bound. */
  world?: Rating | undefined;
}

/** What [`build`](crate::build) is given beside the config. */
export interface BuildRequestOptions {
  /** Bounds on top of those of world and user. */
  bounds?: BoundsForm | undefined;
  /** A cache key for display; look-up and storage use the computed one. */
  cacheKey?: string | undefined;
  /** The scene it leads from. */
  fromScene?: SceneRef | undefined;
  /** Another name for a `fromScene` of which only the id is known. */
  fromSceneId?: Id | undefined;
  /** The time, in milliseconds since 1970. */
  now?: number | undefined;
  /** The npcs in the scene, in order. */
  npcIds?: Id[] | undefined;
  /** What is known about npcs. */
  npcs?: Npc[] | undefined;
  /** The player, instead of what the session says. */
  playerContext?: PlayerContextSnapshot | undefined;
  /** A prompt; wins over that of the config. */
  prompt?: string | undefined;
  /** What that provider declares, if it is none of those known here. */
  provider?: ProviderInfo | undefined;
  /** The provider that is asked. */
  providerId?: Id | undefined;
  /** An explicit seed; wins over that of the config. */
  seed?: Seed | undefined;
  /** The playthrough's state. */
  session?: Session | undefined;
  /** How the social context is made. */
  socialContextConfig?: SocialContextConfig | undefined;
  /** Templates by id. */
  templates?: Record<string, Template> | undefined;
  /** The tenant's terms. */
  terms?: Terms | undefined;
  /** The scene it leads to. */
  toScene?: SceneRef | undefined;
  /** Another name for a `toScene` of which only the id is known. */
  toSceneId?: Id | undefined;
  /** Who the content is for. */
  user?: User | undefined;
  /** Values for placeholders; they win over those of the config. */
  variables?: Record<string, unknown> | undefined;
  /** The world. */
  world?: World | undefined;
}

/** A cache key taken apart. */
export interface CacheKeyParts {
  /** The scene it leads from. */
  from: string | null;
  /** The player who has it for themselves. */
  player_id?: string | undefined;
  /** The playthrough that has it for itself. */
  playthrough_id?: string | undefined;
  purpose: Purpose;
  strategy: Strategy;
  /** 32 hexadecimal digits of what would be generated. */
  tail: string;
  /** The scene it leads to. */
  to: string | null;
  type: GenerationType;
  /** The config's version. */
  version: number;
}

/** What must and must not be in it. */
export interface ConstraintSet {
  /** What must not be seen; a set. */
  avoidElements?: string[] | undefined;
  /** Further rules in words; a list. */
  contentRules?: string[] | undefined;
  /** A film rating; bounds the content rating. */
  rating?: FilmRating | undefined;
  /** What must be seen; a set. */
  requiredElements?: string[] | undefined;
}

/** One field in which two requests differ. */
export interface Difference {
  /**
   * Whether the difference changes hashes or key: identity and variation always do, an id of a
   * scope does where a strategy is tied to it.
   */
  changes_key: boolean;
  /** Its value on the left, as it takes effect; absent if there is none. */
  left?: unknown | undefined;
  /** Pointer of the field in a request. */
  pointer: string;
  /** What the field is for. */
  policy: Policy;
  /** Its value on the right. */
  right?: unknown | undefined;
}

/** How long it is, in seconds. */
export interface DurationRule {
  /** The longest that is allowed. */
  max?: number | undefined;
  /** The shortest that is allowed. */
  min?: number | undefined;
  /** The wanted one. */
  target?: number | undefined;
}

/** What a run is expected to cost. */
export interface Estimate {
  /** The provider's credits. */
  credits?: number | undefined;
  /** Whether a price is known. */
  known: boolean;
  /** Micro-dollars. */
  micros?: number | undefined;
}

/** What happens if generation fails. */
export interface FallbackConfig {
  /** The content that is shown under `default_content`. */
  defaultContentId?: Id | undefined;
  /** Attempts beyond the first under `retry`. */
  maxRetries?: number | undefined;
  /** What is shown. */
  mode?: FallbackMode | undefined;
  /** Milliseconds until an attempt counts as failed under `retry`. */
  timeoutMs?: number | undefined;
}

export type FallbackMode = 'default_content' | 'skip' | 'retry' | 'placeholder';

export type FilmRating = 'G' | 'PG' | 'PG-13' | 'R';

/** What is wrong, where, and what to do about it. */
export interface Finding {
  /** Stable slug; `onepath explain CODE` tells more. */
  code: string;
  help?: string | undefined;
  message: string;
  /** RFC 6901 pointer to the place. */
  pointer: string;
  severity: Severity;
}

/** Hashes, seed and key of one request. */
export interface Fingerprint {
  cache_key?: string | undefined;
  contract: 1;
  family_hash?: string | undefined;
  operation: Operation;
  pending?: string[] | undefined;
  rating: RatingTrail;
  request_hash?: string | undefined;
  seed?: string | undefined;
  ttl_seconds?: number | undefined;
}

/** One asset of a fusion. */
export interface FusionAsset {
  /** Whether it is in front or behind. */
  kind?: FusionKind | undefined;
  /** A name that the prompt may use. */
  name?: string | undefined;
  /** `asset:<id>` or an https URL. */
  ref?: string | undefined;
}

export type FusionKind = 'subject' | 'background';

/**
 * What travels from the editor to the backend and on to a provider.
 *
 * The only request type: a request that comes in over the wire is the same type, read by the
 * same reader.
 */
export interface GenerateContentRequest {
  /** The bounds of world and user; an absent one bounds nothing. */
  bounds?: Bounds | undefined;
  /** A declared cache key, for display; look-up and storage use the computed one. */
  cache_key?: string | undefined;
  /** What must and must not be in it. */
  constraints?: ConstraintSet | undefined;
  /** How long it is. */
  duration?: DurationRule | undefined;
  /** What happens if generation fails. */
  fallback?: FallbackConfig | undefined;
  /** Providers to try when the asked one is down, in order. */
  fallback_providers?: Id[] | undefined;
  /** The scene it leads from. */
  from_scene?: SceneRef | undefined;
  /** Pictures and videos that it starts from, in order. */
  inputs?: InputRef[] | undefined;
  /** What is not to be seen, rendered. */
  negative_prompt?: string | undefined;
  /** The npc that reacts, for `npc_response`. */
  npc_params?: NpcResponseParams | undefined;
  /** Who plays. */
  player_context?: PlayerContextSnapshot | undefined;
  /** What is to be seen, rendered. `""` if a template was read and says nothing. */
  prompt?: string | undefined;
  /** One prompt for each step of a transition, rendered. */
  prompts?: string[] | undefined;
  /** The provider that is asked. */
  provider_id?: Id | undefined;
  /** The provider's block of the style, with the provider's declared defaults, without seed. */
  provider_settings?: Record<string, unknown> | undefined;
  /** What it is for. */
  purpose: Purpose;
  /** The seed, explicit or derived; absent if the provider chooses. */
  seed?: Seed | undefined;
  /** How the player stands to the npcs, as asked. */
  social_context?: GenerationSocialContext | undefined;
  /** Who shares the result. */
  strategy: Strategy;
  /** How it looks; blocks of other providers stay here. */
  style?: StyleRules | undefined;
  /** Which template the prompt came from: provenance, not identity. */
  template?: TemplateRef | undefined;
  /** The scene it leads to. */
  to_scene?: SceneRef | undefined;
  /** What kind of content. */
  type: GenerationType;
  /** Raised to make everything again; 1 if absent. */
  version?: number | undefined;
}

/** How an edge generates. */
export interface GenerationEdgeMeta {
  /** Replaces the config's fallback. */
  fallback?: FallbackConfig | undefined;
  /** Whether the edge generates: its node's config with `rules` merged in. */
  generate?: boolean | undefined;
  /** Parts of a config, merged member by member: objects deep, lists replaced. */
  rules?: GenerationNodeConfig | undefined;
}

/** A node that generates content. */
export interface GenerationNode {
  /** Kept and ignored. */
  cacheKey?: string | undefined;
  /** What a designer edits. */
  config: GenerationNodeConfig;
  /** The scene it leads from: an id of the file, or a whole scene. */
  fromScene?: SceneLink | undefined;
  /** Kept and ignored. */
  health?: Record<string, unknown> | undefined;
  /** Its id. */
  id?: Id | undefined;
  /** What the build is given beside the config and the file's context. */
  options?: BuildRequestOptions | undefined;
  /** The scene it leads to. */
  toScene?: SceneLink | undefined;
  /** An open map for tools. */
  ui?: Record<string, unknown> | undefined;
}

/**
 * What a designer edits: what is generated, how, for whom, and what happens if it fails.
 *
 * No field is required by the reader; what is missing is a rule's finding.
 */
export interface GenerationNodeConfig {
  /** What must and must not be in it. */
  constraints?: ConstraintSet | undefined;
  /** How long it is, in seconds. */
  duration?: DurationRule | undefined;
  /** Whether the game plays the node; true if absent. */
  enabled?: boolean | undefined;
  /** What happens if generation fails. */
  fallback?: FallbackConfig | undefined;
  /** What is put together. */
  fusionAssets?: FusionAsset[] | undefined;
  /** What kind of content. */
  generationType?: GenerationType | undefined;
  /** A picture to start from: `asset:<id>` or an https URL. */
  imageUrl?: string | undefined;
  /** Pictures to start from. */
  imageUrls?: string[] | undefined;
  /** What is not to be seen. */
  negativePrompt?: string | undefined;
  /** The provider's own id of a video to extend. */
  originalVideoId?: Id | undefined;
  /** What is to be seen. */
  prompt?: string | undefined;
  /** One prompt for each step of a transition. */
  prompts?: string[] | undefined;
  /** What it is for. */
  purpose?: Purpose | undefined;
  /** An explicit seed: a whole number, or text of 1 to 128 characters. */
  seed?: Seed | undefined;
  /** What the seed is derived from. */
  seedSource?: SeedSource | undefined;
  /** A social context written by hand; replaces the computed one whole. */
  socialContext?: GenerationSocialContext | undefined;
  /** Who shares the result. */
  strategy?: Strategy | undefined;
  /** How it looks, and the blocks of provider settings. */
  style?: StyleRules | undefined;
  /** The template whose text is the prompt, if there is no prompt. */
  templateId?: Id | undefined;
  /** A pinned version of the template. */
  templateVersionId?: Id | undefined;
  /** Values for the placeholders of prompt and template. */
  variables?: Record<string, unknown> | undefined;
  /** Raised to make everything again; 1 if absent. */
  version?: number | undefined;
  /** A video to start from. */
  videoUrl?: string | undefined;
}

/**
 * How the player stands to the npcs of a scene.
 *
 * Band and rating travel as asked; what takes effect is computed at each door.
 */
export interface GenerationSocialContext {
  /** How explicit; sfw if absent. */
  contentRating?: Rating | undefined;
  /** How intimate; none if absent. */
  intimacyBand?: Band | undefined;
  /** The level of intimacy. */
  intimacyLevelId?: Id | undefined;
  /** The band of a level that the default table does not have, written by the build. */
  levelBand?: Band | undefined;
  /** The npcs, in order. */
  npcIds?: Id[] | undefined;
  /** Whether band and rating were lowered by one at the user's wish. */
  reduced?: boolean | undefined;
  /** The tier of the relationship. */
  relationshipTierId?: Id | undefined;
  /** The numbers behind it, for display. */
  relationshipValues?: RelationshipValues | undefined;
  /** The user's maximum, for display. */
  userMaxRating?: Rating | undefined;
  /** The world's maximum, for display. */
  worldMaxRating?: Rating | undefined;
}

export type GenerationType = 'transition' | 'variation' | 'dialogue' | 'environment' | 'npc_response' | 'text_to_image' | 'text_to_video' | 'image_to_video' | 'image_edit' | 'video_extend' | 'fusion';

/** An id: text that is not empty; a whole number is read as its decimal text. */
export type Id = string | number;

/** A picture or video that the content starts from. */
export interface InputRef {
  /** Whether it is in front or behind. */
  kind?: FusionKind | undefined;
  /** A name that the prompt may use. */
  name?: string | undefined;
  /** `asset:<id>`, an https URL, or a provider's id; exactly as given. */
  ref: Id;
  /** What it is to the operation. */
  role: InputRole;
}

export type InputRole = 'image' | 'video' | 'original_video' | 'fusion' | 'npc_base';

/** The range in which an axis must lie; both ends belong to it. */
export interface LevelCondition {
  /** The largest value. */
  max?: number | undefined;
  /** The smallest value. */
  min?: number | undefined;
}

export type MediaType = 'image' | 'video';

/** Someone in the scene. */
export interface Npc {
  /** What they do; idle if absent. */
  animation?: string | undefined;
  /** How they are drawn. */
  artStyle?: ArtStyle | undefined;
  /** Their portrait: `asset:<id>` or an https URL. */
  baseImage?: string | undefined;
  /** What they feel; neutral if absent. */
  emotion?: string | undefined;
  /** What their face shows; neutral if absent. */
  expression?: string | undefined;
  /** Their id. */
  id: Id;
  /** How strongly, 0 to 1; 0.5 if absent. */
  intensity?: number | undefined;
  /** Model add-ons. */
  loras?: string[] | undefined;
  /** Their name; `NPC <id>` if absent. */
  name?: string | undefined;
}

/** The npc that reacts. */
export interface NpcResponseParams {
  /** What they do. */
  animation?: string | undefined;
  /** How they are drawn. */
  art_style?: ArtStyle | undefined;
  /** Guidance. */
  cfg?: number | undefined;
  /** Seconds. */
  duration?: number | undefined;
  /** What they feel. */
  emotion?: string | undefined;
  /** What their face shows. */
  expression?: string | undefined;
  /** Pictures a second. */
  fps?: number | undefined;
  /** Pixels from top to bottom. */
  height?: number | undefined;
  /** How strongly, 0 to 1. */
  intensity?: number | undefined;
  /** Model add-ons. */
  loras?: string[] | undefined;
  /** What is not to be seen. */
  negative_prompt?: string | undefined;
  /** Their portrait; it counts as an input, not here. */
  npc_base_image?: string | undefined;
  /** Who. */
  npc_id?: Id | undefined;
  /** Their name. */
  npc_name?: string | undefined;
  /** A prompt of their own. */
  prompt?: string | undefined;
  /** Speed against quality. */
  quality_preset?: QualityPreset | undefined;
  /** An explicit seed; moved to the request's own on reading. */
  seed?: Seed | undefined;
  /** Sampling steps. */
  steps?: number | undefined;
  /** Pixels from left to right. */
  width?: number | undefined;
}

/** The prompt fields of the system before, in one object; folded into `template` and `prompt`. */
export interface OldPromptConfig {
  /** Whether the latest version is meant; a version's absence says the same. */
  autoSelectLatest?: boolean | undefined;
  /** The template. */
  familyId?: Id | undefined;
  /** The prompt itself. */
  inlinePrompt?: string | undefined;
  /** The values it is rendered with. */
  variables?: Record<string, unknown> | undefined;
  /** The template's version. */
  versionId?: Id | undefined;
}

export type Operation = 'text_to_image' | 'image_to_image' | 'text_to_video' | 'image_to_video' | 'video_extend' | 'video_transition' | 'fusion';

/** One generation type and the operation it stands for. */
export interface OperationRow {
  /** The type of the config. */
  generation_type: GenerationType;
  /** Whether the type names a meaning in the game rather than the operation itself. */
  is_semantic_alias: boolean;
  /** What is made. */
  media: MediaType;
  /** The operation it asks for. */
  operation: Operation;
}

/** The bounds of a door, as they travel. */
export interface OwnBounds {
  /** Whether the user wishes band and rating lowered by one. */
  reduceIntensity?: boolean | undefined;
  /** What the user allows. */
  user?: Rating | undefined;
  /** What the world allows. */
  world?: Rating | undefined;
}

export type Pacing = 'slow' | 'medium' | 'fast';

export type ParameterType = 'text' | 'integer' | 'number' | 'boolean';

/** What a player is and did, as it travels with a request. */
export interface PlayerContextSnapshot {
  /** What they chose. */
  choices?: Record<string, unknown> | undefined;
  /** What the game remembers. */
  flags?: Record<string, unknown> | undefined;
  /** The player. */
  playerId?: Id | undefined;
  /** The playthrough. */
  playthroughId?: Id | undefined;
  /** Numbers. */
  stats?: Record<string, unknown> | undefined;
}

/** What a field is for. */
export type Policy = 'identity' | 'variation' | 'scope' | 'policy' | 'telemetry';

/** A config walked along the whole path at once. */
export interface Prepared {
  band?: BandTrail | undefined;
  /** The canonical text of the identity, unless something is pending. */
  canonical?: string | undefined;
  fingerprint?: Fingerprint | undefined;
  report: Report;
  request?: GenerateContentRequest | undefined;
}

/** One price: what a run costs when everything that the row names is so. */
export interface PriceRow {
  /** The provider's credits a run. */
  credits?: number | undefined;
  /** Values that settings have at the provider when they are not given. */
  defaults?: Record<string, unknown> | undefined;
  /** Micro-dollars a run. */
  micros?: number | undefined;
  /** The operation; any if absent. */
  operation?: Operation | undefined;
  /** The provider. */
  provider: Id;
  /**
   * Settings that must have these values; a setting that the request does not give counts
   * as the row's `defaults` say.
   */
  settings?: Record<string, unknown> | undefined;
  /** Where the price was read. */
  source?: string | undefined;
}

/** A table of prices; the first row that fits counts. */
export interface PriceTable {
  /** The rows. */
  prices?: PriceRow[] | undefined;
}

/** What a provider declares about itself. */
export interface ProviderInfo {
  /** Settings that stand where the block gives none; part of the identity. */
  defaults?: Record<string, unknown> | undefined;
  /** Its id. */
  id: Id;
  /** The highest rating it makes. */
  maxRating?: Rating | undefined;
  /** What it can be asked to do. */
  operations?: Operation[] | undefined;
  /** The settings of its block. */
  parameters?: ProviderParameter[] | undefined;
  /** The longest prompt, in Unicode scalar values. */
  promptMax?: number | undefined;
  /** Which description this is. */
  revision?: Id | undefined;
  /** Terms that it blocks or flags. */
  terms?: Terms | undefined;
}

/** One setting that a provider declares. */
export interface ProviderParameter {
  /** The value that stands where the block gives none; part of the identity. */
  default?: unknown | undefined;
  /** What it does. */
  description?: string | undefined;
  /** The values it takes, if they are a closed set. */
  enum?: unknown[] | undefined;
  /** The largest value. */
  max?: number | undefined;
  /** The smallest value. */
  min?: number | undefined;
  /** Its name in the provider's block. */
  name: Id;
  /**
   * The operations it belongs to; all if absent. A name may be declared once for each
   * operation, with another default or other values.
   */
  operations?: Operation[] | undefined;
  /** The kind of its value. */
  type?: ParameterType | undefined;
}

export type Purpose = 'gap_fill' | 'variation' | 'adaptive' | 'ambient';

export type QualityPreset = 'realtime' | 'fast' | 'balanced' | 'quality';

export type Rating = 'sfw' | 'romantic' | 'mature_implied' | 'restricted';

/** A rating as asked and as it takes effect. */
export interface RatingTrail {
  /** What was asked. */
  asked: Rating;
  /** Who lowered it: the first of world, user, constraint and provider at the minimum. */
  bound_by?: BoundBy | undefined;
  /** What takes effect. */
  effective: Rating;
}

/** A request under the bounds of a door. */
export interface Rebound {
  /** Whether rating, band or level that take effect are lower than before. */
  lowered: boolean;
  /** The request, with the lower of both bounds. */
  request: GenerateContentRequest;
}

/** The numbers behind a relationship. */
export interface RelationshipValues {
  /** Liking. */
  affinity?: number | undefined;
  /** Attraction. */
  chemistry?: number | undefined;
  /** Tension. */
  tension?: number | undefined;
  /** Trust. */
  trust?: number | undefined;
}

/** All findings of one document, in order, with their status. */
export interface Report {
  errors: string[];
  findings: Finding[];
  status: 'ok' | 'warning' | 'error';
  suggestions: string[];
  summary: string;
  warnings: string[];
}

/** From one place of the graph to another. */
export interface SceneEdge {
  /** A scene or a node. */
  from: Id;
  /** Its id. */
  id?: Id | undefined;
  /** Whether and how it generates. */
  meta?: GenerationEdgeMeta | undefined;
  /** A scene or a node. */
  to: Id;
  /** An open map for tools. */
  ui?: Record<string, unknown> | undefined;
}

/** A game's scenes, the nodes that generate content for them, and the edges between. */
export interface SceneFile {
  /** The edges. */
  edges?: SceneEdge[] | undefined;
  /** The nodes. */
  nodes?: GenerationNode[] | undefined;
  /** What is known about npcs. */
  npcs?: Npc[] | undefined;
  /** The scenes. */
  scenes?: SceneRef[] | undefined;
  /** A playthrough to try things with. */
  session?: Session | undefined;
  /** An open map for tools. */
  ui?: Record<string, unknown> | undefined;
  /** A user to try things with. */
  user?: User | undefined;
  /** The world. */
  world?: World | undefined;
}

/** A scene, by its id in this file or whole. */
export type SceneLink = Id | SceneRef;

/** A scene that content leads from or to. */
export interface SceneRef {
  /** How the characters feel. */
  emotionalState?: string | undefined;
  /** Its id. */
  id: Id;
  /** Where it plays. */
  location?: string | undefined;
  /** Its mood. */
  mood?: string | undefined;
  /** What happens in it. */
  summary?: string | undefined;
  /** An open map for tools, such as a position in an editor; never part of a request. */
  ui?: Record<string, unknown> | undefined;
}

/** A whole number, or text of 1 to 128 characters; an empty text counts as absent. */
export type Seed = string | number;

export type SeedSource = 'playthrough' | 'player' | 'timestamp' | 'fixed';

/** A playthrough's state, as the game keeps it. */
export interface Session {
  /** What the game remembers. */
  flags?: Record<string, unknown> | undefined;
  /** The playthrough's id. */
  id?: Id | undefined;
  /** Numbers by definition and entity; `relationships` holds `npc:<id>` entries. */
  stats?: Record<string, unknown> | undefined;
  /** The player's id. */
  user_id?: Id | undefined;
}

/** How much a finding weighs. */
export type Severity = 'suggestion' | 'warning' | 'error';

/** How the social context is made. */
export interface SocialContextConfig {
  /** Lowers the user's bound. */
  maxContentRating?: Rating | undefined;
  /** Whether band and rating go down by one. */
  reduceIntensity?: boolean | undefined;
}

/** One stat definition. */
export interface StatDefinition {
  /** Its levels. */
  levels?: WorldLevel[] | undefined;
  /** Its tiers. */
  tiers?: WorldTier[] | undefined;
}

/** The definitions that are read. */
export interface StatDefinitions {
  /** How relationships are measured. */
  relationships?: StatDefinition | undefined;
}

/** Stat definitions of a world. */
export interface StatsConfig {
  /** Definitions by id; `relationships` is the one that is read. */
  definitions?: StatDefinitions | undefined;
}

export type Strategy = 'once' | 'per_playthrough' | 'per_player' | 'always';

/**
 * How it looks, and the blocks of provider settings.
 *
 * Any other member is a provider block if its name matches `^[a-z][a-z0-9_-]{0,49}$` and its
 * value is an object.
 */
export interface StyleRules {
  /** The mood it starts from. */
  moodFrom?: string | undefined;
  /** The mood it leads to. */
  moodTo?: string | undefined;
  /** Its pace. */
  pacing?: Pacing | undefined;
  /** How it changes. */
  transitionType?: TransitionType | undefined;
  /** Settings of a provider, by its id. */
  [provider: string]: Record<string, unknown> | string | undefined;
}

/** One version of a template. */
export interface Template {
  /** What is not to be seen, with placeholders. */
  negativeText?: string | undefined;
  /** Its text, with placeholders. */
  text?: string | undefined;
  /** What its variables may be; one that is not named may be any text, number, true or false. */
  types?: Record<string, VariableType> | undefined;
  /** Default values of its variables. */
  variables?: Record<string, unknown> | undefined;
  /** The version's id. */
  versionId: Id;
}

/** Where a prompt came from. */
export interface TemplateRef {
  /** The template. */
  id?: Id | undefined;
  /** The values it was rendered with. */
  variables?: Record<string, unknown> | undefined;
  /** Its version. */
  version_id?: Id | undefined;
}

/** Terms to refuse or to look at. */
export interface Terms {
  /** Refused. */
  blocked?: string[] | undefined;
  /** Reported. */
  flagged?: string[] | undefined;
}

export type TransitionType = 'gradual' | 'abrupt';

/** Who the content is for. */
export interface User {
  /** Their id. */
  id?: Id | undefined;
  /** The highest rating they want; romantic if absent. */
  maxContentRating?: Rating | undefined;
  /** Whether band and rating go down by one. */
  reduceRomanticIntensity?: boolean | undefined;
}

export type VariableType = 'text' | 'number' | 'boolean';

/** A world, as the game keeps it. */
export interface World {
  /** Its id. */
  id?: Id | undefined;
  /** What it declares. */
  meta?: WorldMeta | undefined;
  /** Its name. */
  name?: string | undefined;
}

/** What a world declares about generation. */
export interface WorldGeneration {
  /** The world's own levels; replace the default table whole. */
  levels?: WorldLevel[] | undefined;
  /** The highest rating in this world; romantic if absent. */
  maxContentRating?: Rating | undefined;
  /** Terms that this world blocks or flags. */
  terms?: Terms | undefined;
  /** The world's own tiers; replace the default table whole. */
  tiers?: WorldTier[] | undefined;
}

/** A level of intimacy that a world declares. */
export interface WorldLevel {
  /** Its band; that of the default table if absent, else none. */
  band?: Band | undefined;
  /** What must hold, by axis; all of it. */
  conditions?: Record<string, LevelCondition> | undefined;
  /** Its id. */
  id: Id;
  /** The highest priority that matches wins; 0 if absent. */
  priority?: number | undefined;
  /** Its rating; that of the default table if absent, else sfw. */
  rating?: Rating | undefined;
}

/** What a world declares. */
export interface WorldMeta {
  /** What it declares about generation. */
  generation?: WorldGeneration | undefined;
  /** Stat definitions in the form of the game; read where `generation` declares no table. */
  stats_config?: StatsConfig | undefined;
}

/** A tier of a relationship that a world declares: half-open, `min` belongs to it. */
export interface WorldTier {
  /** Its axis; affinity if absent. */
  axis?: string | undefined;
  /** Its id. */
  id: Id;
  /** Where it ends, not part of it. */
  max?: number | undefined;
  /** Where it starts. */
  min?: number | undefined;
}

/** Whether a document may be used as it is. */
export type Status = Report['status'];

/** What the validator is given beside the config; `userPrefs` is another name of `user`. */
export type ValidationContext = BuildRequestOptions & { userPrefs?: User | undefined };

/** Build options that name a provider: a cache key without one does not exist. */
export type CacheKeyOptions = BuildRequestOptions &
  ({ providerId: Id } | { provider: ProviderInfo });

/** What a generation gave, in the form of the system before. */
export interface GenerateContentResponse {
  status: 'complete' | 'queued' | 'processing' | 'failed';
  content?: {
    type: GenerationType;
    url?: string | undefined;
    duration?: number | undefined;
    dialogue?: string[] | undefined;
    choices?: { id: string; text: string }[] | undefined;
    metadata?: Record<string, unknown> | undefined;
  } | undefined;
  cache_key?: string | undefined;
  cost?: { tokens?: number | undefined; time_ms?: number | undefined } | undefined;
  deterministic?: boolean | undefined;
  job_id?: string | undefined;
  error?: { code: string; message: string } | undefined;
}

/** A request was not made; `findings` says why. */
export class OnepathRefusal extends Error {
  constructor(findings: Finding[]);
  readonly name: 'OnepathRefusal';
  /** What stands in the way, at least one finding. */
  readonly findings: Finding[];
}

/**
 * A document (a scene file, a node with context or a bare config) that is edited: opened once, then
 * changed by pointers. What is asked of it is worked out when it is asked, and kept until the next
 * change. Its text changes at the edited places only.
 */
export class Document {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * The findings of the document. The same list as long as they are the same.
     */
    findings(): Finding[];
    /**
     * Hashes, seed and cache key of a node.
     *
     * @throws OnepathRefusal with the findings that stand in the way.
     */
    fingerprint(node?: string): Fingerprint;
    /**
     * Opens a document: its JSON text, or a value. `base` is the context known beside it: session,
     * world, user, provider.
     */
    constructor(document: unknown, base?: BuildRequestOptions);
    /**
     * The names of its nodes, and of its edges that generate.
     */
    nodes(): string[];
    /**
     * Walks a node along the whole path at once, with pointers into the document: every finding
     * of it, and request, fingerprint and canonical text unless something stands in the way.
     */
    prepare(node?: string): Prepared;
    /**
     * Makes the change again that was taken back last; false if there is none.
     */
    redo(): boolean;
    /**
     * Takes a member or an item away; false if there is none.
     */
    remove(pointer: string): boolean;
    /**
     * What `check` says about the document. The same object as long as the findings are the same.
     */
    report(): Report;
    /**
     * The request of a node; `node` is its name, and need not be given if there is one only.
     *
     * @throws OnepathRefusal with the findings that stand in the way.
     */
    request(node?: string): GenerateContentRequest;
    /**
     * Puts a value at a pointer (RFC 6901). Objects that are missing on the way are made; at the end
     * of a list, or at `-`, an item is added.
     */
    set(pointer: string, value: unknown): void;
    /**
     * The document as a value.
     */
    toJSON(): unknown;
    /**
     * The text of the document.
     */
    toString(): string;
    /**
     * Takes the last change back; false if there is none.
     */
    undo(): boolean;
}

/**
 * Builds the request of a config: the only way from a config and its context to a request.
 *
 * @throws OnepathRefusal with the findings that stand in the way.
 */
export function buildGenerateContentRequest(config: GenerationNodeConfig, options?: BuildRequestOptions): GenerateContentRequest;

/**
 * Computes how a player stands to the npcs of a scene.
 *
 * @throws OnepathRefusal if an entry of the session is of another type than it should be.
 */
export function buildSocialContext(session: Session | null | undefined, world?: World | null, npcIds?: readonly Id[] | null, config?: SocialContextConfig | null): GenerationSocialContext;

/**
 * The canonical text (RFC 8785) of the identity of the request that a config and its context
 * make: what `family_hash` is the hash of. Undefined while something is pending.
 *
 * @throws OnepathRefusal with the findings that stand in the way.
 */
export function canonicalIdentity(config: GenerationNodeConfig, options?: BuildRequestOptions): string | undefined;

/**
 * The canonical text (RFC 8785) of any JSON value.
 *
 * @throws OnepathRefusal if the value has a lone surrogate, or is nested too deeply.
 */
export function canonicalize(value: unknown): string;

/**
 * Checks a document (a scene file, a node with context or a bare config; its JSON text or a value)
 * as `onepath check` does. `base` is the context known beside the document.
 */
export function check(document: unknown, base?: BuildRequestOptions): Report;

/**
 * Where the result is stored and looked for. Undefined for the strategy `always`, and while a
 * template or provider is not known here.
 *
 * @throws OnepathRefusal with the findings that stand in the way.
 */
export function computeCacheKey(config: GenerationNodeConfig, options: CacheKeyOptions): string | undefined;

/**
 * The version of the contract by which hashes and keys are made.
 */
export function contractVersion(): number;

/**
 * What a run of a request is expected to cost. Rows of `prices` count before those known here.
 */
export function estimatePrice(request: GenerateContentRequest, prices?: PriceTable): Estimate;

/**
 * The fields in which two requests differ, those that matter to the key first. `providers` are
 * what the asked providers of the two declare, if they are none of those known here.
 *
 * @throws OnepathRefusal if one of them is no request.
 */
export function explain(left: GenerateContentRequest, right: GenerateContentRequest, providers?: readonly ProviderInfo[]): Difference[];

/**
 * Hashes, seed and cache key of the request that a config and its context make.
 *
 * @throws OnepathRefusal with the findings that stand in the way.
 */
export function fingerprint(config: GenerationNodeConfig, options?: BuildRequestOptions): Fingerprint;

/**
 * Hashes, seed and cache key of a request. `provider` is what the asked provider declares, if it is
 * none of those known here.
 *
 * @throws OnepathRefusal if this is no request, or its strategy needs an id that it lacks.
 */
export function fingerprintRequest(request: GenerateContentRequest, provider?: ProviderInfo): Fingerprint;

/**
 * Every generation type with the operation that it stands for.
 */
export function generationOperations(): OperationRow[];

/**
 * The worst of error and warning, else ok.
 */
export function getValidationStatus(config: unknown, context?: ValidationContext): Status;

/**
 * Such as `2 errors, 1 warning`, or `All checks passed`.
 */
export function getValidationSummary(config: unknown, context?: ValidationContext): string;

/**
 * Whether nothing about a config is an error.
 */
export function isGenerationNodeValid(config: unknown, context?: ValidationContext): boolean;

/**
 * Takes a cache key apart; undefined if the text is none.
 */
export function parseCacheKey(key: string): CacheKeyParts | undefined;

/**
 * Reads a scene file (its JSON text or a value), each field in its one spelling.
 *
 * @throws OnepathRefusal with every fault of reading.
 */
export function parseSceneFile(file: unknown): SceneFile;

/**
 * Walks the whole path at once: every finding, and request, fingerprint and canonical text unless
 * something stands in the way. What an editor shows beside a node.
 */
export function prepare(config: unknown, options?: BuildRequestOptions): Prepared;

/**
 * The providers that are known without being told.
 */
export function providers(): ProviderInfo[];

/**
 * A request under the bounds of another door, such as those of a server's preflight: it only ever
 * lowers.
 */
export function rebound(request: GenerateContentRequest, bounds: OwnBounds, provider?: ProviderInfo): Rebound;

/**
 * Puts values in the places of a text: `{{ name }}`.
 *
 * @throws OnepathRefusal that names every variable that is missing or no text, number or boolean.
 */
export function renderPrompt(template: string, variables?: Record<string, unknown>): string;

/**
 * Checks a config with as much of its context as is given. Pointers of findings about the context
 * start with `/options`.
 */
export function validateGenerationNode(config: unknown, context?: ValidationContext): Report;
