// The forms in a page: `browser.mjs` bundles this and asks it.

import Ajv2020 from 'ajv/dist/2020.js';
import { forms } from './forms.mjs';
import config from './schema/config.json' with { type: 'json' };
import options from './schema/options.json' with { type: 'json' };

const schemas = { config, options };
const compile = (name) => new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schemas[name]);

let known;
let kept; // the last result, so that no run is without effect

export async function list() {
  const text = await (await fetch('/payload')).text();
  known = forms(text.trimEnd().split('\n'), compile);
  return Object.keys(known);
}

/** Nanoseconds an operation takes. A page has no clock of its CPU time. */
export function measure(name, count) {
  const { inputs, run } = known[name];
  const before = performance.now();
  for (let done = 0, next = 0; done < count; done++) {
    kept = run(inputs[next]);
    if (++next === inputs.length) next = 0;
  }
  return Math.round(((performance.now() - before) * 1e6) / count);
}
