/** Gives the offset after the first place of what is looked for within `[from, to)` of a text, or -1. */
export type Find = (text: string, from: number, to: number) => number;

/** Up to here `indexOf` is fastest; its worst case is the product of both lengths. */
const SHORT = 32;

/** Looks for a text, in time linear in the text looked through (Knuth, Morris, Pratt). */
export function findText(wanted: string): Find {
  const { length } = wanted;
  if (length <= SHORT) {
    return (text, from, to) => {
      const at = text.indexOf(wanted, from);
      return at < 0 || at + length > to ? -1 : at + length;
    };
  }
  const borders = bordersOf(wanted);
  return (text, from, to) => {
    let matched = 0;
    for (let at = from; at < to; at += 1) {
      const c = text.charCodeAt(at);
      while (matched > 0 && wanted.charCodeAt(matched) !== c) matched = borders[matched - 1] as number;
      if (wanted.charCodeAt(matched) === c) matched += 1;
      if (matched === length) return at + 1;
    }
    return -1;
  };
}

/** For each prefix, the length of its longest proper prefix that is also its suffix. */
function bordersOf(text: string): Uint16Array {
  const borders = new Uint16Array(text.length);
  let border = 0;
  for (let at = 1; at < text.length; at += 1) {
    const c = text.charCodeAt(at);
    while (border > 0 && text.charCodeAt(border) !== c) border = borders[border - 1] as number;
    if (text.charCodeAt(border) === c) border += 1;
    borders[at] = border;
  }
  return borders;
}

/**
 * Looks for code points of which some (`any`) stand for every one, by Shift-And (Baeza-Yates, Gonnet 1992): a bit per
 * point tells whether the points up to it end here, so a step costs one word per 32 points.
 */
export function findPoints(wanted: readonly number[], any: number): Find {
  const words = Math.ceil(wanted.length / 32);
  const others = new Uint32Array(words);
  const masks = new Map<number, Uint32Array>();
  for (const [bit, point] of wanted.entries()) if (point === any) set(others, bit);
  for (const [bit, point] of wanted.entries()) {
    if (point === any) continue;
    let mask = masks.get(point);
    if (mask === undefined) {
      mask = others.slice();
      masks.set(point, mask);
    }
    set(mask, bit);
  }
  const state = new Uint32Array(words); // shared by all calls: nothing can call in between
  const lastWord = words - 1;
  const lastBit = (wanted.length - 1) & 31;
  return (text, from, to) => {
    state.fill(0);
    for (let at = from; at < to; at += 1) {
      const point = text.codePointAt(at) as number;
      if (point > 0xffff) at += 1;
      const mask = masks.get(point) ?? others;
      let carry = 1; // a match may begin at every point
      for (let word = 0; word < words; word += 1) {
        const before = state[word] as number;
        state[word] = ((before << 1) | carry) & (mask[word] as number);
        carry = before >>> 31;
      }
      if ((((state[lastWord] as number) >>> lastBit) & 1) === 1) return at + 1;
    }
    return -1;
  };
}

function set(mask: Uint32Array, bit: number): void {
  mask[bit >> 5] = (mask[bit >> 5] as number) | (1 << (bit & 31));
}
