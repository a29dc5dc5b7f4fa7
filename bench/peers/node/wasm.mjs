// The npm package as a peer, and the judges of what an editor does at each keystroke. `wasm.mjs
// PAYLOAD` speaks the protocol of `peer.mjs`.

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { compile } from './ajv.mjs';
import { forms } from './forms.mjs';

const FORMS = forms(readFileSync(process.argv[2], 'utf8').trimEnd().split('\n'), compile);

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
