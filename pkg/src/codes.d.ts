// Made from the codes of onepath-core; do not edit.

/** The stable slug of a finding. */
export type Code =
  | 'json/syntax'
  | 'json/duplicate-key'
  | 'json/duplicate-field'
  | 'json/unknown-field'
  | 'json/wrong-type'
  | 'json/unknown-word'
  | 'json/number-range'
  | 'json/lone-surrogate'
  | 'json/empty-id'
  | 'json/too-large'
  | 'node/disabled'
  | 'node/type-required'
  | 'node/purpose-required'
  | 'node/strategy-required'
  | 'node/version-range'
  | 'node/unusual-purpose'
  | 'node/blank-template'
  | 'seed/unknown-source'
  | 'seed/timestamp-defeats-cache'
  | 'seed/prefer-playthrough'
  | 'seed/prefer-player'
  | 'seed/source-missing'
  | 'seed/fixed-missing'
  | 'seed/now-missing'
  | 'seed/malformed'
  | 'rating/exceeds-world'
  | 'rating/exceeds-user'
  | 'rating/restricted'
  | 'rating/unknown-maximum'
  | 'social/intense-band'
  | 'social/npc-ids-missing'
  | 'social/context-missing'
  | 'social/unknown-level'
  | 'style/moods-missing'
  | 'style/unknown-pacing'
  | 'style/unknown-transition'
  | 'style/abrupt-and-slow'
  | 'style/missing'
  | 'rating/exceeds-constraint'
  | 'constraints/required-and-avoided'
  | 'constraints/empty-required'
  | 'constraints/empty-avoided'
  | 'constraints/empty-rules'
  | 'constraints/many-required'
  | 'constraints/many-avoided'
  | 'duration/min-exceeds-max'
  | 'duration/target-below-min'
  | 'duration/target-above-max'
  | 'duration/negative-min'
  | 'duration/negative-max'
  | 'duration/negative-target'
  | 'duration/short-transition'
  | 'duration/very-long'
  | 'duration/target-missing'
  | 'duration/tight-range'
  | 'duration/missing'
  | 'fallback/default-content-missing'
  | 'fallback/retries-out-of-range'
  | 'fallback/timeout-short'
  | 'fallback/timeout-long'
  | 'fallback/placeholder-transition'
  | 'fallback/skip-gap-fill'
  | 'fallback/missing'
  | 'strategy/always-regenerates'
  | 'strategy/prefer-per-playthrough'
  | 'inputs/prompt-missing'
  | 'inputs/image-missing'
  | 'inputs/images-too-few'
  | 'inputs/prompt-count'
  | 'inputs/video-missing'
  | 'inputs/fusion-missing'
  | 'inputs/expiring-url'
  | 'scope/playthrough-missing'
  | 'scope/player-missing'
  | 'prompt/unknown-variable'
  | 'prompt/bad-placeholder'
  | 'prompt/variable-type'
  | 'prompt/unused-variable'
  | 'prompt/flagged'
  | 'prompt/too-long'
  | 'prompt/blocked'
  | 'provider/unsupported-operation'
  | 'provider/unknown-setting'
  | 'provider/unknown'
  | 'node/duplicate-id'
  | 'scene/unknown';

/** One code and what it means. */
export interface CodeRow {
  code: Code;
  severity: 'error' | 'warning' | 'suggestion';
  /** Whether no request is made while it stands. */
  refuses: boolean;
  explanation: string;
}

/** Every code, in the order of findings. */
export const codes: readonly CodeRow[];

/** What a code means; undefined if there is none of that name. */
export function explainCode(code: Code): CodeRow;
export function explainCode(code: string): CodeRow | undefined;
