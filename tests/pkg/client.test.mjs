// The client against a small server that speaks the wire of ours, on a port of its own.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';

import { ApiError, ConnectionError, createClient, isFinal } from 'onepath/client';

const servers = [];
after(() => servers.forEach((server) => server.close()));

/** A server that answers each request with the next of `answers`; the last one stays. */
async function serve(...answers) {
  const seen = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    seen.push({ method: request.method, url: request.url, headers: request.headers, body: text === '' ? undefined : request.headers['content-type'] === 'application/json' ? JSON.parse(text) : text });
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer === 'cut') {
      response.destroy();
      return;
    }
    const { status = 200, headers = {}, body } = answer;
    response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  servers.push(server);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const waits = [];
  let now = 0;
  const clock = {
    now: () => now,
    sleep: async (milliseconds, signal) => {
      signal?.throwIfAborted();
      waits.push(milliseconds);
      now += milliseconds;
    },
  };
  const baseUrl = `http://127.0.0.1:${server.address().port}`;
  return { seen, waits, clock, baseUrl, client: (more) => createClient({ baseUrl, token: 'secret', clock, ...more }) };
}

const row = (status, more) => ({ id: 'g1', status, ...more });
const request = { type: 'dialogue', purpose: 'adaptive', strategy: 'once' };

test('a create carries token, body and a key of its own', async () => {
  const server = await serve({ status: 202, headers: { location: '/api/v1/generations/g1' }, body: row('pending', { answer: 'created' }) });
  const client = server.client();
  const made = await client.createGeneration({ request, request_hash: 'ab' });
  await client.createGeneration({ request });
  await client.createGeneration({ request }, { idempotencyKey: 'mine' });
  assert.equal(made.answer, 'created');
  const [first, second, third] = server.seen;
  assert.equal(first.method, 'POST');
  assert.equal(first.url, '/api/v1/generations');
  assert.equal(first.headers.authorization, 'Bearer secret');
  assert.deepEqual(first.body, { request, request_hash: 'ab' });
  assert.match(first.headers['idempotency-key'], /^[0-9a-f]{32}$/);
  assert.notEqual(first.headers['idempotency-key'], second.headers['idempotency-key']);
  assert.equal(third.headers['idempotency-key'], 'mine');
});

test('a lost answer is asked for again with the same key', async () => {
  const server = await serve('cut', { status: 503, body: { code: 'UNAVAILABLE' } }, { status: 202, body: row('pending') });
  assert.equal((await server.client().createGeneration({ request })).id, 'g1');
  assert.equal(server.seen.length, 3);
  assert.equal(new Set(server.seen.map(({ headers }) => headers['idempotency-key'])).size, 1);
  assert.ok(server.waits[0] >= 250 && server.waits[0] <= 500 && server.waits[1] >= 500 && server.waits[1] <= 1000, `${server.waits}`);
});

test('Retry-After is honoured, in seconds and as a date, and not beyond the longest wait', async () => {
  const limited = (value) => ({ status: 429, headers: { 'retry-after': value }, body: { code: 'RATE_LIMITED' } });
  const server = await serve(limited('7'), limited(new Date(19_000).toUTCString()), { body: row('processing') });
  assert.equal((await server.client().getGeneration('g1')).status, 'processing');
  assert.deepEqual(server.waits, [7_000, 12_000]);
  const far = await serve(limited('3600'));
  await assert.rejects(far.client().getGeneration('g1'), (error) => {
    assert.ok(error instanceof ApiError);
    assert.equal(error.retryAfter, 3600);
    return true;
  });
  assert.equal(far.seen.length, 1);
});

