export * from './index.js';

/** The bytes of `onepath.wasm`, or the module compiled from them. */
export type ModuleSource = ArrayBuffer | ArrayBufferView | WebAssembly.Module;

/** Starts from bytes or a compiled module, at once. */
export function initSync(source: ModuleSource): void;

/** Starts from bytes, a compiled module, a response, or the address of `onepath.wasm`. */
export function init(
  source: ModuleSource | Response | string | URL | PromiseLike<ModuleSource | Response>,
): Promise<void>;
