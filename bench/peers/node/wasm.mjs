// The npm package as a peer, and the judges of what an editor does at each keystroke.
//
// `wasm.mjs PAYLOAD` speaks the protocol of `peer.mjs`. `resident` forms change one field of a
// document that lives in the module and ask for the answer; the others get plain values.

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import canonicalize from 'canonicalize';
import { Document, fingerprint, isGenerationNodeValid } from 'onepath';
import { compile } from './ajv.mjs';
import { buildRequest, fingerprint as fingerprintInJs } from './build.mjs';

const lines = readFileSync(process.argv[2], 'utf8').trimEnd().split('\n');
const values = lines.map((line) => JSON.parse(line));
const isConfig = compile('config');
const isOptions = compile('options');

/** What a browser can do without waiting. */
const noble = (text) => bytesToHex(sha256(utf8ToBytes(text)));

const documents = lines.map((line) => new Document(line));
let turn = 0;

/** Another number at the same place: what a slider does. */
const slide = () => 5 + (++turn % 7) / 2;

const FORMS = {
  'keystroke-ajv': {
    inputs: values,
    run: (value) => {
      value.config.duration.target = slide();
      return isConfig(value.config);
    },
  },
  'keystroke-onepath-resident': {
    inputs: documents,
    run: (document) => {
      document.set('/config/duration/target', slide());
      return document.findings();
    },
  },
  'keystroke-onepath-value': {
    inputs: values,
    run: (value) => {
      value.config.duration.target = slide();
      return isGenerationNodeValid(value.config);
    },
  },
  'print-onepath-resident': {
    inputs: documents,
    run: (document) => {
      document.set('/config/duration/target', slide());
      return document.fingerprint();
    },
  },
  'print-onepath-value': { inputs: values, run: ({ config, options }) => fingerprint(config, options) },
  'print-ajv-noble': {
    inputs: values,
    run: ({ config, options }) => {
      if (!isConfig(config) || !isOptions(options)) throw new Error('not valid');
      return fingerprintInJs(buildRequest(config, options), canonicalize, noble);
    },
  },
};

let kept; // the last result, so that no run is without effect

function measure({ inputs, run }, count) {
  const before = process.cpuUsage();
  for (let done = 0, next = 0; done < count; done++) {
    kept = run(inputs[next]);
    if (++next === inputs.length) next = 0;
  }
  const { user, system } = process.cpuUsage(before);
  return Math.round(((user + system) * 1000) / count);
}

for await (const line of createInterface({ input: process.stdin })) {
  const [name, count] = line.trim().split(/\s+/);
  if (name === 'list') process.stdout.write(`${Object.keys(FORMS).join(' ')}\n`);
  else if (name in FORMS && Number(count) > 0) {
    process.stdout.write(`${name} ${measure(FORMS[name], Number(count))}\n`);
  } else throw new Error(`no such command: ${line}`);
}
