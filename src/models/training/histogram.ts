import { BINS } from './bins.ts';

/** Numbers per bin: sum of gradients, sum of hessians, count of rows. */
export const CELL = 3;

/** Sums by column and bin: `[columns, 256, 3]`. */
export type Histogram = Float64Array;

export function newHistogram(columns: number): Histogram {
  return new Float64Array(columns * BINS * CELL);
}

/** Fills a histogram with the rows of a node. */
export function sumRows(
  into: Histogram,
  rows: Uint32Array,
  bins: Uint8Array,
  columns: number,
  gradients: Float64Array,
  hessians: Float64Array,
): void {
  into.fill(0);
  for (let i = 0; i < rows.length; i += 1) {
    const row = rows[i] as number;
    const gradient = gradients[row] as number;
    const hessian = hessians[row] as number;
    const from = row * columns;
    for (let column = 0, base = 0; column < columns; column += 1, base += BINS * CELL) {
      const at = base + (bins[from + column] as number) * CELL;
      into[at] = (into[at] as number) + gradient;
      into[at + 1] = (into[at + 1] as number) + hessian;
      into[at + 2] = (into[at + 2] as number) + 1;
    }
  }
}

/** What is left of a parent without one child: the other child, in the parent's place. */
export function subtract(parent: Histogram, child: Histogram): void {
  for (let i = 0; i < parent.length; i += 1) parent[i] = (parent[i] as number) - (child[i] as number);
}
