// Prints the sizes of the package, and fails when one is over its budget.
// Usage: node sizes.mjs DIST TARBALL

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const [dist, tarball] = process.argv.slice(2);
const read = (...names) => Buffer.concat(names.map((name) => readFileSync(join(dist, name))));
const KB = 1024;
const rows = [
  ['onepath.wasm', read('onepath.wasm'), 138 * KB],
  ['glue', read('module.js'), 4 * KB],
  ['default entry, with the module in it', read('index.js', 'module.js'), 140 * KB],
  ['client', read('client.js'), 6 * KB],
  ['webhooks', read('webhooks.js'), 2 * KB],
];

let over = 0;
const number = (value) => value.toLocaleString('en').padStart(9);
console.log(`${'bytes'.padEnd(38)}       raw      gzip    brotli    budget (gzip)`);
for (const [name, bytes, budget] of rows) {
  const gzip = gzipSync(bytes, { level: 9 }).length;
  const brotli = brotliCompressSync(bytes).length;
  if (gzip > budget) over += 1;
  console.log(`${name.padEnd(38)} ${number(bytes.length)} ${number(gzip)} ${number(brotli)} ${number(budget)}${gzip > budget ? '  OVER' : ''}`);
}
const packed = readFileSync(tarball).length;
if (packed > 350 * KB) over += 1;
console.log(`${'tarball'.padEnd(38)} ${number(packed)} ${' '.repeat(29)}${number(350 * KB)}`);
if (over > 0) {
  console.error('the package is larger than its budget');
  process.exit(1);
}
