// The client and the package's requests against the real server, on a port and a folder of its own.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { buildGenerateContentRequest, fingerprint, fingerprintRequest } from 'onepath';
import { ApiError, createClient } from 'onepath/client';

const root = process.env.ONEPATH_ROOT;
const folder = mkdtempSync(join(tmpdir(), 'onepath-client-'));
let server;
let client;

before(async () => {
  server = spawn(`${root}/target/debug/onepath`, ['serve', '--dev', '--listen', '127.0.0.1:0', '--data', folder], {
    env: { ...process.env, ONEPATH_DEV_KEY: 'test-key' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const address = await new Promise((resolve, reject) => {
    let said = '';
    server.stdout.on('data', (chunk) => {
      said += chunk;
      const found = /onepath serves (\S+)\nkey /.exec(said);
      if (found) resolve(found[1]);
    });
    server.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
  });
  client = createClient({ baseUrl: `${address}/api/v1`, token: 'test-key' });
});

after(async () => {
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGTERM');
  assert.equal(await ended, 0);
  rmSync(folder, { recursive: true });
});

const node = (prompt, local = {}) => ({
  generationType: 'text_to_image',
  purpose: 'ambient',
  strategy: 'once',
  seedSource: 'playthrough',
  prompt,
  style: { local: { width: 64, height: 48, ...local } },
  fallback: { mode: 'retry' },
});
const options = { providerId: 'local', session: { id: 'p1' }, bounds: 'unbounded' };

/** What the editor sends: the request that the package built, with its hash, never the config. */
function built(config) {
  const request = buildGenerateContentRequest(config, options);
  return { request, request_hash: fingerprintRequest(request).request_hash };
}

test('a request built here is made there, under the same key', async () => {
  const config = node('a lighthouse');
  const here = fingerprint(config, options);
  const before = await client.preflight(built(config));
  assert.equal(before.answer, 'created');
  assert.equal(before.cache_key, here.cache_key);
  assert.deepEqual(before.bounds, { world: 'romantic', user: 'romantic' });
  const created = await client.createGeneration(built(config));
  assert.equal(created.request_hash, here.request_hash);
  const seen = [];
  for await (const generation of client.watchGeneration(created.id, { events: true })) seen.push(generation);
  const last = seen.at(-1);
  assert.equal(last.status, 'completed');
  assert.equal(last.cache_key, here.cache_key);
  assert.deepEqual([last.assets[0].width, last.assets[0].height], [64, 48]);
  assert.equal((await client.preflight(built(config))).answer, 'cache');
  assert.equal((await client.createGeneration(built(config))).id, created.id);
  const { generations } = await client.listGenerations({ status: 'completed' });
  assert.deepEqual(generations.map((generation) => generation.id), [created.id]);
});

test('assets are uploaded, listed, started from, fetched and deleted', async () => {
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
    'base64',
  );
  const asset = await client.uploadAsset(new Blob([png], { type: 'image/png' }));
  assert.deepEqual([asset.width, asset.height, asset.media_type, asset.public], [1, 1, 'image/png', false]);
  assert.equal((await client.uploadAsset(new Blob([png], { type: 'image/png' }))).id, asset.id);
  const changed = await client.patchAsset(asset.id, { name: 'a dot', tags: ['npc:mira'] });
  assert.deepEqual([changed.name, changed.tags], ['a dot', ['npc:mira']]);
  const { assets } = await client.listAssets({ tag: 'npc:mira', source: 'upload' });
  assert.deepEqual(assets.map(({ id }) => id), [asset.id]);
  const config = { ...node('waves'), generationType: 'image_to_video', imageUrl: `asset:${asset.id}` };
  const created = await client.createGeneration(built(config));
  assert.equal(created.predictionId, null);
  assert.equal(created.settings.width, 64);
  let last;
  for await (last of client.watchGeneration(created.id, { events: true }));
  assert.equal(last.status, 'completed');
  assert.equal(last.variants.length, 1);
  const [variant] = last.variants;
  assert.deepEqual([variant.media_type, variant.width, variant.height], ['image/gif', 64, 48]);
  const small = await client.getAssetThumbnail(variant.asset_id);
  assert.ok(['image/png', 'image/jpeg'].includes(small.type), small.type);
  assert.deepEqual(Buffer.from(await (await client.getAssetFile(asset.id)).arrayBuffer()), png);
  await client.deleteAsset(asset.id);
  await assert.rejects(client.getAsset(asset.id), (error) => error instanceof ApiError && error.status === 404);
});

test('a byte changed on the way is told with its field', async () => {
  const envelope = built(node('a lighthouse'));
  envelope.request = { ...envelope.request, prompt: 'a lighthouse!' };
  await assert.rejects(client.createGeneration(envelope), (error) => {
    assert.ok(error instanceof ApiError);
    assert.equal(error.code, 'CANONICAL_MISMATCH');
    assert.deepEqual(error.problem.errors.map(({ pointer }) => pointer), ['/request_hash']);
    return true;
  });
});

test('what fails is tried again, and what hangs is cancelled', async () => {
  const failed = await client.createGeneration(built(node('it fails', { fail: 'param_invalid' })));
  let last;
  for await (last of client.watchGeneration(failed.id, { events: true }));
  assert.deepEqual([last.status, last.error_code, last.run], ['failed', 'param_invalid', 1]);
  assert.equal((await client.retryGeneration(failed.id)).run, 2);
  const hangs = await client.createGeneration(built(node('it hangs', { fail: 'hang' })));
  await client.cancelGeneration(hangs.id);
  for await (last of client.watchGeneration(hangs.id, { events: true }));
  assert.equal(last.status, 'cancelled');
});

test('events are told in order, and from a place on', async () => {
  const kinds = [];
  for await (const event of client.streamEvents({ after: 0 })) {
    kinds.push(event.type);
    if (event.type === 'generation.completed') break;
  }
  assert.deepEqual(kinds.slice(0, 2), ['generation.created', 'generation.started']);
});

test('prompts of the server are options of a build: the same text, hash and key on both sides', async () => {
  const first = { text: 'the quay at {{hour}}, {{n}} gulls', negative_text: 'lettering', variables: { n: { type: 'number', default: 3 }, hour: 'dawn' } };
  const made = await client.prompts.findOrCreate({ id: 'quay', ...first });
  assert.equal(made.version.id, 'quay@1');
  const second = await client.prompts.addVersion('quay', { ...first, text: 'the quay at {{hour}}, {{n}} terns' });
  assert.equal((await client.prompts.addVersion('quay', { ...first })).id, 'quay@1');
  const templates = await client.prompts.templates();
  assert.deepEqual(templates.quay, (await client.prompts.render('quay')).template);
  assert.equal(templates.quay.versionId, second.id);
  const config = { ...node(undefined), templateId: 'quay', variables: { hour: 'dusk' } };
  const here = buildGenerateContentRequest(config, { ...options, templates });
  const there = await client.preflight({ config, provider_id: 'local', session: { id: 'p1' } });
  assert.equal(here.prompt, (await client.prompts.render('quay', { variables: { hour: 'dusk' } })).prompt);
  assert.equal(fingerprintRequest(here).cache_key, there.cache_key);
  const diff = await client.prompts.diff('quay', { from: 1 });
  assert.deepEqual(diff.text.filter(({ kind }) => kind !== 'same').map(({ text }) => text), ['gulls', 'terns']);
  const { next_cursor, versions } = await client.prompts.versions('quay', { limit: 1 });
  assert.deepEqual([next_cursor, versions[0].number], ['2', 2]);
  assert.equal((await client.prompts.version('quay', 1)).text, first.text);
  assert.equal((await client.prompts.patch('quay', { name: 'The quay' })).name, 'The quay');
  assert.equal((await client.prompts.get('quay')).name, 'The quay');
  assert.deepEqual((await client.prompts.usage('quay')).versions, []);
  assert.equal((await client.prompts.analyze('a calm sea')).parts[0].role, 'mood');
  const terms = { blocked: ['gore'], flagged: [] };
  assert.deepEqual(await client.prompts.putTerms(terms), terms);
  assert.deepEqual(await client.prompts.terms(), terms);
  await assert.rejects(client.createGeneration(built(node('gore'))), ({ errors }) => errors[0].code === 'prompt/blocked');
});
