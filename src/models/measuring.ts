import { codeOf, FairleadError } from '../core/errors.ts';
import type { LoggedDecision } from '../core/training-row.ts';
import { MAX_MODEL_BYTES } from './admission.ts';
import { GATEWAY_SCHEMA, modelError } from './contract.ts';
import { readIfThere } from './files.ts';
import { type Evaluation, evaluate } from './metrics.ts';
import { type DecisionCosts, OffPolicy, type OffPolicyEstimate } from './off-policy.ts';
import { type PairedErrors, pairedErrors } from './paired.ts';
import type { ActiveModel } from './registry.ts';
import { goldenDifference } from './score-checks.ts';
import { loadModel, type OnnxScorer } from './scorer.ts';
import type { LoadedModel } from './slot.ts';
import type { Dataset } from './training/dataset.ts';

const TIMED_RUNS = 50;
const TIMED_ROWS = 64;
/** Rows that are scored in one run. */
const CHUNK = 1_024;

/** What is seen of a model by running it. */
export interface Measured {
  /** `[rows, 3]`. */
  readonly scores: Float32Array;
  readonly evaluation: Evaluation;
  readonly goldenDifference: number;
  /** Median time to score 64 rows, in µs. */
  readonly scoreMicros: number;
}

/** Runs a model over rows and takes its time. The model stays open. */
export async function measured(scorer: OnnxScorer, rows: Dataset): Promise<Measured> {
  const scores = await scoreAll(scorer, rows);
  return {
    scores,
    evaluation: evaluate(rows, scores),
    goldenDifference: await goldenDifference(scorer, scorer.metadata.golden),
    scoreMicros: await medianMicros(scorer),
  };
}

/** A model that another is compared with. One that cannot be run is no rival, or it could never be replaced. */
export interface Rival {
  readonly version: number;
  readonly evaluation: Evaluation | undefined;
  /** How far chance takes what the candidate differs from it. */
  readonly errors: PairedErrors | undefined;
  /** Why it could not be run. */
  readonly unusable: string | undefined;
}

/** The version in force over the same rows. @param candidate Scores `[rows, 3]` of what may replace it. */
export async function rival(
  { version, path, sha256 }: ActiveModel,
  rows: Dataset,
  candidate: Float32Array,
): Promise<Rival> {
  try {
    const scorer = await open(path, sha256);
    try {
      const { scores, evaluation } = await measured(scorer, rows);
      return { version, evaluation, errors: pairedErrors(rows, candidate, scores), unusable: undefined };
    } finally {
      await scorer.close();
    }
  } catch (error) {
    if (!(error instanceof FairleadError)) throw error;
    return { version, evaluation: undefined, errors: undefined, unusable: `${error.code}: ${error.message}` };
  }
}

/**
 * A model file for `Selector.use`: checked, warmed, and refused unless it was made for the features of this version. Rejects
 * with an `E_MODEL_…` error.
 *
 * @param sha256 That the file must have; default: any.
 */
export async function loadModelFile(path: string, sha256?: string): Promise<LoadedModel> {
  return open(path, sha256);
}

async function open(path: string, sha256: string | undefined): Promise<OnnxScorer> {
  return loadModel(await readModelFile(path), { schema: GATEWAY_SCHEMA, sha256 });
}

/** The bytes of a model file. Rejects with `E_MODEL_DATA` where it cannot be read. */
export async function readModelFile(path: string): Promise<Buffer> {
  const file = await readIfThere(path, MAX_MODEL_BYTES).catch((cause: unknown) => {
    if (cause instanceof FairleadError) throw cause;
    throw modelError('E_MODEL_DATA', `${path} cannot be read (${codeOf(cause) ?? 'unknown cause'})`, cause);
  });
  if (file === undefined) throw modelError('E_MODEL_DATA', `there is no file ${path}`);
  return file;
}

/** The last of these are looked at. */
const MOST_DECISIONS = 20_000;

/** What decisions since `from` would have cost with a model; undefined where none were logged. The model stays open. */
export async function screened(
  scorer: OnnxScorer,
  decisions: AsyncIterable<LoggedDecision>,
  from: number,
  costs: DecisionCosts = {},
): Promise<OffPolicyEstimate | undefined> {
  const kept: LoggedDecision[] = [];
  const costOf = new Map<string, number>();
  for await (const decision of decisions) {
    costOf.set(decision.eligible[decision.chosen] as string, decision.cost);
    if (decision.ts < from) continue;
    kept.push(decision);
    if (kept.length >= 2 * MOST_DECISIONS) kept.splice(0, MOST_DECISIONS);
  }
  if (kept.length === 0) return undefined;
  const estimate = new OffPolicy(costOf, costs);
  const judged = kept.slice(-MOST_DECISIONS);
  for (let from = 0; from < judged.length; ) {
    let [to, values] = [from, 0];
    while (to < judged.length && (to === from || values < CHUNK * scorer.columns)) {
      values += (judged[to] as LoggedDecision).features.length;
      to += 1;
    }
    const features = new Float32Array(values);
    for (let i = from, at = 0; i < to; i += 1) {
      const part = (judged[i] as LoggedDecision).features;
      features.set(part, at);
      at += part.length;
    }
    const scores = await scorer.score(features, values / scorer.columns);
    for (let at = 0; from < to; from += 1) {
      const decision = judged[from] as LoggedDecision;
      estimate.add(decision, scores.subarray(at, at + 3 * decision.eligible.length));
      at += 3 * decision.eligible.length;
    }
  }
  return estimate.estimate();
}

async function scoreAll(scorer: OnnxScorer, data: Dataset): Promise<Float32Array> {
  const scores = new Float32Array(data.rows * 3);
  for (let row = 0; row < data.rows; row += CHUNK) {
    const count = Math.min(CHUNK, data.rows - row);
    const part = data.features.subarray(row * data.columns, (row + count) * data.columns);
    scores.set((await scorer.score(part, count)).subarray(0, 3 * count), row * 3);
  }
  return scores;
}

async function medianMicros(scorer: OnnxScorer): Promise<number> {
  const golden = Float32Array.from(scorer.metadata.golden.features.flat(), (value) => value ?? Number.NaN);
  const features = Float32Array.from({ length: TIMED_ROWS * scorer.columns }, (_, i) => golden[i % golden.length] ?? 0);
  const times: number[] = [];
  for (let run = 0; run < TIMED_RUNS; run += 1) {
    const start = performance.now();
    await scorer.score(features, TIMED_ROWS);
    times.push((performance.now() - start) * 1_000);
  }
  return times.sort((a, b) => a - b)[TIMED_RUNS >> 1] as number;
}
