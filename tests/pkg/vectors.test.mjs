// The golden vectors, answered through the package: the same bytes as the crate gives.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import canonicalizeByOther from 'canonicalize';
import * as onepath from 'onepath';

import { vectors } from './places.mjs';

const cases = readFileSync(`${vectors}/v1.jsonl`, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
const sha = (text) => createHash('sha256').update(text).digest('hex');
const short = (findings) => findings.map(({ code, pointer }) => `${code} ${pointer}`);

function answer(input) {
  if (input.request === undefined) {
    const { report, ...made } = onepath.prepare(input.config ?? {}, input.options ?? {});
    return { findings: short(report.findings), ...made };
  }
  try {
    // A request travels in its one spelling: what `rebound` under no bounds gives back.
    const { request } = onepath.rebound(input.request, {});
    const { bounds: given } = request;
    if (input.request.bounds === undefined && JSON.stringify(given) === '{}') delete request.bounds;
    return { findings: [], request, fingerprint: onepath.fingerprintRequest(input.request) };
  } catch (error) {
    assert.ok(error instanceof onepath.OnepathRefusal, error);
    return { findings: short(error.findings) };
  }
}

/** Faults of reading stand in the file without the name of the argument that has them. */
const bare = (finding) => finding.replace(' /options', ' ');
const reading = (finding) => /^(json|seed\/unknown|seed\/malformed|style\/unknown|rating\/unknown)/.test(finding);

test('every golden vector', () => {
  assert.ok(cases.length >= 400);
  for (const one of cases) {
    const found = answer(one.input);
    if (one.findings.some(reading) && one.request === undefined) {
      // The file holds the faults of reading alone; a walk goes on with the rules that they leave.
      const faults = found.findings.slice(0, one.findings.length).map(bare);
      assert.deepEqual(faults, one.findings.map(bare), one.name);
      continue;
    }
    assert.deepEqual(found.findings, one.findings, one.name);
    assert.deepEqual(found.request, one.request, one.name);
    assert.deepEqual(found.fingerprint, one.fingerprint, one.name);
    if (one.input.request === undefined) {
      assert.equal(found.canonical, one.canonical, one.name);
      assert.deepEqual(found.band, one.band, one.name);
    }
  }
});

test('each door gives the same as the whole walk', () => {
  for (const { name, input, request, fingerprint, canonical } of cases) {
    if (input.request !== undefined || request === undefined) continue;
    const { config, options } = input;
    assert.deepEqual(onepath.buildGenerateContentRequest(config, options), request, name);
    assert.deepEqual(onepath.fingerprint(config, options), fingerprint, name);
    assert.equal(onepath.computeCacheKey(config, options), fingerprint.cache_key, name);
    assert.equal(onepath.canonicalIdentity(config, options), canonical, name);
    if (fingerprint.cache_key !== undefined) {
      assert.equal(onepath.parseCacheKey(fingerprint.cache_key).type, config.generationType, name);
    }
  }
});

test('canonical text and hashes by code that is not ours', () => {
  let checked = 0;
  for (const { name, input, identity, fingerprint } of cases) {
    if (identity === undefined || input.request !== undefined) continue;
    const text = canonicalizeByOther(identity);
    assert.equal(onepath.canonicalIdentity(input.config, input.options), text, name);
    assert.equal(onepath.canonicalize(identity), text, name);
    const family = sha(`onepath/v1/family\n${text}`);
    assert.equal(onepath.fingerprint(input.config, input.options).family_hash, family, name);
    const { seed } = fingerprint;
    const pair = canonicalizeByOther(seed === undefined ? [family] : [family, seed]);
    assert.equal(fingerprint.request_hash, sha(`onepath/v1/request\n${pair}`), name);
    checked += 1;
  }
  assert.ok(checked > 250, `${checked}`);
});

test('the cases computed from the contract by an independent hand', () => {
  const all = JSON.parse(readFileSync(`${vectors}/contract_cases.json`, 'utf8'));
  assert.equal(all.length, 36);
  for (const { name, config, options, expect } of all) {
    const { report, fingerprint, canonical, band } = onepath.prepare(config, options);
    if (expect.errors.length > 0) {
      const codes = report.findings.map(({ code }) => code);
      for (const code of expect.errors) assert.ok(codes.includes(code), `${name}: ${code}`);
      continue;
    }
    assert.equal(fingerprint.request_hash ?? null, expect.request_hash, name);
    assert.equal(fingerprint.family_hash ?? null, expect.family_hash, name);
    assert.equal(fingerprint.cache_key ?? null, expect.cache_key, name);
    assert.equal(fingerprint.seed ?? null, expect.seed, name);
    assert.equal(canonical ?? null, expect.canonical, name);
    assert.equal(band.effective, expect.band, name);
    assert.deepEqual(fingerprint.pending ?? [], expect.pending, name);
  }
});
