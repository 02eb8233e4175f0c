import type { Candidates, Posting } from './posting.ts';

export interface Range {
  readonly low: number;
  readonly high: number;
  readonly posting: Posting;
}

/** Ranges that hold a value, in time logarithmic in the ranges plus linear in those found: sorted by their low ends, under a tree of their highest ends. */
export class Ranges {
  readonly #lows: Float64Array;
  readonly #postings: Posting[] = [];
  /** A complete binary tree; the leaves are the high ends, every other node the higher of its two. */
  readonly #highs: Float64Array;
  readonly #leaves: number;

  /** Ranges in ascending order of `low`. */
  constructor(sorted: readonly Range[]) {
    const count = sorted.length;
    this.#leaves = 2 ** Math.ceil(Math.log2(Math.max(count, 1)));
    this.#lows = new Float64Array(count);
    this.#highs = new Float64Array(2 * this.#leaves).fill(Number.NEGATIVE_INFINITY);
    for (let at = 0; at < count; at += 1) {
      const { low, high, posting } = sorted[at] as Range;
      this.#lows[at] = low;
      this.#highs[this.#leaves + at] = high;
      this.#postings.push(posting);
    }
    for (let node = this.#leaves - 1; node > 0; node -= 1)
      this.#highs[node] = Math.max(this.#highs[2 * node] as number, this.#highs[2 * node + 1] as number);
  }

  gather(value: number, into: Candidates): void {
    const lows = this.#lows;
    let from = 0;
    let to = lows.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((lows[middle] as number) <= value) from = middle + 1;
      else to = middle;
    }
    if (from > 0) this.#descend(1, 0, this.#leaves, from, value, into);
  }

  /** Visits the leaves before `end` whose high end is not below the value. */
  #descend(node: number, first: number, size: number, end: number, value: number, into: Candidates): void {
    if (first >= end || !((this.#highs[node] as number) >= value)) return;
    if (size === 1) {
      into.add(this.#postings[first] as Posting);
      return;
    }
    const half = size / 2;
    this.#descend(2 * node, first, half, end, value, into);
    this.#descend(2 * node + 1, first + half, half, end, value, into);
  }
}
