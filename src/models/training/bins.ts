/** Bin of a missing value. Present ones are in 0 … 254. */
export const MISSING_BIN = 255;
export const BINS = 256;

/** Rows that the bounds of a column are taken from at most. */
const SAMPLE_ROWS = 50_000;

/**
 * Bounds of the bins, column by column: a value is in the first bin whose bound it does not exceed, and the last bin has no
 * bound. All are float32, so that `value <= bound` holds in a model exactly where it holds here.
 */
export type BinBounds = readonly Float32Array[];

/** Bounds with about the same number of rows between them; one between any two values where there are few. */
export function binBounds(features: Float32Array, rows: number, columns: number): BinBounds {
  const stride = Math.max(1, Math.ceil(rows / SAMPLE_ROWS));
  const sample = new Float32Array(Math.ceil(rows / stride));
  return Array.from({ length: columns }, (_, column) => {
    let count = 0;
    for (let row = 0; row < rows; row += stride) {
      const value = features[row * columns + column] as number;
      if (!Number.isNaN(value)) sample[count++] = value;
    }
    return boundsOf(sample.subarray(0, count).sort());
  });
}

function boundsOf(sorted: Float32Array): Float32Array {
  const distinct = distinctOf(sorted);
  const most = MISSING_BIN - 1;
  const bounds: number[] = [];
  if (distinct.length <= most + 1) {
    for (let i = 1; i < distinct.length; i += 1) bounds.push(between(distinct[i - 1] as number, distinct[i] as number));
  } else {
    for (let i = 1; i <= most; i += 1) {
      const at = Math.floor((i * sorted.length) / (most + 1));
      const value = sorted[at] as number;
      // the next greater value, so that a bound stands between two that were seen
      let next = at;
      while (next < sorted.length && sorted[next] === value) next += 1;
      if (next === sorted.length) break;
      const bound = between(value, sorted[next] as number);
      if (bounds.length === 0 || bound > (bounds.at(-1) as number)) bounds.push(bound);
    }
  }
  return Float32Array.from(bounds);
}

function distinctOf(sorted: Float32Array): number[] {
  const distinct: number[] = [];
  for (const value of sorted) {
    if (value !== distinct.at(-1)) distinct.push(value);
    if (distinct.length > MISSING_BIN) break;
  }
  return distinct;
}

/** A float32 at least `low` and less than `high`. */
function between(low: number, high: number): number {
  const middle = Math.fround(low + (high - low) / 2);
  return middle < high && middle >= low ? middle : low;
}

/** The bins of `[rows, columns]` values. */
export function binned(features: Float32Array, rows: number, bounds: BinBounds): Uint8Array {
  const columns = bounds.length;
  const bins = new Uint8Array(rows * columns);
  for (let column = 0; column < columns; column += 1) {
    const limits = bounds[column] as Float32Array;
    for (let at = column; at < rows * columns; at += columns) {
      bins[at] = binOf(features[at] as number, limits);
    }
  }
  return bins;
}

function binOf(value: number, bounds: Float32Array): number {
  if (Number.isNaN(value)) return MISSING_BIN;
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= (bounds[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}
