import { baselinesOf, ewmaScores } from '../baseline.ts';
import { type FeatureSchema, type GoldenRows, type ModelMetadata, modelError, QUANTILE } from '../contract.ts';
import { ERROR_ODDS, EXPECTED, type Scale } from '../features.ts';
import type { Baseline } from '../gate.ts';
import { type Evaluation, evaluate } from '../metrics.ts';
import { exportOnnx, type ScoringModel } from '../onnx/export.ts';
import { BOOST_DEFAULTS, type BoostOptions, type BoostProgress, boost, type LabelledRows } from './boost.ts';
import { type Dataset, sortByTime, splitByTime } from './dataset.ts';
import { type Loss, logistic, pinball, sigmoid, squared } from './loss.ts';
import { type Ensemble, predict } from './tree.ts';

export interface TrainOptions extends Partial<BoostOptions> {
  /** Shares of the newest rows that decide when to stop, and that measure. Default 0.15 each. */
  readonly validShare?: number | undefined;
  readonly testShare?: number | undefined;
  /** Left out between the parts, in ms; default 4,000: a second or two to the send, and its timeout. */
  readonly gapMs?: number | undefined;
  /** Tells rooms, and is made part of the model as it is; default: the model tells none. */
  readonly room?: Ensemble | undefined;
  /** SHA-256 of the model that this one is to replace. */
  readonly parent?: string | undefined;
}

/** The parts that are trained. */
export type HeadName = Exclude<keyof ScoringModel, 'room'>;

export interface TrainProgress extends BoostProgress {
  readonly head: HeadName;
}

export interface TrainedModel {
  readonly model: ScoringModel;
  readonly metadata: ModelMetadata;
  readonly onnx: Buffer;
  /** The newest rows, which nothing else has seen, how the model does on them, and how plain averages do. */
  readonly test: Dataset;
  /** Of the test rows, as {@link scoreRows} gives them. */
  readonly scores: Float32Array;
  readonly evaluation: Evaluation;
  readonly baselines: readonly Baseline[];
  /** Rows that trained, decided when to stop, and measured. */
  readonly rows: { readonly train: number; readonly valid: number; readonly test: number };
  readonly trees: Readonly<Record<HeadName, number>>;
}

/** Fewer successful rows than this teach nothing. */
export const MIN_ROWS = 200;
const GOLDEN_ROWS = 16;

/**
 * Trains the three parts of a model on the oldest rows and measures it on the newest. Pure and synchronous; the same rows,
 * options and seed give the same bytes. Throws `E_MODEL_ROWS` where there are too few rows.
 */
export function train(
  rows: Dataset,
  schema: FeatureSchema,
  options: TrainOptions = {},
  onProgress?: (progress: TrainProgress) => void,
): TrainedModel {
  const boosting = { ...BOOST_DEFAULTS, ...options };
  const { validShare = 0.15, testShare = 0.15, gapMs = 4_000 } = options;
  const data = sortByTime(rows);
  const parts = splitByTime(data, { valid: validShare, test: testShare }, gapMs);
  // What differs from a good guess is learned with far fewer trees than the guess itself.
  const relativeTo = columnOf(schema, EXPECTED, 'log1p');
  const odds = columnOf(schema, ERROR_ODDS, 'linear');
  const latency = { train: successes(parts.train, relativeTo), valid: successes(parts.valid, relativeTo) };
  const outcome = { train: outcomes(parts.train, odds), valid: outcomes(parts.valid, odds) };
  if (latency.train.labels.length < MIN_ROWS || latency.valid.labels.length === 0 || parts.test.rows === 0) {
    const message = `${data.rows} rows leave ${latency.train.labels.length} successful ones to train on; ${MIN_ROWS} are needed`;
    throw modelError('E_MODEL_ROWS', message);
  }
  const learn = (head: HeadName, from: typeof latency, loss: Loss, minLeaf = boosting.minLeaf): Ensemble =>
    boost(from.train, from.valid, data.columns, loss, { ...boosting, minLeaf }, (p) => onProgress?.({ head, ...p }));
  const model: ScoringModel = {
    mean: { ...learn('mean', latency, squared), relativeTo },
    q95: { ...learn('q95', latency, pinball(QUANTILE)), relativeTo },
    // failures are rare: in small leaves they are chance
    fail: { ...learn('fail', outcome, logistic, 2 * boosting.minLeaf), relativeTo: odds },
    ...(options.room && { room: options.room }),
  };
  const scores = scoreRows(model, parts.test.features, data.columns);
  const evaluation = evaluate(parts.test, scores);
  const metadata: ModelMetadata = {
    contract: 1,
    schema,
    window: [parts.train.at[0] as number, parts.train.at.at(-1) as number],
    rows: parts.train.rows,
    seed: boosting.seed,
    metrics: { ...evaluation.overall },
    parent: options.parent ?? null,
    golden: goldenRows(model, parts.test, schema),
  };
  return {
    model,
    metadata,
    onnx: exportOnnx(model, metadata),
    test: parts.test,
    scores,
    evaluation,
    baselines: baselinesOf(parts.test, scores, (tauMs) => ewmaScores(data, tauMs).subarray(3 * parts.testFrom)),
    rows: { train: parts.train.rows, valid: parts.valid.rows, test: parts.test.rows },
    trees: { mean: model.mean.trees.length, q95: model.q95.trees.length, fail: model.fail.trees.length },
  };
}

