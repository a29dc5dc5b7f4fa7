// Verifying webhooks: the vectors that the Rust crates share, and what only JavaScript can get wrong.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { WebhookError, verifyWebhook } from 'onepath/webhooks';

import { root } from './places.mjs';

const cases = JSON.parse(readFileSync(`${root}/tests/vectors/webhooks.json`, 'utf8'));
const headersOf = ({ id, timestamp, signature }) =>
  ({ 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature });

/** The word of what verifying comes to. */
async function outcome(body, headers, secrets, options) {
  try {
    await verifyWebhook(body, headers, secrets, options);
    return 'ok';
  } catch (error) {
    assert.ok(error instanceof WebhookError, String(error));
    return error.code;
  }
}

test('the shared vectors', async () => {
  assert.ok(cases.length > 30);
  for (const one of cases) {
    const found = await outcome(one.body, headersOf(one), one.secrets, { now: one.now * 1000 });
    // What is signed and empty is no event.
    const expected = one.expect === 'ok' && one.body === '' ? 'unreadable' : one.expect;
    assert.equal(found, expected, one.name);
  }
});

test('bodies as bytes, headers as fetch and Node have them', async () => {
  const [published] = cases;
  const options = { now: published.now * 1000 };
  const bytes = new TextEncoder().encode(published.body);
  const wide = new Uint8Array(bytes.length + 8);
  wide.set(bytes, 4);
  for (const body of [published.body, bytes, bytes.buffer, wide.subarray(4, 4 + bytes.length), Buffer.from(bytes)]) {
    for (const headers of [headersOf(published), new Headers(headersOf(published))]) {
      const { id, sentAt, event } = await verifyWebhook(body, headers, published.secrets[0], options);
      assert.deepEqual([id, sentAt.getTime(), event.test], [published.id, published.now * 1000, 2432232314]);
    }
  }
});

test('what is missing is said, and another tolerance is one of the caller', async () => {
  const [published] = cases;
  const now = published.now * 1000;
  for (const name of Object.keys(headersOf(published))) {
    const headers = headersOf(published);
    delete headers[name];
    assert.equal(await outcome(published.body, headers, published.secrets, { now }), 'missing_header');
    headers[name] = ['a', 'b'];
    assert.equal(await outcome(published.body, headers, published.secrets, { now }), 'missing_header');
  }
  const headers = headersOf(published);
  assert.equal(await outcome(published.body, headers, 'whsec_', { now }), 'bad_secret');
  assert.equal(await outcome(published.body, headers, published.secrets), 'too_old');
  const options = { now: now + 3_600_000, toleranceSeconds: 3600 };
  assert.equal(await outcome(published.body, headers, published.secrets, options), 'ok');
});
