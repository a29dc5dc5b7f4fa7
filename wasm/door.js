// What stands between values of JavaScript and JSON text. `src/door.rs` calls it.

const NAMES = [
  'config', 'options', 'session', 'world', 'npcIds', 'left', 'right', 'providers', 'value',
  'template', 'variables', 'request', 'prices', 'bounds', 'provider', 'document',
];

/** Deeper than any document may be: what is left to `JSON.stringify`, which knows cycles. */
const DEEP = 500;

/** Whether the walk met something whose JSON text it cannot foresee, such as `toJSON`. */
let special = false;

/** Why a value that is no object has no JSON text. */
function misfit(value, inList) {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? undefined : `is ${value}, which JSON does not have`;
    case 'bigint':
      return 'is a BigInt, which JSON does not have';
    case 'function':
    case 'symbol':
      return `is a ${typeof value}, which JSON does not have`;
    case 'undefined':
      return inList ? 'is undefined, which JSON does not have' : undefined;
    default:
      return undefined;
  }
}

/** The first place below `value` that has no JSON text, as `{ why, path }`. */
function fault(value, inList, depth) {
  if (typeof value === 'string') return undefined;
  if (typeof value !== 'object' || value === null) {
    const why = misfit(value, inList);
    return why === undefined ? undefined : { why, path: [] };
  }
  if (depth > DEEP) return undefined;
  if (Array.isArray(value)) {
    if (typeof value.toJSON === 'function') special = true;
    for (let index = 0; index < value.length; index += 1) {
      const found = fault(value[index], true, depth + 1);
      if (found !== undefined) return below(found, index);
    }
    return undefined;
  }
  if (
    typeof value.toJSON === 'function' ||
    value instanceof Number ||
    value instanceof String ||
    value instanceof Boolean
  ) {
    special = true;
    return undefined;
  }
  const names = Object.keys(value);
  if (names.length === 0 && (value instanceof Map || value instanceof Set)) {
    return { why: `is a ${value.constructor.name}, which JSON does not have`, path: [] };
  }
  for (let index = 0; index < names.length; index += 1) {
    const found = fault(value[names[index]], false, depth + 1);
    if (found !== undefined) return below(found, names[index]);
  }
  return undefined;
}

function below(found, name) {
  found.path.unshift(name);
  return found;
}

/** The same look at every value that `JSON.stringify` itself sees, behind every `toJSON`. */
function watch(name, value) {
  const bare = value instanceof Number ? Number(value) : value;
  const why = misfit(bare, Array.isArray(this));
  if (why !== undefined) throw new TypeError(`\`${name}\` ${why}`);
  return value;
}

export function toText(value, name) {
  special = false;
  const found = fault(value, true, 0);
  if (found !== undefined) {
    const at = [NAMES[name], ...found.path].join('.');
    throw new TypeError(`onepath: \`${at}\` ${found.why}`);
  }
  let text;
  try {
    text = special ? JSON.stringify(value, watch) : JSON.stringify(value);
  } catch (error) {
    const why = error instanceof RangeError ? 'it is nested too deeply' : error?.message;
    throw new TypeError(`onepath: \`${NAMES[name]}\` cannot become JSON: ${why}`, { cause: error });
  }
  if (text === undefined) throw new TypeError(`onepath: \`${NAMES[name]}\` cannot become JSON`);
  return text;
}

export const toValue = JSON.parse;

export const toMisuse = (message) => new TypeError(`onepath: ${message}`);

/** A request was not made; `findings` says why. */
export class OnepathRefusal extends Error {
  constructor(findings) {
    const [first] = findings;
    const place = first?.pointer ? ` at \`${first.pointer}\`` : '';
    super(first === undefined ? 'refused' : `${first.message}${place} [${first.code}]`);
    this.name = 'OnepathRefusal';
    this.findings = findings;
  }
}

export function toRefusal(findings) {
  return new OnepathRefusal(JSON.parse(findings));
}
