// The same as `wasm.mjs` in Chromium: its forms are called `chromium-NAME`, and their times are those
// of the clock, because a page has no other.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const bundled = await build({
  absWorkingDir: new URL('.', import.meta.url).pathname,
  entryPoints: ['page.mjs'],
  bundle: true,
  format: 'esm',
  write: false,
  // What hashes in Node is not used here.
  alias: { 'node:crypto': './none.mjs' },
});
const answers = {
  '/': ['text/html', '<!doctype html><title>peers</title>'],
  '/page.js': ['text/javascript', bundled.outputFiles[0].text],
  '/payload': ['text/plain; charset=utf-8', readFileSync(process.argv[2])],
};
const server = createServer(({ url }, response) => {
  const [type, text] = answers[url] ?? ['text/plain', ''];
  // A page that is alone has a finer clock.
  response.writeHead(url in answers ? 200 : 404, {
    'content-type': type,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  });
  response.end(text);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${server.address().port}/`);
const names = await page.evaluate(async () => {
  globalThis.peers = await import('/page.js');
  return globalThis.peers.list();
});

for await (const line of createInterface({ input: process.stdin })) {
  const [name, count] = line.trim().split(/\s+/);
  if (name === 'list') {
    process.stdout.write(`${names.map((one) => `chromium-${one}`).join(' ')}\n`);
    continue;
  }
  const bare = name.replace(/^chromium-/, '');
  if (!names.includes(bare) || !(Number(count) > 0)) throw new Error(`no such command: ${line}`);
  const spent = await page.evaluate(([form, times]) => globalThis.peers.measure(form, times), [bare, Number(count)]);
  process.stdout.write(`${name} ${spent}\n`);
}
await browser.close();
server.close();
