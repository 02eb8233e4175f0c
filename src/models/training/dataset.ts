/**
 * Rows to train on, column by column. Labels belong to sends that are over: a row is only written once its outcome is known
 * or its time is up.
 */
export interface Dataset {
  readonly rows: number;
  readonly columns: number;
  /** `[rows, columns]`, row by row; NaN is missing. */
  readonly features: Float32Array;
  /** Natural logarithm of the latency in ms; NaN where the send failed. */
  readonly logMs: Float32Array;
  /** 1 where the send failed or timed out; a share of several sends is allowed. */
  readonly failed: Float32Array;
  readonly weight: Float32Array;
  /** Index into `targets`. */
  readonly target: Int32Array;
  readonly targets: readonly string[];
  /** When the features were computed, in ms. */
  readonly at: Float64Array;
  /** When the outcome was known, in ms. */
  readonly known: Float64Array;
}

/** The rows in the order of their time. */
export function sortByTime(data: Dataset): Dataset {
  const order = Uint32Array.from({ length: data.rows }, (_, row) => row);
  order.sort((a, b) => (data.at[a] as number) - (data.at[b] as number) || a - b);
  const { columns } = data;
  const features = new Float32Array(data.rows * columns);
  for (let i = 0; i < order.length; i += 1) {
    const from = (order[i] as number) * columns;
    features.set(data.features.subarray(from, from + columns), i * columns);
  }
  return {
    ...data,
    features,
    logMs: Float32Array.from(order, (row) => data.logMs[row] as number),
    failed: Float32Array.from(order, (row) => data.failed[row] as number),
    weight: Float32Array.from(order, (row) => data.weight[row] as number),
    target: Int32Array.from(order, (row) => data.target[row] as number),
    at: Float64Array.from(order, (row) => data.at[row] as number),
    known: Float64Array.from(order, (row) => data.known[row] as number),
  };
}

/** The rows `from` … `to` - 1, on the same memory. */
export function rowsBetween(data: Dataset, from: number, to: number): Dataset {
  return {
    rows: to - from,
    columns: data.columns,
    features: data.features.subarray(from * data.columns, to * data.columns),
    logMs: data.logMs.subarray(from, to),
    failed: data.failed.subarray(from, to),
    weight: data.weight.subarray(from, to),
    target: data.target.subarray(from, to),
    targets: data.targets,
    at: data.at.subarray(from, to),
    known: data.known.subarray(from, to),
  };
}

export interface TimeSplit {
  readonly train: Dataset;
  /** Decides when to stop. */
  readonly valid: Dataset;
  /** Seen by nothing before it is measured: the rows from `testFrom` on. */
  readonly test: Dataset;
  readonly testFrom: number;
}

/**
 * Splits forward in time: the oldest rows train, the newest test. Before the start of a part the rows of `gapMs` are left
 * out, since their windows reach into it.
 *
 * @param data In order of time.
 */
export function splitByTime(data: Dataset, shares: { valid: number; test: number }, gapMs: number): TimeSplit {
  const at = (share: number): number => Math.min(data.rows, Math.max(0, Math.round(data.rows * share)));
  const validFrom = at(1 - shares.valid - shares.test);
  const testFrom = at(1 - shares.test);
  const endBefore = (from: number, next: number): number => {
    if (next >= data.rows) return next;
    const start = data.at[next] as number;
    let end = next;
    while (end > from && (data.at[end - 1] as number) > start - gapMs) end -= 1;
    return end;
  };
  return {
    train: rowsBetween(data, 0, endBefore(0, validFrom)),
    valid: rowsBetween(data, validFrom, endBefore(validFrom, testFrom)),
    test: rowsBetween(data, testFrom, data.rows),
    testFrom,
  };
}
