// The package in Chromium, under a strict Content-Security-Policy: the same answers as in Node, to
// the golden vectors and to random documents, and the client against a server.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { after, before, test } from 'node:test';

import { chromium } from 'playwright-core';

import { answers } from './browser.mjs';
import { vectors } from './places.mjs';

const here = new URL('.', import.meta.url).pathname;
const COUNT = 10_000;
const CSP = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
const TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.html': 'text/html', '.wasm': 'application/wasm', '.jsonl': 'text/plain' };

let server;
let browser;
let page;
const asked = [];
const complaints = [];

async function serve(request, response) {
  const { pathname } = new URL(request.url, 'http://x');
  if (pathname.startsWith('/api/v1/')) {
    asked.push(`${request.method} ${pathname} ${request.headers.authorization} ${request.headers['idempotency-key']?.length}`);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"id":"g1","status":"completed"}');
    return;
  }
  try {
    const text = pathname === '/' ? '<!doctype html><title>onepath</title>' : await readFile(
      pathname === '/v1.jsonl' ? `${vectors}/v1.jsonl`
        : pathname.startsWith('/onepath/') ? join(here, 'node_modules/onepath/dist', normalize(pathname.slice(8)))
          : join(here, normalize(pathname)),
    );
    response.writeHead(200, { 'content-type': TYPES[extname(pathname)] ?? 'text/html', 'content-security-policy': CSP });
    response.end(text);
  } catch {
    response.writeHead(404).end();
  }
}

before(async () => {
  server = createServer(serve);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  page = await browser.newPage();
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
});

after(async () => {
  await browser?.close();
  server?.close();
});

test(`Chromium and Node agree on the vectors and on ${COUNT} random documents`, async (context) => {
  const cases = (await readFile(`${vectors}/v1.jsonl`, 'utf8')).trim().split('\n').map((line) => JSON.parse(line));
  const hash = createHash('sha256');
  const texts = answers(await import('onepath'), cases, COUNT);
  for (const text of texts) hash.update(`${text}\n`);
  const found = await page.evaluate(async (count) => {
    const [onepath, { answers, digest }, text] = await Promise.all([
      import('/onepath/index.js'), import('/browser.mjs'), fetch('/v1.jsonl').then((response) => response.text()),
    ]);
    return digest(answers(onepath, text.trim().split('\n').map((line) => JSON.parse(line)), count));
  }, COUNT);
  assert.deepEqual(found, { count: texts.length, sha256: hash.digest('hex') });
  assert.deepEqual(complaints, []);
  context.diagnostic(`note: Chromium ${browser.version()}: ${texts.length} answers, 0 differences`);
});

test('slim starts from an address, and a document is edited in the page', async () => {
  const found = await page.evaluate(async () => {
    const { init, Document } = await import('/onepath/slim.js');
    await init('/onepath/onepath.wasm');
    const edited = new Document({ generationType: 'text_to_image', purpose: 'ambient', strategy: 'once', prompt: 'x' }, { providerId: 'local' });
    edited.set('/prompt', 'a lighthouse');
    return edited.fingerprint().request_hash;
  });
  assert.equal(found, '8431c8b9aa2a702e00e3645e8ee1248e3b7fed355f2ada880c83be2b5717c460');
  const fresh = await browser.newPage();
  await fresh.goto(page.url());
  const version = await fresh.evaluate(async () => {
    const { init, contractVersion } = await import('/onepath/slim.js');
    await init(fetch('/onepath/onepath.wasm'));
    return contractVersion();
  });
  assert.equal(version, 1);
  await fresh.close();
});

test('the client in the page', async () => {
  const statuses = await page.evaluate(async () => {
    const { createClient } = await import('/onepath/client.js');
    const client = createClient({ baseUrl: location.origin, token: 't' });
    const made = await client.createGeneration({ config: {} });
    const seen = [made.status];
    for await (const { status } of client.watchGeneration(made.id)) seen.push(status);
    return seen;
  });
  assert.deepEqual(statuses, ['completed', 'completed']);
  assert.deepEqual(asked, ['POST /api/v1/generations Bearer t 32', 'GET /api/v1/generations/g1 Bearer t undefined']);
  assert.deepEqual(complaints, []);
});
