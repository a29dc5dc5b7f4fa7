// A document that stays in the module: every answer is that of the plain functions on its text.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { constants, deflateRawSync } from 'node:zlib';

import { Document, OnepathRefusal, buildGenerateContentRequest, check, fingerprint } from 'onepath';

import { random } from './generator.mjs';
import { root, vectors } from './places.mjs';

const config = { generationType: 'text_to_image', purpose: 'ambient', strategy: 'per_player', prompt: 'a lighthouse', fallback: { mode: 'skip' } };
const base = { providerId: 'local', user: { id: 7 } };

test('set, remove, undo and redo, with the answers of the plain functions', () => {
  const document = new Document(config, base);
  assert.deepEqual(document.fingerprint(), fingerprint(config, base));
  assert.deepEqual(document.request(), buildGenerateContentRequest(config, base));
  document.set('/duration', { min: 5, max: 9 });
  document.set('/duration/target', 2);
  const changed = { ...config, duration: { min: 5, max: 9, target: 2 } };
  assert.deepEqual(document.toJSON(), changed);
  assert.deepEqual(JSON.parse(JSON.stringify(document)), changed);
  assert.deepEqual(document.findings(), check(changed, base).findings);
  assert.equal(document.findings(), document.findings());
  assert.ok(document.findings().some(({ pointer }) => pointer === '/duration/target'));
  assert.ok(document.remove('/duration/target'));
  assert.ok(!document.remove('/duration/target'));
  assert.ok(!document.findings().some(({ code }) => code === 'duration/target-below-min'));
  assert.ok(document.undo() && document.undo() && document.undo() && !document.undo());
  assert.deepEqual(document.toJSON(), config);
  assert.ok(document.redo());
  assert.deepEqual(document.toJSON(), { ...config, duration: { min: 5, max: 9 } });
  document.set('/prompt', 'b');
  assert.ok(!document.redo());
  document.free();
  assert.throws(() => document.findings());
});

test('a scene file keeps its text but for the edit', () => {
  const text = readFileSync(`${root}/examples/scenes/harbor.json`, 'utf8');
  const document = new Document(text, { providerId: 'local' });
  assert.equal(document.toString(), text);
  assert.deepEqual(document.report(), check(text, { providerId: 'local' }));
  const names = document.nodes();
  const { nodes } = JSON.parse(text);
  const first = nodes.map(({ id }) => id).find((name) => document.fingerprint(name).cache_key !== undefined);
  assert.ok(names.includes(first));
  const at = JSON.parse(text).nodes.findIndex(({ id }) => id === first);
  const print = document.fingerprint(first);
  assert.ok(print.cache_key);
  document.set(`/nodes/${at}/config/version`, 77);
  assert.match(document.fingerprint(first).cache_key, /\|v77\|/);
  assert.notEqual(document.toString(), text);
  document.undo();
  assert.equal(document.toString(), text);
  assert.deepEqual(document.fingerprint(first), print);
  assert.throws(() => document.fingerprint(), { name: 'TypeError', message: 'onepath: the document has several nodes: name one' });
  assert.throws(() => document.fingerprint('nobody'), TypeError);
});

test('what cannot be done is said, and changes nothing', () => {
  const document = new Document(config, base);
  const before = document.toString();
  assert.throws(() => document.set('prompt', 1), TypeError);
  assert.throws(() => document.set('/prompt/x', 1), TypeError);
  assert.throws(() => document.set('/prompt', NaN), TypeError);
  assert.throws(() => document.set('/prompt', undefined), TypeError);
  assert.throws(() => document.set(5, 1), TypeError);
  assert.throws(() => document.remove(undefined), TypeError);
  assert.throws(() => new Document(undefined), TypeError);
  assert.throws(() => new Document(config, { providr: 1 }), OnepathRefusal);
  assert.equal(document.toString(), before);
  assert.ok(!document.undo());
  document.set('/purpose', 'x');
  assert.throws(() => document.fingerprint(), (error) => error instanceof OnepathRefusal && error.findings[0].pointer === '/purpose');
  document.undo();
  assert.deepEqual(document.fingerprint(), fingerprint(config, base));
  const broken = new Document('{"generationType": ');
  assert.equal(broken.findings()[0].code, 'json/syntax');
  assert.throws(() => broken.toJSON(), SyntaxError);
  assert.throws(() => broken.request(), OnepathRefusal);
  broken.set('', config);
  assert.deepEqual(broken.toJSON(), config);
});

