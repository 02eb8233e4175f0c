import { BINS, MISSING_BIN } from './bins.ts';
import { CELL, type Histogram } from './histogram.ts';

/** Sums over the rows of a node. */
export interface Sums {
  readonly gradient: number;
  readonly hessian: number;
  readonly count: number;
}

export interface Split {
  readonly column: number;
  /** Left are the bins up to this one. */
  readonly bin: number;
  readonly missingLeft: boolean;
  readonly gain: number;
}

export interface SplitRules {
  /** Least rows of a leaf. */
  readonly minLeaf: number;
  /** Added to the hessians: pulls leaves towards 0. */
  readonly lambda: number;
  /** Least gain of a split. */
  readonly minGain: number;
}

/**
 * The split of a node with the greatest gain (Chen and Guestrin 2016, eq. 7, without its constant). Where rows with a
 * missing value are there, both directions are tried; where none is, missing values go with the greater part.
 *
 * @param used Columns that may be split on.
 */
export function bestSplit(histogram: Histogram, sums: Sums, used: Uint8Array, rules: SplitRules): Split | undefined {
  const { minLeaf, lambda, minGain } = rules;
  const before = (sums.gradient * sums.gradient) / (sums.hessian + lambda);
  let best: Split | undefined;
  let bestGain = minGain;
  for (let column = 0; column < used.length; column += 1) {
    if (used[column] === 0) continue;
    const base = column * BINS * CELL;
    const missing = base + MISSING_BIN * CELL;
    const missingCount = histogram[missing + 2] as number;
    for (let pass = 0; pass < (missingCount > 0 ? 2 : 1); pass += 1) {
      const withLeft = pass === 1;
      let gradient = withLeft ? (histogram[missing] as number) : 0;
      let hessian = withLeft ? (histogram[missing + 1] as number) : 0;
      let count = withLeft ? missingCount : 0;
      for (let bin = 0, at = base; bin < MISSING_BIN; bin += 1, at += CELL) {
        const here = histogram[at + 2] as number;
        if (here === 0 && bin > 0) continue;
        gradient += histogram[at] as number;
        hessian += histogram[at + 1] as number;
        count += here;
        if (count < minLeaf) continue;
        if (sums.count - count < minLeaf) break;
        const other = sums.gradient - gradient;
        const gain =
          (gradient * gradient) / (hessian + lambda) + (other * other) / (sums.hessian - hessian + lambda) - before;
        if (!(gain > bestGain)) continue;
        bestGain = gain;
        best = { column, bin, missingLeft: missingCount > 0 ? withLeft : count * 2 >= sums.count, gain };
      }
    }
  }
  return best;
}
