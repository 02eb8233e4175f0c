import { BASELINE_TAUS_MS, ewmaScores } from './models/baseline.ts';
import { GATEWAY_SCHEMA, modelError } from './models/contract.ts';
import { type GateReport, gate } from './models/gate.ts';
import { measured, type Rival, rival, screened } from './models/measuring.ts';
import { type Evaluation, evaluate } from './models/metrics.ts';
import type { DecisionCosts } from './models/off-policy.ts';
import type { ActiveModel, ListedVersion, ModelRegistry } from './models/registry.ts';
import { loadModel } from './models/scorer.ts';
import { sortByTime } from './models/training/dataset.ts';
import type { TrainingResult } from './models/training/job.ts';
import { headerLine, rowLine } from './models/training/parse-row.ts';
import { loggedDecisions, type ReadSummary, readRows, TrainingRows } from './models/training/read.ts';
import { runTraining, type TrainingListeners } from './models/training/run.ts';
import type { TrainOptions } from './models/training/train.ts';

export type { GateReport } from './models/gate.ts';
export { type Rival, readModelFile } from './models/measuring.ts';
export type { Evaluation } from './models/metrics.ts';
export { type ListedModel, ModelRegistry } from './models/registry.ts';
export type { ModelState } from './models/registry-state.ts';
export type { ReadSummary } from './models/training/read.ts';
export type { TrainProgress } from './models/training/train.ts';

/** Rows that are kept in memory. */
export const DEFAULT_MAX_ROWS = 300_000;

export interface TrainRequest {
  /** Files of telemetry or of rows, or folders of them. */
  readonly paths: readonly string[];
  /** Of each send also a row as of one to two seconds before it; default true. */
  readonly ahead?: boolean | undefined;
  /** Rows of before, in ms since 1970, are left out: after a drift they teach what is no longer so. */
  readonly since?: number | undefined;
  /** What logged decisions cost. */
  readonly costs?: DecisionCosts | undefined;
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
  const { paths, ahead, since, costs, options = {}, maxRows = DEFAULT_MAX_ROWS, into } = request;
  const active = into === undefined ? undefined : await into.registry.active(into.name);
  let read: ReadSummary = { rows: 0, seen: 0, bad: 0 };
  const result = await runTraining(
    { paths, ahead, since, schema: GATEWAY_SCHEMA, options, maxRows, active, costs },
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

/** The rows that a model would be trained on, as lines with a header. Iterating throws as reading does. */
export async function* trainingLines(paths: readonly string[], ahead: boolean): AsyncGenerator<string> {
  yield headerLine(GATEWAY_SCHEMA);
  for await (const row of new TrainingRows({ paths, ahead, schema: GATEWAY_SCHEMA })) yield rowLine(row);
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

export interface EvalRequest {
  readonly onnx: Buffer;
  readonly paths: readonly string[];
  readonly ahead?: boolean | undefined;
  readonly costs?: DecisionCosts | undefined;
  /** Of another model than `onnx`. */
  readonly active?: ActiveModel | undefined;
  readonly maxRows?: number | undefined;
}

/** Holds a model against rows, averages and, where there is one, an incumbent. Rejects with an `E_MODEL_…` error. */
export async function evalModel(request: EvalRequest): Promise<EvalReport> {
  const { onnx, paths, ahead, costs, active, maxRows = DEFAULT_MAX_ROWS } = request;
  const source = { paths, ahead, schema: GATEWAY_SCHEMA };
  const { data, read } = await readRows(source, maxRows);
  if (data.rows === 0) throw modelError('E_MODEL_ROWS', `there are no rows in ${paths.join(', ')}`);
  const rows = sortByTime(data);
  const baselines = BASELINE_TAUS_MS.map((tau) => evaluate(rows, ewmaScores(rows, tau)));
  const incumbent = active && (await rival(active, rows));
  const scorer = await loadModel(onnx, { schema: GATEWAY_SCHEMA });
  try {
    const { evaluation, goldenDifference, scoreMicros } = await measured(scorer, rows);
    const offPolicy = await screened(scorer, loggedDecisions(source), rows.at[0] as number, costs);
    const known = { candidate: evaluation, baselines, incumbent: incumbent?.evaluation };
    const report = gate({ ...known, goldenDifference, scoreMicros, offPolicy });
    return { sha256: scorer.sha, read, evaluation, baselines, incumbent, gate: report };
  } finally {
    await scorer.close();
  }
}
