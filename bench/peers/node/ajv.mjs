// The ajv half of the peers: schemas compiled once to plain functions, as a service does at start.

import { readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';

const readSchema = (url) => JSON.parse(readFileSync(url, 'utf8'));

/** Compiles one of our schemas, in strict mode. The first error ends a check: the cheapest form. */
export function compile(name) {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
  return ajv.compile(readSchema(new URL(`schema/${name}.json`, import.meta.url)));
}

/** Compiles a schema made elsewhere, whose formats and annotations ajv may not know. */
export function compileForeign(file) {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  return ajv.compile(readSchema(file));
}
