// Gives the bindings their module. Every entry of the package starts it in its own way; whichever
// comes first counts, and the others find it running.

import * as bindings from './bindings.js';

let started = false;

const before = new Proxy(Object.create(null), {
  get() {
    throw new Error(
      'onepath was used before it was started: call `init` or `initSync` of `onepath/slim` first',
    );
  },
});
bindings.__wbg_set_wasm(before);

export function isStarted() {
  return started;
}

/** What the module imports. */
export const imports = { './onepath_bg.js': bindings };

/** Takes an instance of the module into use. */
export function use(instance) {
  if (started) return;
  bindings.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start?.();
  started = true;
}

/** Compiles and starts, all at once. */
export function start(source) {
  if (started) return;
  const module = source instanceof WebAssembly.Module ? source : new WebAssembly.Module(source);
  use(new WebAssembly.Instance(module, imports));
}
