import type { Candidates, Posting } from './posting.ts';

/** The lengths that a text is cut to, so that one pass over a value for each finds all that it may hold. */
const LENGTHS = [8, 4, 2, 1] as const;

/** How long the piece is that stands for a text. */
export function pieceLength(text: string): number {
  return LENGTHS.find((length) => length <= text.length) ?? 0;
}

interface Pieces {
  readonly length: number;
  readonly byHash: Map<number, Entry[]>;
}

interface Entry {
  readonly piece: string;
  readonly posting: Posting;
}

/** Pieces that values hold anywhere, found by a rolling hash. */
export class Parts {
  readonly #pieces: Pieces[] = [];

  /** A piece of one of the lengths of {@link pieceLength}, which is not there yet. */
  set(piece: string, posting: Posting): void {
    const { length } = piece;
    let pieces = this.#pieces.find((one) => one.length === length);
    if (pieces === undefined) {
      pieces = { length, byHash: new Map() };
      this.#pieces.push(pieces);
    }
    let hash = 0;
    for (let at = 0; at < length; at += 1) hash = roll(hash, piece.charCodeAt(at), 0, 0);
    const entries = pieces.byHash.get(hash);
    if (entries === undefined) pieces.byHash.set(hash, [{ piece, posting }]);
    else entries.push({ piece, posting });
  }

  gather(value: string, into: Candidates): void {
    for (const { length, byHash } of this.#pieces) {
      const gone = POWERS[length] as number;
      let hash = 0;
      for (let at = 0; at < value.length; at += 1) {
        hash = roll(hash, value.charCodeAt(at), at < length ? 0 : value.charCodeAt(at - length), gone);
        if (at + 1 < length) continue;
        const entries = byHash.get(hash);
        if (entries === undefined) continue;
        for (const { piece, posting } of entries) if (value.startsWith(piece, at + 1 - length)) into.add(posting);
      }
    }
  }
}

const BASE = 0x01000193;
/** BASE to the power of a length. */
const POWERS: readonly number[] = Array.from({ length: 9 }, (_, length) => {
  let power = 1;
  for (let n = 0; n < length; n += 1) power = Math.imul(power, BASE);
  return power;
});

/** The hash of a window that moves on: one character comes in, one goes out. */
function roll(hash: number, code: number, left: number, gone: number): number {
  return (Math.imul(hash, BASE) + code - Math.imul(left, gone)) | 0;
}
