import type { ClosedLoop, ClosedLoopProgress } from '../../core/closed-loop.ts';
import { FairleadError } from '../../core/errors.ts';
import { type FeatureSchema, GATEWAY_SCHEMA, type ModelMetadata, modelError } from '../contract.ts';
import { type GateReport, gate } from '../gate.ts';
import { measured, type Rival, rival, screened } from '../measuring.ts';
import type { Evaluation } from '../metrics.ts';
import type { DecisionCosts } from '../off-policy.ts';
import type { ActiveModel } from '../registry.ts';
import { readRoomHead } from '../room-head.ts';
import { loadModel, OnnxScorer } from '../scorer.ts';
import { tried } from '../trial.ts';
import { loggedDecisions, type ReadSummary, type RowSource, readRows } from './read.ts';
import { type HeadName, type TrainOptions, type TrainProgress, train } from './train.ts';

/** Greatest difference between what was trained and what the runtime answers. */
const EXPORT_TOLERANCE = 1e-5;

/** What the training process is asked. */
export interface TrainingJob extends RowSource {
  readonly options: TrainOptions;
  /** Rows kept in memory, the last ones; each takes about 12 bytes per feature. */
  readonly maxRows: number;
  /** The version that the new one is compared with. */
  readonly active?: ActiveModel | undefined;
  /** What logged decisions cost. */
  readonly costs?: DecisionCosts | undefined;
  /** Simulated scenarios of each family that it decides, where its features are the gateway's; default 0. */
  readonly scenarios?: number | undefined;
}

export interface TrainingResult {
  readonly onnx: Buffer;
  readonly metadata: ModelMetadata;
  /** Rows that trained, decided when to stop, and measured. */
  readonly rows: { readonly train: number; readonly valid: number; readonly test: number };
  readonly trees: Readonly<Record<HeadName, number>>;
  readonly evaluation: Evaluation;
  readonly incumbent: Rival | undefined;
  readonly gate: GateReport;
  /** Why the model could not be run here; the gate does not pass then. */
  readonly notRun: string | undefined;
}

export interface JobListeners {
  readonly onRead?: ((summary: ReadSummary) => void) | undefined;
  readonly onProgress?: ((progress: TrainProgress) => void) | undefined;
  readonly onSimulated?: ClosedLoopProgress | undefined;
}

/**
 * Reads rows, trains on them, checks the export against the trees, and holds the model against averages, the version in
 * force, and simulated scenarios. Rejects with an `E_MODEL_…` error. Without onnxruntime-node nothing is run, and the gate does not pass.
 */
export async function doJob(
  job: TrainingJob,
  closedLoop: ClosedLoop,
  listeners: JobListeners = {},
): Promise<TrainingResult> {
  const { schema, active } = job;
  const { data, read } = await readRows(job, job.maxRows);
  listeners.onRead?.(read);
  const options = {
    room: readRoomHead(schema.hash),
    ...job.options,
    ...(active === undefined ? {} : { parent: active.sha256 }),
  };
  const made = train(data, schema, options, listeners.onProgress);
  const { onnx, metadata, rows, trees, test, evaluation, baselines } = made;
  const incumbent = active && (await rival(active, test, made.scores));
  const told = { metadata, onnx, rows, trees, evaluation, incumbent };
  const known = { candidate: evaluation, baselines, incumbent: incumbent?.evaluation };
  const scorer = await loadedIfPossible(onnx, schema);
  if (!(scorer instanceof OnnxScorer)) {
    const report = gate({ ...known, goldenDifference: undefined, scoreMicros: undefined });
    return { ...told, gate: report, notRun: scorer.message };
  }
  try {
    const run = await measured(scorer, test);
    checkExport(run.scores, made.scores);
    const offPolicy = await screened(scorer, loggedDecisions(job), test.at[0] as number, job.costs);
    const scenarios = schema.hash === GATEWAY_SCHEMA.hash ? (job.scenarios ?? 0) : 0;
    const trial = { closedLoop, scenarios, onProgress: listeners.onSimulated };
    return { ...told, gate: await tried({ ...known, ...run, offPolicy }, scorer, active, trial), notRun: undefined };
  } finally {
    await scorer.close();
  }
}

/** The error where there is no runtime: nothing can be measured then. */
async function loadedIfPossible(onnx: Buffer, schema: FeatureSchema): Promise<OnnxScorer | FairleadError> {
  try {
    return await loadModel(onnx, { schema });
  } catch (error) {
    if (error instanceof FairleadError && error.code === 'E_MODEL_RUNTIME') return error;
    throw error;
  }
}

function checkExport(answers: Float32Array, trees: Float32Array): void {
  const difference = answers.reduce((most, score, i) => Math.max(most, Math.abs(score - (trees[i] as number))), 0);
  if (difference <= EXPORT_TOLERANCE) return;
  throw modelError('E_MODEL_EXPORT', `the exported model is off by ${difference} from the trees that were trained`);
}