test('a problem is an error with its code and places, and is not sent again', async () => {
  const body = { title: 'Conflict', status: 409, code: 'CANONICAL_MISMATCH', detail: 'the hash differs', errors: [{ pointer: '/prompt', code: 'x', detail: 'y' }] };
  const server = await serve({ status: 409, body });
  await assert.rejects(server.client().createGeneration({ request }), (error) => {
    assert.ok(error instanceof ApiError && error instanceof Error);
    assert.equal(error.status, 409);
    assert.equal(error.code, 'CANONICAL_MISMATCH');
    assert.equal(error.message, 'the hash differs');
    assert.equal(error.errors[0].pointer, '/prompt');
    return true;
  });
  assert.equal(server.seen.length, 1);
  const page = await serve({ status: 404, body: '<h1>not found</h1>' });
  await assert.rejects(page.client().getGeneration('g1'), { name: 'ApiError', code: 'HTTP_404', message: '<h1>not found</h1>' });
});

test('a create that another process is making is waited for', async () => {
  const server = await serve({ status: 409, headers: { 'retry-after': '1' }, body: { code: 'IDEMPOTENCY_IN_PROGRESS' } }, { body: row('completed') });
  assert.equal((await server.client().createGeneration({ request })).status, 'completed');
  assert.deepEqual(server.waits, [1_000]);
});

test('a server that is not there is a ConnectionError after the tries', async () => {
  const server = await serve('cut');
  await assert.rejects(server.client({ retries: 2 }).getGeneration('g1'), (error) => {
    assert.ok(error instanceof ConnectionError);
    assert.ok(error.cause);
    return true;
  });
  assert.equal(server.seen.length, 3);
  await assert.rejects(createClient({ baseUrl: server.baseUrl, clock: server.clock, token: () => { throw new Error('logged out'); } }).getGeneration('g'), /no token: logged out/);
  const text = await serve({ body: 'no json' });
  await assert.rejects(text.client().getGeneration('g1'), /the answer is no JSON/);
});

test('lists, cancel, validate, preflight and files', async () => {
  const list = await serve({ body: { generations: [row('failed')], limit: 2, next_cursor: 'c2' } });
  assert.equal((await list.client().listGenerations({ status: 'failed', limit: 2, cursor: 'a b', q: undefined })).next_cursor, 'c2');
  assert.equal(list.seen[0].url, '/api/v1/generations?status=failed&limit=2&cursor=a+b');
  const any = await serve({ body: row('cancelled') });
  const client = any.client({ baseUrl: `${any.baseUrl}/api/v1/` });
  await client.cancelGeneration('a/b');
  await client.validateRemote({ config: {} });
  await client.preflight({ config: {} });
  assert.equal(await (await client.getAssetFile('f1')).text(), JSON.stringify(row('cancelled')));
  assert.deepEqual(any.seen.map(({ method, url }) => `${method} ${url}`), [
    'POST /api/v1/generations/a%2Fb/cancel', 'POST /api/v1/generations/validate',
    'POST /api/v1/generations/preflight', 'GET /api/v1/assets/f1/file',
  ]);
  assert.equal(client.assetUrl('f1'), `${any.baseUrl}/api/v1/assets/f1/file`);
  assert.equal(any.seen[1].headers['idempotency-key'], undefined);
  assert.throws(() => client.getGeneration(''), TypeError);
});

test('watching yields each change, slows down after a minute, and ends when it is final', async () => {
  const pending = { body: row('pending') };
  const answers = [pending, pending, ...Array.from({ length: 20 }, () => ({ body: row('processing') })), { status: 503, headers: { 'retry-after': '2' }, body: {} }, { body: row('completed', { assets: [{ id: 'a' }] }) }];
  const server = await serve(...answers);
  const seen = [];
  for await (const generation of server.client().watchGeneration('g1')) seen.push(generation.status);
  assert.deepEqual(seen, ['pending', 'processing', 'completed']);
  assert.ok(isFinal({ status: 'failed' }) && !isFinal({ status: 'pending' }));
  assert.deepEqual(server.waits.slice(0, 20), Array(20).fill(3_000));
  assert.deepEqual(server.waits.slice(20), [30_000, 30_000, 2_000]);
});

