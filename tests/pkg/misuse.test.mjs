// What must not happen to a page: a module that is dead after a bad call, or one that grows.

import assert from 'node:assert/strict';
import { test } from 'node:test';

// The module's memory, seen as it is made.
let memory;
const { Instance } = WebAssembly;
WebAssembly.Instance = class extends Instance {
  constructor(...given) {
    super(...given);
    ({ memory } = this.exports);
  }
};
const onepath = await import('onepath');
WebAssembly.Instance = Instance;

const config = { generationType: 'text_to_image', purpose: 'ambient', strategy: 'once', prompt: 'a lighthouse' };
const options = { providerId: 'local' };
const { request_hash: expected } = onepath.fingerprint(config, options);

const cycle = { a: [] };
cycle.a.push(cycle);
let deep = 1;
for (let depth = 0; depth < 20_000; depth += 1) deep = [deep];

const NOT_JSON = [
  undefined, () => 1, Symbol('s'), 1n, NaN, Infinity, -Infinity, cycle, deep, [undefined], { a: [1, NaN] },
  { a: 1n }, { a: () => 1 }, { a: Symbol('s') }, { flags: new Map([[1, 2]]) }, { flags: new Set([1]) },
  { toJSON: () => 1n }, { a: { toJSON: () => NaN } }, new Number(NaN),
  { toJSON() { throw new Error('no'); } }, { get a() { throw new TypeError('no'); } },
];
const NOT_OURS = [null, 0, 'text', true, [], [1], new Date(0), '\ud800', { prompt: '\ud800' }, { a: { b: 1 } }];

test('what is no JSON is a TypeError, and the module goes on', () => {
  for (const value of NOT_JSON) {
    for (const call of [onepath.fingerprint, onepath.validateGenerationNode, onepath.canonicalize, onepath.parseSceneFile]) {
      assert.throws(() => call(value, options), TypeError);
    }
    assert.equal(onepath.fingerprint(config, options).request_hash, expected);
  }
  assert.throws(() => onepath.fingerprint({ ...config, variables: { a: [{ b: NaN }] } }), {
    name: 'TypeError',
    message: 'onepath: `config.variables.a.0.b` is NaN, which JSON does not have',
  });
});

test('what is JSON and none of ours is refused with findings', () => {
  for (const value of NOT_OURS) {
    assert.throws(() => onepath.fingerprint(value, options), (error) => {
      assert.ok(error instanceof onepath.OnepathRefusal && error instanceof Error);
      assert.ok(error.findings.length > 0);
      return true;
    });
    assert.equal(onepath.isGenerationNodeValid(value), false);
  }
  assert.equal(onepath.fingerprint(config, options).request_hash, expected);
});

test('members that are undefined are absent, and toJSON is honoured', () => {
  const same = { ...config, seed: undefined, style: { toJSON: () => undefined } };
  assert.equal(onepath.fingerprint(same, options).request_hash, expected);
  const inherited = Object.create({ seed: 7 });
  assert.equal(onepath.fingerprint(Object.assign(inherited, config), options).request_hash, expected);
  assert.equal(onepath.canonicalize({ d: new Date(0) }), '{"d":"1970-01-01T00:00:00.000Z"}');
});

test('a member called __proto__ is a member', () => {
  const value = JSON.parse('{"__proto__":{"a":1}}');
  assert.equal(onepath.canonicalize(value), '{"__proto__":{"a":1}}');
  const made = onepath.buildGenerateContentRequest({ ...config, style: { local: value } }, options);
  assert.ok(Object.hasOwn(made.provider_settings, '__proto__'));
  assert.equal(made.provider_settings.a, undefined);
});

test('300,000 bad calls leave memory flat', () => {
  const bad = [
    () => onepath.fingerprint(NOT_JSON[9], options),
    () => onepath.fingerprint({ ...config, purpose: 'x', promt: 1 }, options),
    () => onepath.parseSceneFile('{"nodes": ['),
    () => onepath.renderPrompt('{{ a }}', {}),
    () => onepath.fingerprint(config, { providerId: 7n }),
  ];
  const run = (count) => {
    for (let index = 0; index < count; index += 1) {
      try {
        bad[index % bad.length]();
        assert.fail('a bad call went well');
      } catch (error) {
        if (error.code === 'ERR_ASSERTION') throw error;
      }
    }
  };
  run(5_000);
  const before = memory.buffer.byteLength;
  run(300_000);
  assert.equal(memory.buffer.byteLength, before);
  assert.equal(onepath.fingerprint(config, options).request_hash, expected);
});
