import type { TrainingRow } from '../../core/training-row.ts';
import type { Dataset } from './dataset.ts';

/** Latencies below this, in ms, count as this: their logarithm has no end. */
const LEAST_MS = 1e-3;

/** Gathers rows in columns. Of more than `maxRows` the last are kept, so memory is bounded. */
export class RowCollector {
  readonly #width: number;
  readonly #maxRows: number;
  readonly #targets = new Map<string, number>();
  #columns: Columns;
  #seen = 0;

  /** @param width Features of a row. */
  constructor(width: number, maxRows: number) {
    this.#width = width;
    this.#maxRows = maxRows;
    this.#columns = newColumns(Math.min(maxRows, 4_096), width);
  }

  /** Rows added; more than are kept where there were too many. */
  get seen(): number {
    return this.#seen;
  }

  add(row: TrainingRow): void {
    const at = this.#seen % this.#maxRows;
    if (at >= this.#columns.size) this.#columns = grown(this.#columns, Math.min(this.#maxRows, at * 2), this.#width);
    const { features, numbers } = this.#columns;
    features.set(row.features, at * this.#width);
    const target = this.#targets.get(row.target) ?? this.#targets.size;
    this.#targets.set(row.target, target);
    numbers.at[at] = row.at;
    numbers.known[at] = row.known;
    numbers.ms[at] = row.ms;
    numbers.failed[at] = row.failed ? 1 : 0;
    numbers.weight[at] = row.weight;
    numbers.target[at] = target;
    this.#seen += 1;
  }

  /** Shares memory with the collector: add nothing after. */
  finish(): Dataset {
    const rows = Math.min(this.#seen, this.#maxRows);
    const { features, numbers } = this.#columns;
    const column = (name: NumberColumn): Float64Array => numbers[name].subarray(0, rows);
    return {
      rows,
      columns: this.#width,
      features: features.subarray(0, rows * this.#width),
      logMs: Float32Array.from(column('ms'), (ms, i) =>
        numbers.failed[i] === 1 || Number.isNaN(ms) ? Number.NaN : Math.log(Math.max(LEAST_MS, ms)),
      ),
      failed: Float32Array.from(column('failed')),
      weight: Float32Array.from(column('weight')),
      target: Int32Array.from(column('target')),
      targets: [...this.#targets.keys()],
      at: column('at'),
      known: column('known'),
    };
  }
}

type NumberColumn = 'at' | 'known' | 'ms' | 'failed' | 'weight' | 'target';

interface Columns {
  readonly size: number;
  readonly features: Float32Array;
  readonly numbers: Readonly<Record<NumberColumn, Float64Array>>;
}

function newColumns(size: number, width: number): Columns {
  const column = (): Float64Array => new Float64Array(size);
  const numbers = {
    at: column(),
    known: column(),
    ms: column(),
    failed: column(),
    weight: column(),
    target: column(),
  };
  return { size, features: new Float32Array(size * width), numbers };
}

function grown(before: Columns, size: number, width: number): Columns {
  const after = newColumns(size, width);
  after.features.set(before.features);
  for (const name of Object.keys(before.numbers) as NumberColumn[]) after.numbers[name].set(before.numbers[name]);
  return after;
}
