// Random nodes with their context, valid and broken, from a seed: the same ones in every run.

/** xorshift32: enough for choosing. */
export function random(seed) {
  let state = seed >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
  const below = (count) => Math.floor(next() * count);
  return { next, below, pick: (list) => list[below(list.length)] };
}

/** What a part is replaced with. */
const OTHERS = [
  null, true, false, 0, -0, 1, -1, 5, 5.5, 0.1, 1e21, 1e-7, 2 ** 53, 2 ** 53 - 1, -(2 ** 53), 5e-324,
  1.7976931348623157e308, '', ' ', 'a', 'dialogue', 'once', 'always', 'restricted', 'G', 'deep',
  'R', 'slow', 'text with "quotes" and \\ and \u0007', 'é😀\ue000דּ', '\ud800', '{{ who }}',
  '{{ 1 }}', '{{{{ }}', 'asset:1', 'https://x.example/a?X-Amz-Signature=1', 'a|b%c', '-',
  'x'.repeat(129), [], [null], ['a', 'b', 'a'], [1, 'a', { b: null }], [[]], {}, { id: '' },
  { id: 'x' }, { a: { b: [] } }, { min: 1, max: 0, target: 9 }, { '\ue000': 1, '😀': 2, z: {}, '': '' },
];

/** Members that some object has, others must refuse. */
const NAMES = [
  'mood_from', 'moodFrom', 'mood_to', 'seed', 'promt', 'prompt', 'duration', 'npc_ids', 'npcIds',
  'local', 'pixverse', 'unknown', '__proto__', 'constructor', 'Ünicode', 'user_prefs',
  'seed_source', 'seedSource', 'negative_prompt', 'contentRating', 'from_scene', 'bounds', 'now',
];

const copy = (value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

/** Every object or list of a value, itself included. */
function holders(value, out = []) {
  if (typeof value === 'object' && value !== null) {
    out.push(value);
    for (const name of Object.keys(value)) holders(value[name], out);
  }
  return out;
}

function change(value, seeds, choose) {
  const holder = choose.pick(holders(value));
  const names = Object.keys(holder);
  const name = choose.pick(names.length > 0 ? names : ['a']);
  const put = (name, value) =>
    Object.defineProperty(holder, name, { value, writable: true, enumerable: true, configurable: true });
  switch (choose.below(6)) {
    case 0:
      if (Array.isArray(holder)) holder.pop();
      else delete holder[name];
      break;
    case 1:
      if (Array.isArray(holder)) holder.push(copy(choose.pick(OTHERS)));
      else put(choose.pick(NAMES), copy(choose.pick(OTHERS)));
      break;
    case 2: {
      // The same member as another vector has it: mostly valid.
      const other = choose.pick(seeds);
      const member = choose.pick(Object.keys(other));
      put(Array.isArray(holder) ? name : member, copy(other[member]));
      break;
    }
    default:
      put(name, copy(choose.pick(OTHERS)));
  }
}

/** `count` pairs `{config, options}`; about a third stay as a vector has them but for their context. */
export function* documents(cases, count, seed) {
  const choose = random(seed);
  const configs = cases.map(({ input }) => input.config).filter((config) => config !== undefined);
  const options = cases.map(({ input }) => input.options).filter((one) => one !== undefined);
  for (let index = 0; index < count; index += 1) {
    const document = { config: copy(choose.pick(configs)), options: copy(choose.pick(options)) };
    for (let times = choose.below(4); times > 0; times -= 1) {
      const part = choose.next() < 0.6 ? 'config' : 'options';
      change(document[part], part === 'config' ? configs : options, choose);
    }
    yield document;
  }
}

/** Any JSON value, for canonical text. */
export function anyValue(choose, depth = 0) {
  const kind = choose.below(depth > 4 ? 4 : 7);
  if (kind === 0) return choose.pick([null, true, false]);
  if (kind === 1) {
    const bits = new DataView(new ArrayBuffer(8));
    bits.setUint32(0, choose.next() * 2 ** 32);
    bits.setUint32(4, choose.next() * 2 ** 32);
    const number = bits.getFloat64(0);
    return Number.isFinite(number) ? number : choose.below(1000);
  }
  if (kind === 2) return choose.below(100) / choose.pick([1, 2, 10, 100]);
  if (kind === 3) return text(choose);
  if (kind === 4) return Array.from({ length: choose.below(4) }, () => anyValue(choose, depth + 1));
  return Object.fromEntries(
    Array.from({ length: choose.below(5) }, () => [text(choose), anyValue(choose, depth + 1)]),
  );
}

function text(choose) {
  const ranges = [[0, 128], [128, 0x800], [0xe000, 0xffff], [0x10000, 0x10ffff], [97, 123]];
  return Array.from({ length: choose.below(8) }, () => {
    const [low, high] = choose.pick(ranges);
    return String.fromCodePoint(low + choose.below(high - low));
  }).join('');
}