/** Every answer of an edited document is that of a new one with its text, and of the plain functions. */
function agrees(document) {
  const text = document.toString();
  const fresh = new Document(text);
  const answer = (run) => {
    try {
      return run();
    } catch (error) {
      return { name: error.name, message: error.message, findings: error.findings };
    }
  };
  const expected = check(text);
  assert.deepEqual(document.findings(), expected.findings);
  assert.deepEqual(document.report(), expected);
  assert.equal(document.findings(), document.findings());
  for (const method of ['nodes', 'request', 'fingerprint']) {
    assert.deepEqual(answer(() => document[method]()), answer(() => fresh[method]()), method);
  }
  fresh.free();
  const made = answer(() => document.fingerprint());
  if (made.operation === undefined) return;
  agreed += 1;
  const { config, options } = JSON.parse(text);
  assert.deepEqual(made, fingerprint(config, options));
  assert.deepEqual(document.request(), buildGenerateContentRequest(config, options));
}

/** How often an edited document was one that can be made. */
let agreed = 0;

test('the inflater of browsers gives what zlib gives', async () => {
  const { inflate } = await import(`${root}/pkg/src/inflate.js`);
  const module = readFileSync(new URL('./onepath.wasm', import.meta.resolve('onepath')));
  const texts = [module, Buffer.alloc(0), Buffer.from('a'), Buffer.alloc(70_000), Buffer.from(module).reverse()];
  for (const text of texts) {
    for (const strategy of [constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY]) {
      for (const level of [0, 1, 9]) {
        assert.deepEqual(Buffer.from(inflate(deflateRawSync(text, { level, strategy }), text.length)), text);
      }
    }
  }
});

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

test('random edits and their way back', () => {
  const choose = random(5);
  const cases = readFileSync(`${vectors}/v1.jsonl`, 'utf8').trim().split('\n').map((line) => JSON.parse(line).input);
  let edits = 0;
  for (const { config, options } of cases) {
    if (config === undefined) continue;
    const node = { config, options };
    const document = new Document(JSON.stringify(node, undefined, choose.below(3)));
    const texts = [document.toString()];
    const copy = structuredClone(node);
    for (let step = 0; step < 6; step += 1) {
      const holder = choose.pick([copy, copy.config, copy.config.style, copy.config.duration].filter(isObject));
      const path = holder === copy ? '' : holder === copy.config ? '/config' : `/config/${holder === copy.config.style ? 'style' : 'duration'}`;
      const name = choose.pick([...Object.keys(holder), 'a~/b', 'new']);
      const pointer = `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      if (choose.next() < 0.3) {
        const had = Object.hasOwn(holder, name);
        delete holder[name];
        assert.equal(document.remove(pointer), had, pointer);
        if (!had) continue;
      } else {
        holder[name] = choose.pick([1, 'x', null, { a: [1, { b: 2 }] }, []]);
        document.set(pointer, holder[name]);
      }
      edits += 1;
      texts.push(document.toString());
      assert.deepEqual(document.toJSON(), copy);
      if (!isObject(copy.config)) break;
    }
    agrees(document);
    for (const text of texts.slice(0, -1).reverse()) {
      assert.ok(document.undo());
      assert.equal(document.toString(), text);
      agrees(document);
    }
    for (const text of texts.slice(1)) {
      assert.ok(document.redo());
      assert.equal(document.toString(), text);
      agrees(document);
    }
    document.free();
  }
  assert.ok(edits > 1_000 && agreed > 500, `${edits} ${agreed}`);
});

test('a slider: one number after another at one place', () => {
  const texts = readFileSync(`${root}/bench/payload/path.jsonl`, 'utf8').split('\n').slice(0, 8);
  for (const text of texts) {
    const document = new Document(text);
    const fresh = () => {
      const other = new Document(document.toString());
      const found = other.findings();
      other.free();
      return found;
    };
    for (const pointer of ['/config/duration/target', '/config/version', '/config/seed', '/config/prompt']) {
      for (const value of [4, 2, 9, 9.5, 4, -1, 2, 1e300, 2, 9]) {
        document.set(pointer, value);
        const found = document.findings();
        assert.deepEqual(found, fresh(), `${pointer} ${value}`);
        assert.deepEqual(document.report().findings, found);
      }
      for (let index = 0; index < 10; index += 1) assert.ok(document.undo());
      assert.equal(document.toString(), text);
    }
    for (const value of [Number.NaN, Infinity, -Infinity]) {
      document.set('/config/duration/target', 3);
      assert.throws(() => document.set('/config/duration/target', value), TypeError);
      assert.equal(document.toJSON().config.duration.target, 3);
      assert.deepEqual(document.findings(), fresh());
    }
    document.free();
  }
});
