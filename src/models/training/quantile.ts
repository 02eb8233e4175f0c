const CELLS = 512;

/** A range in equal cells. */
class Cells {
  readonly low: number;
  readonly width: number;
  readonly weights = new Float64Array(CELLS);

  constructor(low: number, high: number) {
    this.low = low;
    this.width = (high - low) / CELLS;
  }

  of(value: number): number {
    return Math.max(0, Math.min(CELLS - 1, Math.floor((value - this.low) / this.width)));
  }

  /** The first cell with which the weights come to `wanted`, and what they come to before it. */
  reach(wanted: number): { readonly cell: number; readonly before: number } {
    let cell = 0;
    let before = 0;
    while (cell < CELLS - 1 && before + (this.weights[cell] as number) < wanted) {
      before += this.weights[cell] as number;
      cell += 1;
    }
    return { cell, before };
  }

  startOf(cell: number): number {
    return this.low + cell * this.width;
  }
}

/**
 * The weighted quantile of `values[i]`, `i` of `rows`: the least value at which the weights up to it reach the share `q`.
 * Found by counting into cells, and those of one cell into finer ones, so without sorting; exact to the range ÷ 262,144.
 */
export function weightedQuantile(rows: Uint32Array, values: Float64Array, weights: Float32Array, q: number): number {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let total = 0;
  for (let i = 0; i < rows.length; i += 1) {
    const row = rows[i] as number;
    const value = values[row] as number;
    if (value < low) low = value;
    if (value > high) high = value;
    total += weights[row] as number;
  }
  if (rows.length === 0) return 0;
  const coarse = new Cells(low, high);
  if (!(coarse.width > 0)) return high;
  for (let i = 0; i < rows.length; i += 1) {
    const row = rows[i] as number;
    const cell = coarse.of(values[row] as number);
    coarse.weights[cell] = (coarse.weights[cell] as number) + (weights[row] as number);
  }
  const found = coarse.reach(total * q);
  const start = coarse.startOf(found.cell);
  const fine = new Cells(start, start + coarse.width);
  if (!(fine.width > 0)) return Math.min(high, start + coarse.width);
  for (let i = 0; i < rows.length; i += 1) {
    const row = rows[i] as number;
    const value = values[row] as number;
    // By the cell that it was counted into: which side of a bound it is on is a matter of rounding.
    if (coarse.of(value) !== found.cell) continue;
    const cell = fine.of(value);
    fine.weights[cell] = (fine.weights[cell] as number) + (weights[row] as number);
  }
  return Math.min(high, fine.startOf(fine.reach(total * q - found.before).cell + 1));
}
