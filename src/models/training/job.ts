import { FairleadError } from '../../core/errors.ts';
import { type FeatureSchema, type ModelMetadata, modelError } from '../contract.ts';
import { type GateReport, gate } from '../gate.ts';
import { measured, type Rival, rival } from '../measuring.ts';
import type { Evaluation } from '../metrics.ts';
import type { ActiveModel } from '../registry.ts';
import { loadModel, OnnxScorer } from '../scorer.ts';
import { readRows } from './read.ts';
import { type HeadName, type TrainOptions, type TrainProgress, train } from './train.ts';

/** Greatest difference between what was trained and what the runtime answers. */
const EXPORT_TOLERANCE = 1e-5;

/** What the training process is asked. */
export interface TrainingJob {
  /** NDJSON files, or folders of them. */
  readonly paths: readonly string[];
  readonly schema: FeatureSchema;
  readonly options: TrainOptions;
  /** Rows kept in memory, the last ones; each takes about 12 bytes per feature. */
  readonly maxRows: number;
  /** The version that the new one is compared with. */
  readonly active?: ActiveModel | undefined;
}

/** Rows read from the files. */
export interface ReadSummary {
  readonly rows: number;
  readonly seen: number;
  readonly bad: number;
  readonly firstBad?: string;
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
}

/**
 * Reads rows, trains on them, checks the export against the trees, and holds the model against averages and the version in
 * force. Rejects with an `E_MODEL_…` error. Without onnxruntime-node nothing is run, and the gate does not pass.
 */
export async function doJob(job: TrainingJob, listeners: JobListeners = {}): Promise<TrainingResult> {
  const { schema, active } = job;
  const { data, seen, bad, firstBad } = await readRows(job.paths, schema, job.maxRows);
  listeners.onRead?.({ rows: data.rows, seen, bad, ...(firstBad === undefined ? {} : { firstBad }) });
  const options = { ...job.options, ...(active === undefined ? {} : { parent: active.sha256 }) };
  const made = train(data, schema, options, listeners.onProgress);
  const { onnx, metadata, rows, trees, test, evaluation, baselines } = made;
  const scorer = await loadedIfPossible(onnx, schema);
  const run = scorer instanceof OnnxScorer ? await measured(scorer, test) : undefined;
  const notRun = scorer instanceof OnnxScorer ? undefined : scorer.message;
  if (run !== undefined) checkExport(run.scores, made.scores);
  const incumbent = active && (await rival(active, test));
  const report = gate({
    candidate: evaluation,
    baselines,
    incumbent: incumbent?.evaluation,
    goldenDifference: run?.goldenDifference,
    scoreMicros: run?.scoreMicros,
  });
  return { onnx, metadata, rows, trees, evaluation, incumbent, gate: report, notRun };
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
