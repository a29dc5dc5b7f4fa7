// The same functions, without the module: the caller brings it, as bytes, a response or compiled.

import { imports, isStarted, start, use } from './start.js';

export * from './api.js';

/** Starts from bytes or a compiled module, at once. */
export function initSync(source) {
  if (isStarted()) return;
  if (!isModule(source) && !isBytes(source)) {
    throw new TypeError('onepath: `initSync` takes the bytes of `onepath.wasm`, or a WebAssembly.Module');
  }
  start(source);
}

let starting;

/** Starts from bytes, a compiled module, a response, or the address of `onepath.wasm`. */
export function init(source) {
  if (isStarted()) return Promise.resolve();
  starting ??= load(source).finally(() => {
    starting = undefined;
  });
  return starting;
}

async function load(given) {
  let source = await given;
  if (typeof source === 'string' || source instanceof URL) source = await fetch(source);
  if (typeof Response === 'function' && source instanceof Response) {
    if (!source.ok) throw new Error(`onepath: ${source.url} answered ${source.status}`);
    source = await source.arrayBuffer();
  }
  if (!isModule(source) && !isBytes(source)) {
    throw new TypeError(
      'onepath: `init` takes the bytes of `onepath.wasm`, its address, a response or a WebAssembly.Module',
    );
  }
  const module = isModule(source) ? source : await WebAssembly.compile(source);
  use(await WebAssembly.instantiate(module, imports));
}

function isModule(source) {
  return source instanceof WebAssembly.Module;
}

function isBytes(source) {
  return source instanceof ArrayBuffer || ArrayBuffer.isView(source);
}
