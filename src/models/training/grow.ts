import { type BinBounds, MISSING_BIN } from './bins.ts';
import { type Histogram, newHistogram, subtract, sumRows } from './histogram.ts';
import { bestSplit, type SplitRules, type Sums } from './split.ts';
import type { Tree } from './tree.ts';

export interface GrowRules extends SplitRules {
  readonly maxDepth: number;
}

/** What a leaf adds, given its rows; the shrinkage is part of it. */
export type LeafValue = (rows: Uint32Array, sums: Sums) => number;

/** Grows trees over the same binned rows; its buffers are used again. */
export class Grower {
  readonly #bins: Uint8Array;
  readonly #bounds: BinBounds;
  readonly #rules: GrowRules;
  /** Two per level at most are in use at once. */
  readonly #spare: Histogram[] = [];
  readonly #scratch: Uint32Array;

  constructor(bins: Uint8Array, bounds: BinBounds, rows: number, rules: GrowRules) {
    this.#bins = bins;
    this.#bounds = bounds;
    this.#rules = rules;
    this.#scratch = new Uint32Array(rows);
  }

  /**
   * One tree over `rows`, whose order it changes.
   *
   * @param gradients Derivative of the loss by the prediction, by row. @param hessians The second one.
   */
  grow(
    rows: Uint32Array,
    gradients: Float64Array,
    hessians: Float64Array,
    used: Uint8Array,
    leafValue: LeafValue,
  ): Tree {
    const nodes = new NodeList();
    const columns = this.#bounds.length;
    const branch = (part: Uint32Array, histogram: Histogram, depth: number): number => {
      const node = nodes.add();
      const sums = sumsOf(part, gradients, hessians);
      const split =
        depth < this.#rules.maxDepth && part.length >= 2 * this.#rules.minLeaf
          ? bestSplit(histogram, sums, used, this.#rules)
          : undefined;
      if (split === undefined) {
        nodes.value[node] = leafValue(part, sums);
        this.#spare.push(histogram);
        return node;
      }
      const cut = this.#partition(part, split.column, split.bin, split.missingLeft);
      const [left, right] = [part.subarray(0, cut), part.subarray(cut)];
      // only the smaller side is summed; the larger is what is left of the parent
      const smaller = this.#spare.pop() ?? newHistogram(columns);
      sumRows(smaller, left.length <= right.length ? left : right, this.#bins, columns, gradients, hessians);
      subtract(histogram, smaller);
      const [ofLeft, ofRight] = left.length <= right.length ? [smaller, histogram] : [histogram, smaller];
      nodes.column[node] = split.column;
      nodes.bin[node] = split.bin;
      // after the last bin only missing values go right
      nodes.threshold[node] = this.#bounds[split.column]?.[split.bin] ?? Number.POSITIVE_INFINITY;
      nodes.missingLeft[node] = split.missingLeft ? 1 : 0;
      nodes.left[node] = branch(left, ofLeft, depth + 1);
      nodes.right[node] = branch(right, ofRight, depth + 1);
      return node;
    };
    const root = this.#spare.pop() ?? newHistogram(columns);
    sumRows(root, rows, this.#bins, columns, gradients, hessians);
    branch(rows, root, 0);
    return nodes.tree();
  }

  /** Moves the rows that go left to the front, order kept on both sides; gives their number. */
  #partition(rows: Uint32Array, column: number, bin: number, missingLeft: boolean): number {
    const columns = this.#bounds.length;
    let left = 0;
    let right = 0;
    for (let i = 0; i < rows.length; i += 1) {
      const row = rows[i] as number;
      const here = this.#bins[row * columns + column] as number;
      if (here === MISSING_BIN ? missingLeft : here <= bin) rows[left++] = row;
      else this.#scratch[right++] = row;
    }
    rows.set(this.#scratch.subarray(0, right), left);
    return left;
  }
}

function sumsOf(rows: Uint32Array, gradients: Float64Array, hessians: Float64Array): Sums {
  let gradient = 0;
  let hessian = 0;
  for (let i = 0; i < rows.length; i += 1) {
    gradient += gradients[rows[i] as number] as number;
    hessian += hessians[rows[i] as number] as number;
  }
  return { gradient, hessian, count: rows.length };
}

/** The nodes of a tree that grows. */
class NodeList {
  readonly column: number[] = [];
  readonly threshold: number[] = [];
  readonly bin: number[] = [];
  readonly left: number[] = [];
  readonly right: number[] = [];
  readonly missingLeft: number[] = [];
  readonly value: number[] = [];

  add(): number {
    for (const list of [this.threshold, this.bin, this.left, this.right, this.missingLeft, this.value]) list.push(0);
    return this.column.push(-1) - 1;
  }

  tree(): Tree {
    return {
      column: Int32Array.from(this.column),
      threshold: Float32Array.from(this.threshold),
      bin: Uint8Array.from(this.bin),
      left: Int32Array.from(this.left),
      right: Int32Array.from(this.right),
      missingLeft: Uint8Array.from(this.missingLeft),
      value: Float32Array.from(this.value),
    };
  }
}
