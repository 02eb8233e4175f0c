/**
 * What scores candidates: a model behind one function. The features are those of `src/models/features.ts`, row by row.
 *
 * `score` gives `[rows, 3]`: mean of the log of the latency in ms, log of its 0.95 quantile in ms, probability of failure. A
 * model that tells rooms as well gives `[rows]` more behind them: the logarithm of how many events fit in without a queue. It may answer at once or later; it is called once per tick at most and not again before it has answered. What it throws, or
 * values that are no numbers or out of range, count as "no model" until it answers well again.
 */
export interface Scorer {
  /** SHA-256 of the model, for records and explanations. */
  readonly sha?: string | undefined;
  /** Must equal the schema hash of the features; a scorer for others is refused. */
  readonly schemaHash?: string | undefined;
  score(features: Float32Array, rows: number): Float32Array | Promise<Float32Array>;
}

/** Columns of a scorer's answer. */
export const SCORE_COLUMNS = 3;
