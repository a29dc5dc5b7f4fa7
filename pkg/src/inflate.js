// Raw deflate (RFC 1951) back to bytes: the module stands in the default entry deflated, and browsers
// have no inflater that answers at once.

const LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

const QUICK = 9;

/** Codes of some lengths: short ones in a table by the next bits, long ones by counting. */
function table(lengths) {
  const quick = new Uint16Array(1 << QUICK);
  const counts = new Uint16Array(16);
  const symbols = [];
  let code = 0;
  for (let length = 1; length < 16; length += 1) {
    for (let symbol = 0; symbol < lengths.length; symbol += 1) {
      if (lengths[symbol] !== length) continue;
      symbols.push(symbol);
      counts[length] += 1;
      if (length <= QUICK) {
        let reversed = 0;
        for (let bit = 0; bit < length; bit += 1) reversed |= ((code >> bit) & 1) << (length - 1 - bit);
        for (let at = reversed; at < quick.length; at += 1 << length) quick[at] = (symbol << 4) | length;
      }
      code += 1;
    }
    code <<= 1;
  }
  return { quick, counts, symbols };
}

/** The `size` bytes that were deflated. */
export function inflate(source, size) {
  const out = new Uint8Array(size);
  let [at, next, bits, held] = [0, 0, 0, 0];
  const fill = (count) => {
    for (; held < count; held += 8) bits |= source[next++] << held;
  };
  const take = (count) => {
    fill(count);
    const value = bits & ((1 << count) - 1);
    bits >>>= count;
    held -= count;
    return value;
  };
  const symbol = ({ quick, counts, symbols }) => {
    fill(15);
    const found = quick[bits & (quick.length - 1)];
    if (found > 0) {
      bits >>>= found & 15;
      held -= found & 15;
      return found >> 4;
    }
    let [code, first, index] = [0, 0, 0];
    for (let length = 1; length < 16; length += 1) {
      code |= (bits >>> (length - 1)) & 1;
      if (code < first + counts[length]) {
        bits >>>= length;
        held -= length;
        return symbols[index + code - first];
      }
      index += counts[length];
      first = (first + counts[length]) << 1;
      code <<= 1;
    }
    throw new Error('onepath: the module in this entry is damaged');
  };
  for (let last = 0; last === 0; ) {
    last = take(1);
    const kind = take(2);
    if (kind === 0) {
      next -= held >> 3;
      [bits, held] = [0, 0];
      const length = take(16);
      take(16);
      out.set(source.subarray(next, next + length), at);
      [at, next] = [at + length, next + length];
      continue;
    }
    let lengths = [];
    let count = 288;
    if (kind === 1) {
      for (let index = 0; index < 318; index += 1) {
        lengths.push(index < 144 ? 8 : index < 256 ? 9 : index < 280 ? 7 : index < 288 ? 8 : 5);
      }
    } else {
      count = take(5) + 257;
      const all = count + take(5) + 1;
      const own = new Array(19).fill(0);
      const given = take(4) + 4;
      for (let index = 0; index < given; index += 1) own[ORDER[index]] = take(3);
      const code = table(own);
      while (lengths.length < all) {
        const found = symbol(code);
        if (found < 16) lengths.push(found);
        else {
          const value = found === 16 ? lengths.at(-1) : 0;
          const times = found === 16 ? take(2) + 3 : found === 17 ? take(3) + 3 : take(7) + 11;
          for (let index = 0; index < times; index += 1) lengths.push(value);
        }
      }
    }
    const literals = table(lengths.slice(0, count));
    const distances = table(lengths.slice(count));
    for (let found = symbol(literals); found !== 256; found = symbol(literals)) {
      if (found < 256) {
        out[at++] = found;
        continue;
      }
      const extra = found < 265 || found === 285 ? 0 : (found - 261) >> 2;
      const end = at + LENGTHS[found - 257] + take(extra);
      const step = symbol(distances);
      const more = step < 4 ? 0 : (step - 2) >> 1;
      const back = step < 4 ? step + 1 : ((2 + (step & 1)) << more) + 1 + take(more);
      for (; at < end; at += 1) out[at] = out[at - back];
    }
  }
  return out;
}
