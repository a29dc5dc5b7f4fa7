// The default entry: the module stands in the text of `inline.js`, so that importing is enough.

import inline from './inline.js';
import { isStarted, start } from './start.js';

function bytes() {
  if (Uint8Array.fromBase64 !== undefined) return Uint8Array.fromBase64(inline);
  if (globalThis.Buffer !== undefined) return globalThis.Buffer.from(inline, 'base64');
  const text = atob(inline);
  const out = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) out[index] = text.charCodeAt(index);
  return out;
}

if (!isStarted()) start(bytes());

export * from './api.js';
