import { GATEWAY_SCHEMA } from './models/contract.ts';
import type { EvalReport, EvalRequest } from './models/evaluating.ts';
import type { GateReport } from './models/gate.ts';
import type { DecisionCosts } from './models/off-policy.ts';
import type { ListedVersion, ModelRegistry } from './models/registry.ts';
import type { TrainingResult } from './models/training/job.ts';
import { headerLine, rowLine } from './models/training/parse-row.ts';
import { type ReadSummary, TrainingRows } from './models/training/read.ts';
import { type EvalListeners, runEvaluation, runTraining, type TrainingListeners } from './models/training/run.ts';
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

/** Simulated scenarios of each family that a new model decides. */
export const DEFAULT_SCENARIOS = 3;

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
  /** Simulated scenarios of each family that it decides before it passes; default {@link DEFAULT_SCENARIOS}. */
  readonly scenarios?: number | undefined;
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
  const { scenarios = DEFAULT_SCENARIOS } = request;
  const active = into === undefined ? undefined : await into.registry.active(into.name);
  let read: ReadSummary = { rows: 0, seen: 0, bad: 0 };
  const result = await runTraining(
    { paths, ahead, since, schema: GATEWAY_SCHEMA, options, maxRows, active, costs, scenarios },
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
    metrics: { ...metadata.metrics, ...simulatedMetrics(result.gate) },
    gate: result.gate,
  });
  return { ...result, read, added };
}

/** Cost of a simulated event over that by the model off and by the model in force. */
function simulatedMetrics({ closedLoop }: GateReport): Readonly<Record<string, number>> {
  if (closedLoop === undefined) return {};
  const { modelOff, incumbent } = closedLoop;
  return { simulatedOverOff: modelOff, ...(incumbent === undefined ? {} : { simulatedOverIncumbent: incumbent }) };
}

/** The rows that a model would be trained on, as lines with a header. Iterating throws as reading does. */
export async function* trainingLines(paths: readonly string[], ahead: boolean): AsyncGenerator<string> {
  yield headerLine(GATEWAY_SCHEMA);
  for await (const row of new TrainingRows({ paths, ahead, schema: GATEWAY_SCHEMA })) yield rowLine(row);
}

/**
 * Holds a model against rows, averages, simulated scenarios and, where there is one, an incumbent, in a process of its own.
 * Rejects with an `E_MODEL_…` error, or `E_STOPPED`.
 */
export function evalModel(
  request: Omit<EvalRequest, 'maxRows'> & { maxRows?: number },
  listeners: EvalListeners = {},
): Promise<EvalReport> {
  return runEvaluation({ maxRows: DEFAULT_MAX_ROWS, scenarios: DEFAULT_SCENARIOS, ...request }, listeners);
}