/** Scores `[rows, 3]` of `[rows, columns]` features, and rooms `[rows]` if any: what the exported model answers, to 1e-5. */
export function scoreRows(model: ScoringModel, features: Float32Array, columns: number): Float32Array {
  const mean = predict(model.mean, features, columns);
  const q95 = predict(model.q95, features, columns);
  const odds = predict(model.fail, features, columns);
  const rooms = model.room === undefined ? [] : predict(model.room, features, columns);
  const scores = new Float32Array(mean.length * 3 + rooms.length);
  scores.set(rooms, mean.length * 3);
  for (let row = 0; row < mean.length; row += 1) {
    scores[row * 3] = mean[row] as number;
    scores[row * 3 + 1] = q95[row] as number;
    scores[row * 3 + 2] = sigmoid(odds[row] as number);
  }
  return scores;
}

/** Logarithms of the latencies of what succeeded, less a column; several sends in one row count by the share that did. */
function successes(data: Dataset, relativeTo: number | undefined): LabelledRows {
  const rows: number[] = [];
  for (let row = 0; row < data.rows; row += 1) {
    if (!Number.isNaN(data.logMs[row] as number) && (data.failed[row] as number) < 1) rows.push(row);
  }
  const features = new Float32Array(rows.length * data.columns);
  for (const [i, row] of rows.entries()) {
    features.set(data.features.subarray(row * data.columns, (row + 1) * data.columns), i * data.columns);
  }
  return {
    features,
    labels: Float32Array.from(rows, (row) => {
      const guess = relativeTo === undefined ? 0 : (data.features[row * data.columns + relativeTo] as number);
      return (data.logMs[row] as number) - guess;
    }),
    weights: Float32Array.from(rows, (row) => (data.weight[row] as number) * (1 - (data.failed[row] as number))),
  };
}

function outcomes({ features, failed, weight, rows, columns }: Dataset, odds: number | undefined): LabelledRows {
  const start =
    odds === undefined
      ? undefined
      : Float32Array.from({ length: rows }, (_, row) => features[row * columns + odds] as number);
  return { features, labels: failed, weights: weight, start };
}

function columnOf({ features }: FeatureSchema, name: string, scale: Scale): number | undefined {
  const at = features.findIndex((feature) => feature.name === name && feature.scale === scale);
  return at < 0 ? undefined : at;
}

/** A row where nothing is known, and some that were measured, spread over time. */
function goldenRows(model: ScoringModel, data: Dataset, schema: FeatureSchema): GoldenRows {
  const { columns } = data;
  const count = Math.min(GOLDEN_ROWS - 1, data.rows);
  const features = new Float32Array((count + 1) * columns);
  features.set(schema.features.map((feature) => feature.default));
  for (let i = 0; i < count; i += 1) {
    const row = Math.floor((i * data.rows) / count);
    features.set(data.features.subarray(row * columns, (row + 1) * columns), (i + 1) * columns);
  }
  const scores = scoreRows(model, features, columns);
  const rowsOf = (values: Float32Array, width: number): number[][] =>
    Array.from({ length: count + 1 }, (_, i) => [...values.subarray(i * width, (i + 1) * width)]);
  return {
    features: rowsOf(features, columns).map((row) => row.map((value) => (Number.isNaN(value) ? null : value))),
    scores: rowsOf(scores, 3),
    ...(model.room && { rooms: [...scores.subarray(3 * (count + 1))] }),
  };
}
