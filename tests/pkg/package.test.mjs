// The package as it is packed: entries, declarations, and the examples of its README.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { root } from './places.mjs';

const here = new URL('.', import.meta.url).pathname;
const home = `${here}node_modules/onepath`;
const config = { generationType: 'text_to_image', purpose: 'ambient', strategy: 'once', prompt: 'a lighthouse' };
const hash = '8431c8b9aa2a702e00e3645e8ee1248e3b7fed355f2ada880c83be2b5717c460';

/** Runs a module in a fresh process; gives what it prints. */
function run(source, name = `${here}run.mjs`) {
  writeFileSync(name, source);
  const { status, stdout, stderr } = spawnSync(process.execPath, [name], { cwd: here, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
}

test('the names that editors use', async () => {
  const onepath = await import('onepath');
  assert.deepEqual(Object.keys(onepath).sort(), [
    'Document', 'OnepathRefusal', 'buildGenerateContentRequest', 'buildSocialContext', 'canonicalIdentity',
    'canonicalize', 'check', 'computeCacheKey', 'contractVersion', 'estimatePrice', 'explain', 'fingerprint',
    'fingerprintRequest', 'generationOperations', 'getValidationStatus', 'getValidationSummary',
    'isGenerationNodeValid', 'parseCacheKey', 'parseSceneFile', 'prepare', 'providers', 'rebound',
    'renderPrompt', 'validateGenerationNode',
  ]);
  assert.equal(onepath.contractVersion(), 1);
});

test('import and require give the same', async () => {
  const { fingerprint } = await import('onepath');
  assert.equal(fingerprint(config, { providerId: 'local' }).request_hash, hash);
  const required = createRequire(import.meta.url)('onepath');
  assert.equal(required.fingerprint(config, { providerId: 'local' }).request_hash, hash);
});

test('a fingerprint is that of the command', async () => {
  const { fingerprint } = await import('onepath');
  const whole = { ...config, seedSource: 'player', fallback: { mode: 'skip' } };
  const file = `${here}node.json`;
  writeFileSync(file, JSON.stringify({ id: 'n', config: whole, options: { providerId: 'local', user: { id: 7 } } }));
  const printed = execFileSync(`${root}/target/debug/onepath`, ['fingerprint', file], { encoding: 'utf8' });
  const { request_hash, cache_key } = fingerprint(whole, { providerId: 'local', user: { id: 7 } });
  assert.ok(printed.includes(request_hash) && printed.includes(cache_key), printed);
});

test('scene files: the same report as `onepath check`', async () => {
  const { check, parseSceneFile } = await import('onepath');
  for (const name of ['harbor', 'lighthouse']) {
    const text = readFileSync(`${root}/examples/scenes/${name}.json`, 'utf8');
    assert.deepEqual(check(text).findings.filter(({ severity }) => severity === 'error'), []);
    assert.equal(parseSceneFile(text).nodes.length, JSON.parse(text).nodes.length);
    const broken = text.replace('"strategy": "', '"strategy": "x');
    writeFileSync(`${here}broken.json`, broken);
    const command = spawnSync(`${root}/target/debug/onepath`, ['check', '--output-format', 'json', `${here}broken.json`], { encoding: 'utf8' });
    const native = JSON.parse(command.stdout);
    const list = Array.isArray(native) ? native : native.findings;
    const pairs = (findings) => findings.map(({ code, pointer }) => `${code} ${pointer}`).sort();
    assert.ok(list.length > 0, command.stdout);
    assert.deepEqual(pairs(check(broken).findings), pairs(list));
  }
});

test('slim: says what to do before it is started, then works from bytes, a response or a module', () => {
  const call = `fingerprint(${JSON.stringify(config)}, { providerId: 'local' }).request_hash`;
  assert.equal(run(`
    import { fingerprint, init, initSync } from 'onepath/slim';
    import { readFileSync } from 'node:fs';
    try { ${call}; } catch (error) { console.log(error.message); }
    try { initSync('x'); } catch (error) { console.log(error.name); }
    await init('x').catch((error) => console.log(error.name));
    const bytes = readFileSync(new URL(import.meta.resolve('onepath/onepath.wasm')));
    await Promise.all([init(bytes), init(new Response(bytes))]);
    initSync(bytes);
    console.log(${call});
    console.log((await import('onepath')).${call});
  `), `onepath was used before it was started: call \`init\` or \`initSync\` of \`onepath/slim\` first\nTypeError\nTypeError\n${hash}\n${hash}\n`);
  for (const source of ['initSync(bytes)', 'initSync(new WebAssembly.Module(bytes))', 'await init(Promise.resolve(new Response(bytes)))']) {
    assert.equal(run(`
      import { fingerprint, init, initSync } from 'onepath/slim';
      import { readFileSync } from 'node:fs';
      const bytes = readFileSync(new URL(import.meta.resolve('onepath/onepath.wasm')));
      ${source};
      console.log(${call});
    `), `${hash}\n`);
  }
});

test('codes and schemas stand beside the module', async () => {
  const { codes, explainCode } = await import('onepath/codes');
  assert.ok(codes.length > 60);
  assert.match(explainCode('json/unknown-word').explanation, /closed set/);
  assert.equal(explainCode('no/such-code'), undefined);
  for (const name of readdirSync(`${root}/schemas`).filter((name) => name.endsWith('.schema.json'))) {
    const schema = JSON.parse(readFileSync(new URL(import.meta.resolve(`onepath/schema/${name}`)), 'utf8'));
    assert.equal(schema.type, 'object');
  }
  const module = readFileSync(`${home}/dist/onepath.wasm`);
  assert.ok(!module.includes('Readers disagree about which one counts'), 'explanations are in the module');
});

for (const [module, resolution] of [['nodenext', 'nodenext'], ['esnext', 'bundler']]) {
  test(`the declarations under tsc --strict, ${resolution}`, () => {
    const { status, stdout } = spawnSync(`${here}node_modules/.bin/tsc`, [
      '--noEmit', '--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--target', 'es2022',
      '--lib', 'es2022,dom,dom.iterable', '--types', '', '--module', module, '--moduleResolution', resolution, 'types.ts',
    ], { cwd: here, encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  });
}

test('the examples of README and docs/editor.md print what they say', () => {
  const text = readFileSync(`${home}/README.md`, 'utf8') + readFileSync(`${root}/docs/editor.md`, 'utf8');
  const blocks = [...text.matchAll(/```js\n([\s\S]*?)```\n+```text\n([\s\S]*?)```/g)];
  assert.ok(blocks.length >= 5, `${blocks.length} examples`);
  for (const [, source, expected] of blocks) assert.equal(run(source), expected);
});

test('publint and attw find nothing', () => {
  const tarball = process.env.ONEPATH_TARBALL;
  const publint = spawnSync(`${here}node_modules/.bin/publint`, ['run', tarball, '--strict'], { cwd: here, encoding: 'utf8' });
  assert.equal(publint.status, 0, publint.stdout + publint.stderr);
  const attw = spawnSync(`${here}node_modules/.bin/attw`, [
    tarball, '--profile', 'esm-only', '--exclude-entrypoints', 'onepath.wasm', 'schema/*', '--no-emoji',
  ], { cwd: here, encoding: 'utf8' });
  assert.equal(attw.status, 0, attw.stdout + attw.stderr);
});
