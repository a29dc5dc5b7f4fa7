// Compiled with `tsc --strict`, never run: what the declarations let through and what they stop.

import {
  OnepathRefusal, buildGenerateContentRequest, buildSocialContext, canonicalize, computeCacheKey,
  contractVersion, estimatePrice, explain, fingerprint, generationOperations, getValidationStatus,
  getValidationSummary, isGenerationNodeValid, parseCacheKey, parseSceneFile, prepare, providers,
  rebound, renderPrompt, validateGenerationNode,
} from 'onepath';
import type {
  BuildRequestOptions, ConstraintSet, DurationRule, FallbackConfig, Finding, Fingerprint,
  GenerateContentRequest, GenerateContentResponse, GenerationNodeConfig, GenerationSocialContext,
  PlayerContextSnapshot, Rating, Report, SceneFile, SceneRef, StyleRules,
} from 'onepath';
import { ApiError, createClient, template } from 'onepath/client';
import type { PromptVersion } from 'onepath/client';
import { codes, explainCode } from 'onepath/codes';
import { init, initSync } from 'onepath/slim';
import { WebhookError, verifyWebhook } from 'onepath/webhooks';
import type { VerifiedWebhook } from 'onepath/webhooks';

const duration: DurationRule = { min: 3, max: 9 };
const constraints: ConstraintSet = { rating: 'PG-13', avoidElements: ['text'] };
const fallback: FallbackConfig = { mode: 'retry', maxRetries: 2 };
const style: StyleRules = { pacing: 'slow', replicate: { steps: 20 } };
const scene: SceneRef = { id: 'quay', mood: 'calm' };
const player: PlayerContextSnapshot = { playthroughId: 1, flags: { met: true } };
const config: GenerationNodeConfig = {
  generationType: 'transition', purpose: 'gap_fill', strategy: 'per_playthrough', style, duration,
  constraints, fallback, variables: { a: 1 },
};
const options: BuildRequestOptions & { providerId: string } = {
  providerId: 'local', fromScene: scene, playerContext: player, bounds: 'unbounded',
};

const request: GenerateContentRequest = buildGenerateContentRequest(config, options);
const print: Fingerprint = fingerprint(config, options);
const key: string | undefined = computeCacheKey(config, options);
const social: GenerationSocialContext = buildSocialContext(undefined, undefined, [7, 'mira']);
const report: Report = validateGenerationNode(config, { world: { id: 1 }, user: { id: 7 } });
const older: Report = validateGenerationNode(config, { userPrefs: { maxContentRating: 'sfw' } });
const finding: Finding | undefined = report.findings[0];
const status: 'ok' | 'warning' | 'error' = getValidationStatus(config);
const words: [string, boolean, string] = [getValidationSummary(config), isGenerationNodeValid(config), canonicalize(1)];
const lowered: boolean = rebound(request, { world: 'sfw', reduceIntensity: true }).lowered;
const file: SceneFile = parseSceneFile('{}');
const effective: Rating = print.rating.effective;
const known: boolean = estimatePrice(request).known;
const pointers: string[] = explain(request, request).map(({ pointer }) => pointer);
const scope: string | undefined = parseCacheKey('')?.playthrough_id;
const whole: GenerateContentRequest | undefined = prepare(config, options).request;
const text: string = renderPrompt('{{ a }}', { a: 1 });
const version: number = contractVersion() + providers().length + generationOperations().length;
const response: GenerateContentResponse = { status: 'complete' };
const meaning: string = explainCode('json/syntax').explanation + codes[0]!.code;

// @ts-expect-error no such word
const word: GenerationNodeConfig = { generationType: 'dialog' };
// @ts-expect-error no such field
const field: GenerationNodeConfig = { promt: 'x' };
// @ts-expect-error a key without a provider does not exist
computeCacheKey(config, {});
// @ts-expect-error a config is needed
fingerprint();
// @ts-expect-error ratings are words
const rating: Rating = 'explicit';
// @ts-expect-error a request or a config, not both
createClient({ baseUrl: 'http://x' }).createGeneration({ request, config });

export async function use(): Promise<unknown> {
  initSync(new Uint8Array());
  await init(new URL('https://x.example/onepath.wasm'));
  const client = createClient({ baseUrl: 'https://x.example', token: async () => 't' });
  try {
    for await (const { status } of client.watchGeneration('g')) if (status === 'completed') break;
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) return error.errors[0]?.pointer;
    if (error instanceof OnepathRefusal) return error.findings[0]?.code;
  }
  return [
    print, key, social, older, finding, status, words, lowered, file, effective, known, pointers, scope,
    whole, text, version, response, meaning, word, field, rating,
  ];
}

export async function prompts(version: PromptVersion): Promise<string> {
  const client = createClient({ baseUrl: 'https://x.example' });
  const built = buildGenerateContentRequest(config, { ...options, templates: { quay: template(version) }, terms: await client.prompts.terms() });
  // @ts-expect-error a version has a text
  await client.prompts.addVersion('quay', { notes: 'none' });
  const { chosen_by, prompt } = await client.prompts.render('quay', { variables: { a: 1 } });
  return chosen_by === 'split' ? prompt : (built.prompt ?? '');
}

async function receive(request: Request, node: { headers: Record<string, string | string[] | undefined> }): Promise<string> {
  const believed: VerifiedWebhook = await verifyWebhook(await request.arrayBuffer(), request.headers, ['whsec_a', 'whsec_b']);
  const again = await verifyWebhook('{}', node.headers, 'whsec_a', { toleranceSeconds: 60 });
  const failed: WebhookError['code'] = 'no_match';
  // @ts-expect-error: a secret is wanted
  await verifyWebhook('{}', node.headers);
  return `${believed.id} ${again.event.data.generation_id} ${believed.event.data.status === 'completed'} ${failed}`;
}
void receive;
