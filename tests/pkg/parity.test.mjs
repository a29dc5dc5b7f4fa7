// Native and WebAssembly side by side, over random documents: findings, requests, canonical text,
// hashes and keys. The native side is `onepath batch`, fed with JSON lines.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import canonicalizeByOther from 'canonicalize';
import * as onepath from 'onepath';

import { anyValue, documents, random } from './generator.mjs';
import { native, vectors } from './places.mjs';

const COUNT = Number(process.env.ONEPATH_DOCUMENTS ?? 50_000);
const cases = readFileSync(`${vectors}/v1.jsonl`, 'utf8').trim().split('\n').map((line) => JSON.parse(line));

/** The answers of `onepath batch` to these lines. */
function batch(operation, lines) {
  return new Promise((resolve, reject) => {
    const child = spawn(native, ['batch', operation], { stdio: ['pipe', 'pipe', 'inherit'] });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', () => resolve(Buffer.concat(chunks).toString('utf8').trimEnd().split('\n')));
    child.stdin.on('error', reject);
    child.stdin.end(`${lines.join('\n')}\n`);
  });
}

/** A refusal as a line of `batch` says it: pointers lead into the line. */
const inLine = (finding) => {
  const { pointer } = finding;
  return { ...finding, pointer: pointer.startsWith('/options') ? pointer : `/config${pointer}` };
};

function ask(work) {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof onepath.OnepathRefusal)) throw error;
    const findings = error.findings.map(inLine);
    return { error: { message: findings[0].message, findings } };
  }
}

test(`native and WebAssembly agree on ${COUNT} random documents`, async (context) => {
  const all = [...documents(cases, COUNT, 20_260_801)];
  const lines = all.map((document) => JSON.stringify(document));
  let refused = 0;
  for (const [operation, work] of [
    ['build', ({ config, options }) => onepath.buildGenerateContentRequest(config, options)],
    ['fingerprint', ({ config, options }) => onepath.fingerprint(config, options)],
  ]) {
    const answers = await batch(operation, lines);
    assert.equal(answers.length, all.length);
    all.forEach((document, index) => {
      const ours = JSON.stringify(ask(() => work(document)));
      if (ours !== answers[index]) assert.fail(`${operation} of ${lines[index]}\nnative ${answers[index]}\nwasm   ${ours}`);
      if (operation === 'fingerprint' && ours.startsWith('{"error"')) refused += 1;
    });
  }
  // What the validator sees of the context: world and user.
  const contexts = all.map(({ config, options }) => ({ config, world: options.world, user: options.user }));
  const answers = await batch('validate', contexts.map((one) => JSON.stringify(one)));
  contexts.forEach(({ config, ...context }, index) => {
    const report = onepath.validateGenerationNode(config, context);
    const placed = (finding) => ({ ...finding, pointer: inLine(finding).pointer.replace(/^\/options/, '') });
    const ours = JSON.stringify({ ...report, findings: report.findings.map(placed) });
    if (ours !== answers[index]) assert.fail(`validate of ${JSON.stringify(contexts[index])}\nnative ${answers[index]}\nwasm   ${ours}`);
  });
  context.diagnostic(`note: ${COUNT} documents, ${refused} of them refused: 0 differences`);
});

test('native, WebAssembly and npm canonicalize agree on random values', async () => {
  const choose = random(77);
  const values = Array.from({ length: 20_000 }, () => anyValue(choose));
  const texts = values.map((value) => canonicalizeByOther(value));
  const answers = await batch('canon', values.map((value) => JSON.stringify(value)));
  values.forEach((value, index) => {
    assert.equal(onepath.canonicalize(value), texts[index]);
    assert.equal(answers[index], texts[index]);
  });
});
