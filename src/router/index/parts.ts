import type { Candidates, Posting } from './posting.ts';
import { Sieve } from './sieve.ts';

/** The lengths that a text is cut to, so that one pass over a value for each finds all that it may hold. */
const LENGTHS = [8, 4, 2, 1] as const;

/** Most places of a text at which a piece may be taken. */
const MAX_PLACES = 32;

/** The pieces that a text can be looked for by: of one length, at each of its places; of a long text at the first only. */
export function* piecesOf(text: string): Generator<string, void, void> {
  const length = LENGTHS.find((one) => one <= text.length) ?? 0;
  const last = Math.min(text.length - length, MAX_PLACES - 1);
  for (let at = 0; at <= last; at += 1) yield text.slice(at, at + length);
}

interface Entry {
  readonly text: string;
  /** Where in the text the piece stands that it is found by. */
  readonly at: number;
  readonly posting: Posting;
}

interface Pieces {
  readonly length: number;
  readonly byHash: Map<number, Entry[]>;
}

/** Texts that values hold anywhere: each is found by the rolling hash of one piece of it. */
export class Parts {
  readonly #pieces: Pieces[] = [];
  /** Most windows of a value are done with here. */
  readonly #sieve: Sieve;

  constructor(size: number) {
    this.#sieve = new Sieve(size);
  }

  /** A text that is not there yet, and the piece of it that the fewest texts share. */
  set(text: string, piece: string, posting: Posting): void {
    const { length } = piece;
    let pieces = this.#pieces.find((one) => one.length === length);
    if (pieces === undefined) {
      pieces = { length, byHash: new Map() };
      this.#pieces.push(pieces);
    }
    let hash = 0;
    const shift = shiftFor(length);
    for (let at = 0; at < length; at += 1) hash = roll(hash, shift, piece.charCodeAt(at));
    this.#sieve.add(spread(hash));
    const entry = { text, at: text.indexOf(piece), posting };
    const entries = pieces.byHash.get(hash);
    if (entries === undefined) pieces.byHash.set(hash, [entry]);
    else entries.push(entry);
  }

  /** `codes` are those of the value. */
  gather(value: string, codes: Uint16Array, into: Candidates): void {
    const sieve = this.#sieve;
    for (const { length, byHash } of this.#pieces) {
      const shift = shiftFor(length);
      let hash = 0;
      for (let at = 0; at < value.length; at += 1) {
        hash = roll(hash, shift, codes[at] as number);
        if (at + 1 < length || !sieve.has(spread(hash))) continue;
        const entries = byHash.get(hash);
        if (entries !== undefined) addHeld(entries, value, at + 1 - length, into);
      }
    }
  }
}

/** Adds those whose piece at `from` is a part of the whole text. */
function addHeld(entries: readonly Entry[], value: string, from: number, into: Candidates): void {
  for (const { text, at, posting } of entries) if (value.startsWith(text, from - at) && from >= at) into.add(posting);
}

/** So that the characters before a window of that length are shifted out of the 32 bits. */
function shiftFor(length: number): number {
  return Math.ceil(32 / length);
}

/** The hash of a window that moves on by one character. */
function roll(hash: number, shift: number, code: number): number {
  return shift === 32 ? code : (hash << shift) ^ code;
}

function spread(hash: number): number {
  const product = Math.imul(hash, 0x9e3779b1);
  return product ^ (product >>> 15);
}
