import type { Candidates, Posting } from './posting.ts';
import { Sieve } from './sieve.ts';

/**
 * Texts that values begin (or end) with, by a hash that grows with each character: one pass over a value finds all of its
 * prefixes (or suffixes) that are there, and looks only at lengths that occur.
 */
export class Affixes {
  readonly #fromEnd: boolean;
  readonly #texts: string[] = [];
  readonly #postings: Posting[] = [];
  readonly #hashes: Int32Array;
  /** Number of a text plus one, by hash, with linear probing; at least half of it is free. */
  readonly #slots: Int32Array;
  readonly #mask: number;
  readonly #sieve: Sieve;
  /** By length: whether a text has it. */
  #lengths = new Uint8Array(16);
  #longest = 0;

  constructor(size: number, fromEnd: boolean) {
    this.#fromEnd = fromEnd;
    this.#hashes = new Int32Array(size);
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(2 * size, 2))));
    this.#mask = this.#slots.length - 1;
    this.#sieve = new Sieve(size);
  }

  /** A text that is not there yet and not empty. */
  set(text: string, posting: Posting): void {
    const number = this.#texts.length;
    const { length } = text;
    let hash = SEED;
    for (let at = 0; at < length; at += 1) hash = step(hash, text.charCodeAt(this.#fromEnd ? length - 1 - at : at));
    this.#texts.push(text);
    this.#postings.push(posting);
    this.#hashes[number] = hash;
    this.#sieve.add(spread(hash));
    let slot = spread(hash) & this.#mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
    this.#slots[slot] = number + 1;
    if (length > this.#longest) {
      this.#longest = length;
      if (length >= this.#lengths.length) {
        const grown = new Uint8Array(length * 2);
        grown.set(this.#lengths);
        this.#lengths = grown;
      }
    }
    this.#lengths[length] = 1;
  }

  /** `codes` are those of the value. */
  gather(value: string, codes: Uint16Array, into: Candidates): void {
    const { length } = value;
    const longest = Math.min(length, this.#longest);
    const lengths = this.#lengths;
    const fromEnd = this.#fromEnd;
    const sieve = this.#sieve;
    let hash = SEED;
    for (let at = 0; at < longest; at += 1) {
      hash = step(hash, codes[fromEnd ? length - 1 - at : at] as number);
      if (lengths[at + 1] === 1 && sieve.has(spread(hash))) this.#probe(hash, value, into);
    }
  }

  #probe(hash: number, value: string, into: Candidates): void {
    const slots = this.#slots;
    let slot = spread(hash) & this.#mask;
    for (let found = slots[slot] as number; found !== 0; found = slots[slot] as number) {
      if (this.#hashes[found - 1] === hash) {
        const text = this.#texts[found - 1] as string;
        if (this.#fromEnd ? value.endsWith(text) : value.startsWith(text))
          into.add(this.#postings[found - 1] as Posting);
      }
      slot = (slot + 1) & this.#mask;
    }
  }
}

const SEED = 0x811c9dc5 | 0;

/** FNV-1a, a character at a time. */
function step(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193);
}

/** The low bits depend on the last characters alone: the high ones are mixed in. */
function spread(hash: number): number {
  return hash ^ (hash >>> 15);
}
