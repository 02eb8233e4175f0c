import { type FeatureSchema, modelError } from '../contract.ts';
import type { Dataset } from './dataset.ts';

/** Rows that are looked at when the first of them do not hold; beyond, a share of 1 % of bad lines is the bound. */
const MAX_BAD_SHARE = 0.01;

/** Latencies below this, in ms, count as this: their logarithm has no end. */
const LEAST_MS = 1e-3;

export interface RowsRead {
  readonly data: Dataset;
  /** Rows in the files; more than in `data` where there were too many. */
  readonly seen: number;
  /** Lines that are no rows, and what was wrong with the first. */
  readonly bad: number;
  readonly firstBad: string | undefined;
}

interface Row {
  readonly ts: number;
  readonly target: string;
  readonly features: readonly number[];
  readonly ms: number;
  readonly failed: number;
  readonly weight: number;
  readonly known: number;
}

/** The first line of a file of rows: what its features are. */
export function headerLine(schema: FeatureSchema): string {
  return JSON.stringify({ schema: { hash: schema.hash, features: schema.features } });
}

/**
 * Gathers rows of telemetry from lines of JSON (docs/guide/models.md). Of more than `maxRows` the last are kept, so memory
 * is bounded. A line that is no row is counted; `finish` throws `E_MODEL_DATA` where more than 1 % are.
 */
export class RowCollector {
  readonly #schema: FeatureSchema;
  readonly #maxRows: number;
  readonly #targets = new Map<string, number>();
  #columns: Columns;
  #seen = 0;
  #bad = 0;
  #firstBad: string | undefined;

  constructor(schema: FeatureSchema, maxRows: number) {
    this.#schema = schema;
    this.#maxRows = maxRows;
    this.#columns = newColumns(Math.min(maxRows, 4_096), schema.features.length);
  }

  /** @param place For what is said of a bad line, e.g. `rows.ndjson:12`. */
  add(line: string, place: string): void {
    if (line.trim() === '') return;
    const row = this.#parse(line);
    if (typeof row === 'string') {
      this.#bad += 1;
      this.#firstBad ??= `${place}: ${row}`;
    } else if (row !== undefined) {
      this.#keep(row);
    }
  }

  finish(): RowsRead {
    if (this.#bad > MAX_BAD_SHARE * (this.#seen + this.#bad)) {
      const message = `${this.#bad} of ${this.#seen + this.#bad} lines are no rows; the first: ${this.#firstBad}`;
      throw modelError('E_MODEL_DATA', message);
    }
    const rows = Math.min(this.#seen, this.#maxRows);
    const { length } = this.#schema.features;
    const { features, numbers } = this.#columns;
    const column = (name: keyof typeof numbers): Float64Array => numbers[name].subarray(0, rows);
    const data: Dataset = {
      rows,
      columns: length,
      features: features.subarray(0, rows * length),
      logMs: Float32Array.from(column('ms'), (ms, i) =>
        (numbers.failed[i] as number) >= 1 || Number.isNaN(ms) ? Number.NaN : Math.log(Math.max(LEAST_MS, ms)),
      ),
      failed: Float32Array.from(column('failed')),
      weight: Float32Array.from(column('weight')),
      target: Int32Array.from(column('target')),
      targets: [...this.#targets.keys()],
      ts: column('ts'),
      known: column('known'),
    };
    return { data, seen: this.#seen, bad: this.#bad, firstBad: this.#firstBad };
  }

  /** A row, what is wrong with the line, or undefined for a header. */
  #parse(line: string): Row | string | undefined {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return 'not JSON';
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not an object';
    const { schema, ts, target, features, ms, failed, weight, known } = value as Record<string, unknown>;
    if (schema !== undefined) return this.#header(schema);
    if (typeof ts !== 'number' || !Number.isFinite(ts)) return '`ts` is no time in ms';
    if (typeof target !== 'string' || target === '') return '`target` is no name';
    const row = this.#features(features);
    if (typeof row === 'string') return row;
    const share = failed === true ? 1 : failed === false || failed === undefined ? 0 : failed;
    if (typeof share !== 'number' || !(share >= 0 && share <= 1)) return '`failed` is neither a boolean nor a share';
    const took = ms ?? Number.NaN;
    if (typeof took !== 'number' || took < 0) return '`ms` is no time in ms';
    if (share < 1 && Number.isNaN(took)) return '`ms` is missing, and the send did not fail';
    const mass = weight ?? 1;
    if (typeof mass !== 'number' || !(mass > 0 && mass < 1e9)) return '`weight` is not above 0';
    const at = known ?? ts + (Number.isNaN(took) ? 0 : took);
    if (typeof at !== 'number' || !Number.isFinite(at)) return '`known` is no time in ms';
    return { ts, target, features: row, ms: took, failed: share, weight: mass, known: at };
  }

  #header(schema: unknown): undefined {
    const hash = (schema as { hash?: unknown } | null)?.hash;
    if (hash === this.#schema.hash) return undefined;
    const message = `the rows have features of the schema ${String(hash).slice(0, 64)}, not ${this.#schema.hash}`;
    throw modelError('E_MODEL_SCHEMA', message);
  }

  #features(value: unknown): readonly number[] | string {
    const specs = this.#schema.features;
    let cells: readonly unknown[];
    if (Array.isArray(value)) cells = value as unknown[];
    else if (typeof value === 'object' && value !== null) {
      const named = value as Record<string, unknown>;
      const unknown = Object.keys(named).find((name) => !specs.some((spec) => spec.name === name));
      if (unknown !== undefined) return `there is no feature "${unknown.slice(0, 64)}"`;
      cells = specs.map(({ name, default: missing }) => (Object.hasOwn(named, name) ? named[name] : missing));
    } else return '`features` is neither a list nor an object';
    if (cells.length !== specs.length) return `\`features\` has ${cells.length} columns, not ${specs.length}`;
    const row = cells.map((cell) => (cell === null ? Number.NaN : cell));
    return row.every((cell) => typeof cell === 'number') ? (row as number[]) : '`features` holds what is no number';
  }

  #keep(row: Row): void {
    const { length } = this.#schema.features;
    const at = this.#seen % this.#maxRows;
    if (at >= this.#columns.size) this.#columns = grown(this.#columns, Math.min(this.#maxRows, at * 2), length);
    const { features, numbers } = this.#columns;
    features.set(row.features, at * length);
    const target = this.#targets.get(row.target) ?? this.#targets.size;
    this.#targets.set(row.target, target);
    numbers.ts[at] = row.ts;
    numbers.known[at] = row.known;
    numbers.ms[at] = row.ms;
    numbers.failed[at] = row.failed;
    numbers.weight[at] = row.weight;
    numbers.target[at] = target;
    this.#seen += 1;
  }
}

type NumberColumn = 'ts' | 'known' | 'ms' | 'failed' | 'weight' | 'target';

interface Columns {
  readonly size: number;
  readonly features: Float32Array;
  readonly numbers: Readonly<Record<NumberColumn, Float64Array>>;
}

function newColumns(size: number, width: number): Columns {
  const column = (): Float64Array => new Float64Array(size);
  const numbers = {
    ts: column(),
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