test('an aborted signal ends a call and a watch', async () => {
  const server = await serve({ body: row('pending') });
  const controller = new AbortController();
  const watch = server.client().watchGeneration('g1', { signal: controller.signal });
  assert.equal((await watch.next()).value.status, 'pending');
  controller.abort(new Error('enough'));
  await assert.rejects(watch.next(), /enough/);
  await assert.rejects(server.client().createGeneration({ request }, { signal: controller.signal }), /enough/);
  // The client's own clock: a wait ends with the signal, not with the time.
  const real = createClient({ baseUrl: server.baseUrl });
  const other = new AbortController();
  const slow = real.watchGeneration('g1', { signal: other.signal, interval: 3_600_000 });
  await slow.next();
  const waiting = slow.next();
  setImmediate(() => other.abort(new Error('later')));
  await assert.rejects(waiting, /later/);
});

test('assets are uploaded, listed, fetched and deleted', async () => {
  const asset = { id: 'a1', sync_status: 'downloaded' };
  const server = await serve('cut', { status: 201, body: asset }, { body: { assets: [asset], limit: 50 } }, { body: asset }, { body: 'bytes' }, { status: 200, body: {} }, { body: 'small' }, { body: asset });
  const client = server.client();
  const made = await client.uploadAsset(new Blob(['picture'], { type: 'image/png' }));
  assert.equal(made.id, 'a1');
  assert.deepEqual((await client.listAssets({ tag: 'npc:mira', media: 'image' })).assets, [asset]);
  assert.deepEqual(await client.getAsset('a/1'), asset);
  assert.equal(await (await client.getAssetFile('a1')).text(), 'bytes');
  await client.deleteAsset('a1');
  assert.equal(await (await client.getAssetThumbnail('a1')).text(), 'small');
  assert.deepEqual(await client.patchAsset('a1', { tags: ['npc:mira'], public: false }), asset);
  const [, upload, list, one, , gone, small, changed] = server.seen;
  assert.equal(small.url, '/api/v1/assets/a1/thumbnail');
  assert.deepEqual([changed.method, changed.url, changed.body], ['PATCH', '/api/v1/assets/a1', { tags: ['npc:mira'], public: false }]);
  assert.deepEqual([upload.method, upload.url, upload.headers['content-type'], upload.body], ['POST', '/api/v1/assets', 'image/png', 'picture']);
  assert.equal(list.url, '/api/v1/assets?tag=npc%3Amira&media=image');
  assert.equal(one.url, '/api/v1/assets/a%2F1');
  assert.deepEqual([gone.method, gone.url], ['DELETE', '/api/v1/assets/a1']);
});

test('the rest of the API is a method each', async () => {
  const server = await serve({ body: row('completed') });
  const client = server.client();
  await client.patchGeneration('g/1', { name: null, tags: ['a'] });
  await client.deleteGeneration('g1');
  await client.simpleImageToVideo({ provider_id: 'local', prompt: 'waves', image_url: 'asset:1' });
  await client.buildSocialContext({ world_id: 'w', npc_ids: ['bram'] });
  await client.getCacheStats('1h');
  await client.invalidateCache({ scene_id: 'pier', preview: true });
  await client.getUsage();
  await client.listOperations();
  await client.listProviders();
  await client.patchAsset('a1', { tags: null });
  await client.getAssetLineage('a1');
  await client.syncAsset('a1');
  assert.deepEqual(
    server.seen.map(({ method, url }) => `${method} ${url.replace('/api/v1', '')}`),
    [
      'PATCH /generations/g%2F1',
      'DELETE /generations/g1',
      'POST /generations/simple-image-to-video',
      'POST /generations/social-context/build',
      'GET /generations/cache/stats?window=1h',
      'POST /generations/cache/invalidate',
      'GET /usage',
      'GET /generation-operations',
      'GET /providers',
      'PATCH /assets/a1',
      'GET /assets/a1/lineage',
      'POST /assets/a1/sync',
    ],
  );
  assert.deepEqual(server.seen[0].body, { name: null, tags: ['a'] });
  assert.match(server.seen[2].headers['idempotency-key'], /^[0-9a-f]{32}$/);
});
