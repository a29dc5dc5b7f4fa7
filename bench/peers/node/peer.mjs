// One peer process. `peer.mjs PAYLOAD` reads commands from stdin, one a line:
//
//   list      answers the names of the forms, separated by spaces
//   check     answers `check NAME=DIGEST ...`: one digest of all hashes and keys for each form that
//             goes the whole way; those of all peers, the Python ones too, must be equal, or their
//             times are not those of the same work
//   NAME N    runs N operations of a form and answers `NAME CPU_NS_PER_OP`
//
// The driver interleaves its rounds over several such processes and does the warming up.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import canonicalize from 'canonicalize';
import stableStringify from 'safe-stable-stringify';
import { compile } from './ajv.mjs';
import { buildRequest, fingerprint } from './build.mjs';
import { configSchema, optionsSchema } from './zod.mjs';

/** Each line is decoded on its own: slices of one big string are all as wide as its widest char. */
function readLines(file) {
  const bytes = readFileSync(file);
  const lines = [];
  for (let start = 0, end; (end = bytes.indexOf(10, start)) !== -1; start = end + 1) {
    lines.push(bytes.toString('utf8', start, end));
  }
  return lines;
}

const isConfig = compile('config');
const isOptions = compile('options');

/** ajv judges the parsed value where it lies; `toText` is the canonical writer. */
function withAjv({ config, options }, toText) {
  if (!isConfig(config)) throw new Error(JSON.stringify(isConfig.errors));
  if (!isOptions(options)) throw new Error(JSON.stringify(isOptions.errors));
  return fingerprint(buildRequest(config, options), toText);
}

/** zod builds a checked copy, and that is what the request is made of. */
function withZod({ config, options }) {
  const request = buildRequest(configSchema.parse(config), optionsSchema.parse(options));
  return fingerprint(request, canonicalize);
}

const texts = readLines(process.argv[2]);
const values = texts.map((text) => JSON.parse(text));
const requests = values.map(({ config, options }) => buildRequest(config, options));

// The stable forms take a writer that knows less (it lets NaN and lone surrogates pass) and is the
// fastest of its kind; for the payload its text is the same.
const FORMS = {
  'zod-text': { inputs: texts, run: (text) => withZod(JSON.parse(text)) },
  'zod-value': { inputs: values, run: withZod },
  'ajv-text': { inputs: texts, run: (text) => withAjv(JSON.parse(text), canonicalize) },
  'ajv-value': { inputs: values, run: (value) => withAjv(value, canonicalize) },
  'ajv-stable-text': { inputs: texts, run: (text) => withAjv(JSON.parse(text), stableStringify) },
  'ajv-stable-value': { inputs: values, run: (value) => withAjv(value, stableStringify) },
  'canonicalize-only': { inputs: requests, run: canonicalize },
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

function digest({ inputs, run }) {
  const hash = createHash('sha256');
  for (const input of inputs) {
    const { requestHash, cacheKey } = run(input);
    hash.update(`${requestHash} ${cacheKey}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

function answer(line) {
  const [name, count] = line.trim().split(/\s+/);
  if (name === 'list') return Object.keys(FORMS).join(' ');
  if (name === 'check') {
    const whole = Object.entries(FORMS).filter(([key]) => key !== 'canonicalize-only');
    const digests = whole.map(([key, form]) => `${key}=${digest(form)}`);
    return `check ${digests.join(' ')}`;
  }
  if (!(name in FORMS) || !(Number(count) > 0)) throw new Error(`no such command: ${line}`);
  return `${name} ${measure(FORMS[name], Number(count))}`;
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${answer(line)}\n`);
}
