// Cloudflare's workerd compiles modules before the program starts, and only then.

import module from './onepath.wasm';
import { start } from './start.js';

start(module);

export * from './api.js';
