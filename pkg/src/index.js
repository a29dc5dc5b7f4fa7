// The default entry: the module stands in its text, so that importing is enough. `onepath-bindgen`
// puts `inline.js` and `inflate.js` in this file.

import { inflate } from './inflate.js';
import inline, { size } from './inline.js';
import { isStarted, start } from './start.js';

function bytes() {
  if (Uint8Array.fromBase64 !== undefined) return Uint8Array.fromBase64(inline);
  if (globalThis.Buffer !== undefined) return globalThis.Buffer.from(inline, 'base64');
  const text = atob(inline);
  const out = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) out[index] = text.charCodeAt(index);
  return out;
}

/** Node and its kin inflate faster than JavaScript can. */
function inflated(source) {
  const zlib = globalThis.process?.getBuiltinModule?.('node:zlib');
  return zlib?.inflateRawSync === undefined ? inflate(source, size) : zlib.inflateRawSync(source, { chunkSize: size });
}

if (!isStarted()) start(inflated(bytes()));

export * from './api.js';
