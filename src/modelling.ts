import { BASELINE_TAUS_MS, ewmaScores } from './models/baseline.ts';
import { GATEWAY_SCHEMA, modelError } from './models/contract.ts';
import { type GateReport, gate } from './models/gate.ts';
import { measured, type Rival, rival } from './models/measuring.ts';
import { type Evaluation, evaluate } from './models/metrics.ts';
import type { ActiveModel, ListedVersion, ModelRegistry } from './models/registry.ts';
import { loadModel } from './models/scorer.ts';
import { sortByTime } from './models/training/dataset.ts';
import type { ReadSummary, TrainingResult } from './models/training/job.ts';
import { readRows } from './models/training/read.ts';
import { runTraining, type TrainingListeners } from './models/training/run.ts';
import type { TrainOptions } from './models/training/train.ts';

export type { GateReport } from './models/gate.ts';
export { type Rival, readModelFile } from './models/measuring.ts';
export type { Evaluation } from './models/metrics.ts';
export { type ListedModel, ModelRegistry } from './models/registry.ts';
export type { ModelState } from './models/registry-state.ts';
export type { ReadSummary } from './models/training/job.ts';
export type { TrainProgress } from './models/training/train.ts';

/** Rows that are kept in memory. */
export const DEFAULT_MAX_ROWS = 300_000;

export interface TrainRequest {
  readonly paths: readonly string[];
  readonly options?: TrainOptions | undefined;
  readonly maxRows?: number | undefined;
  /** The model is compared with the version in force, and becomes the next version. */
  readonly into?: { readonly registry: ModelRegistry; readonly name: string } | undefined;
}

export interface TrainReport extends TrainingResult {
  readonly read: ReadSummary;
  readonly added: ListedVersion | undefined;
}

/**
 * Trains a model and measures it in a process of its own, and adds it to a registry. It is not put in force. Rejects with an
 * `E_MODEL_…` error, or `E_STOPPED`.
 */
export async function trainModel(request: TrainRequest, listeners: TrainingListeners = {}): Promise<TrainReport> {
  const { paths, options = {}, maxRows = DEFAULT_MAX_ROWS, into } = request;
  const active = into === undefined ? undefined : await into.registry.active(into.name);
  let read: ReadSummary = { rows: 0, seen: 0, bad: 0 };
  const result = await runTraining(
    { paths, schema: GATEWAY_SCHEMA, options, maxRows, active },
    {
      ...listeners,
      onRead: (summary) => {
        read = summary;
        listeners.onRead?.(summary);
      },
    },
  );
  const { metadata } = result;
  const added = await into?.registry.add(into.name, result.onnx, {
    createdAt: new Date().toISOString(),
    parent: metadata.parent,
    schemaHash: metadata.schema.hash,
    rows: metadata.rows,
    window: metadata.window,
    seed: metadata.seed,
    metrics: metadata.metrics,
    gate: result.gate,
  });
  return { ...result, read, added };
}

export interface EvalReport {
  readonly sha256: string;
  readonly read: ReadSummary;
  readonly evaluation: Evaluation;
  /** Of averages per target over 1, 5 and 30 s. */
  readonly baselines: readonly Evaluation[];
  readonly incumbent: Rival | undefined;
  readonly gate: GateReport;
}

/** Holds a model against rows, averages and, where there is one, an incumbent. Rejects with an `E_MODEL_…` error. */
export async function evalModel(
  onnx: Buffer,
  paths: readonly string[],
  active?: ActiveModel,
  maxRows: number = DEFAULT_MAX_ROWS,
): Promise<EvalReport> {
  const { data, seen, bad, firstBad } = await readRows(paths, GATEWAY_SCHEMA, maxRows);
  if (data.rows === 0) throw modelError('E_MODEL_ROWS', `there are no rows in ${paths.join(', ')}`);
  const rows = sortByTime(data);
  const baselines = BASELINE_TAUS_MS.map((tau) => evaluate(rows, ewmaScores(rows, tau)));
  const scorer = await loadModel(onnx, { schema: GATEWAY_SCHEMA });
  const { evaluation, goldenDifference, scoreMicros } = await measured(scorer, rows);
  const incumbent = active && (await rival(active, rows));
  return {
    sha256: scorer.sha,
    read: { rows: rows.rows, seen, bad, ...(firstBad === undefined ? {} : { firstBad }) },
    evaluation,
    baselines,
    incumbent,
    gate: gate({
      candidate: evaluation,
      baselines,
      incumbent: incumbent?.evaluation,
      goldenDifference,
      scoreMicros,
    }),
  };
}
