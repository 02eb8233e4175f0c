import type { Dataset } from '../../src/models/training/dataset.ts';

interface Row {
  readonly features: Float32Array;
  readonly logMs: number;
  readonly failed: number;
  readonly weight: number;
  readonly target: number;
  readonly at: number;
  readonly known: number;
}

const FIELDS = ['logMs', 'failed', 'weight', 'target', 'at', 'known'] as const;

/** Gathers rows; the columns grow. */
export class Rows {
  readonly #columns: number;
  #features: Float32Array<ArrayBuffer>;
  /** `FIELDS` row by row. */
  #fields = new Float64Array(1_024 * FIELDS.length);
  #count = 0;
  readonly #targets = new Map<string, number>();

  constructor(columns: number) {
    this.#columns = columns;
    this.#features = new Float32Array(1_024 * columns);
  }

  targetOf(name: string): number {
    const known = this.#targets.get(name) ?? this.#targets.size;
    this.#targets.set(name, known);
    return known;
  }

  add(row: Row): void {
    if ((this.#count + 1) * this.#columns > this.#features.length) this.#grow();
    this.#features.set(row.features, this.#count * this.#columns);
    for (const [index, name] of FIELDS.entries()) this.#fields[this.#count * FIELDS.length + index] = row[name];
    this.#count += 1;
  }

  finish(): Dataset {
    const count = this.#count;
    const of = (name: (typeof FIELDS)[number]): Float64Array => {
      const index = FIELDS.indexOf(name);
      return Float64Array.from({ length: count }, (_, row) => this.#fields[row * FIELDS.length + index] as number);
    };
    return {
      rows: count,
      columns: this.#columns,
      features: this.#features.slice(0, count * this.#columns),
      logMs: Float32Array.from(of('logMs')),
      failed: Float32Array.from(of('failed')),
      weight: Float32Array.from(of('weight')),
      target: Int32Array.from(of('target')),
      targets: [...this.#targets.keys()],
      at: of('at'),
      known: of('known'),
    };
  }

  #grow(): void {
    const features = new Float32Array(this.#features.length * 2);
    features.set(this.#features);
    this.#features = features;
    const fields = new Float64Array(this.#fields.length * 2);
    fields.set(this.#fields);
    this.#fields = fields;
  }
}
