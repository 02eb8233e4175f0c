import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { FairleadError, messageOf } from '../core/errors.ts';
import { type AdmissionRules, type AdmittedModel, admit } from './admission.ts';
import { INPUT_NAME, type ModelMetadata, modelError, OUTPUT_NAME, ROOM_NAME, SCORE_NAMES } from './contract.ts';
import { goldenDifference, scoreFault } from './score-checks.ts';
import type { LoadedModel } from './slot.ts';

/** Greatest difference between golden rows and what the model answers. */
export const GOLDEN_TOLERANCE = 1e-4;

/** A run of 64 rows must not take longer than a tick: it holds the thread that moves the events. */
const MOST_MS = 20;
const WARM_ROWS = 64;
const WARM_RUNS = 5;

type Runtime = typeof import('onnxruntime-node');

/** The runtime, loaded when the first model is. Throws `E_MODEL_RUNTIME` where the optional package is not there. */
async function loadRuntime(): Promise<Runtime> {
  try {
    return await import('onnxruntime-node');
  } catch (cause) {
    const message = 'a model needs the optional package onnxruntime-node, which is not installed or has no binary here';
    throw modelError('E_MODEL_RUNTIME', message, cause);
  }
}

/**
 * Checks a model's bytes, makes a session of them, reproduces the golden rows and warms it. Nothing of a model that is
 * refused stays. Throws an `E_MODEL_…` error.
 */
export async function loadModel(file: Buffer, rules: AdmissionRules): Promise<OnnxScorer> {
  const admitted = admit(file, rules);
  const { metadata } = admitted;
  const runtime = await loadRuntime();
  const session = await startSession(runtime, file);
  const scorer = new OnnxScorer(runtime, session, admitted);
  try {
    const difference = await goldenDifference(scorer, metadata.golden);
    if (!(difference <= GOLDEN_TOLERANCE)) {
      const message = `the model does not reproduce its golden rows: off by ${difference}, more than ${GOLDEN_TOLERANCE}`;
      throw modelError('E_MODEL_GOLDEN', message);
    }
    await warm(scorer);
    return scorer;
  } catch (error) {
    await scorer.close();
    throw error;
  }
}

/** The first runs are slow. The quickest of some is held against the bound, so that a busy machine refuses nothing. */
async function warm(scorer: OnnxScorer): Promise<void> {
  const { features } = scorer.metadata.schema;
  const rows = Float32Array.from({ length: WARM_ROWS * features.length }, (_, i) => {
    return features[i % features.length]?.default ?? 0;
  });
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < WARM_RUNS; run += 1) {
    const start = performance.now();
    await scorer.score(rows, WARM_ROWS);
    least = Math.min(least, performance.now() - start);
    if (least <= MOST_MS && run > 0) return;
  }
  if (least <= MOST_MS) return;
  const message = `the model takes ${least.toFixed(0)} ms for ${WARM_ROWS} rows, more than ${MOST_MS} ms`;
  throw modelError('E_MODEL_SLOW', message);
}

async function startSession(runtime: Runtime, file: Buffer): Promise<InferenceSession> {
  try {
    // One thread: for the few rows of a tick a pool of threads costs more than it gives.
    return await runtime.InferenceSession.create(file, {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      enableCpuMemArena: true,
      logSeverityLevel: 4,
    });
  } catch (cause) {
    throw modelError('E_MODEL_FORMAT', `the runtime does not take the model: ${messageOf(cause).slice(0, 300)}`, cause);
  }
}

/** A model in an ONNX session. `score` is synchronous inside: it holds its thread for as long as the run takes. */
export class OnnxScorer implements LoadedModel {
  readonly sha: string;
  readonly metadata: ModelMetadata;
  readonly #runtime: Runtime;
  readonly #session: InferenceSession;
  readonly #outputs: readonly string[];
  #running = 0;
  #closed = false;
  #released = false;

  constructor(runtime: Runtime, session: InferenceSession, { sha256, metadata, rooms }: AdmittedModel) {
    this.#runtime = runtime;
    this.#session = session;
    this.#outputs = rooms ? [OUTPUT_NAME, ROOM_NAME] : [OUTPUT_NAME];
    this.sha = sha256;
    this.metadata = metadata;
  }

  get schemaHash(): string {
    return this.metadata.schema.hash;
  }

  get columns(): number {
    return this.metadata.schema.features.length;
  }

  /**
   * `[rows, columns]` → `[rows, 3]`, and `[rows]` rooms behind them where it tells them. The features may be longer; they are read before it returns. Throws `E_MODEL_OUTPUT`
   * where a score is no number or out of range, `E_MODEL_RUN` where the run fails.
   */
  async score(features: Float32Array, rows: number): Promise<Float32Array> {
    const length = rows * this.columns;
    if (this.#closed) throw modelError('E_MODEL_CLOSED', 'the model is closed');
    if (features.length < length) {
      throw modelError('E_MODEL_SHAPE', `${rows} rows need ${length} features, not ${features.length}`);
    }
    this.#running += 1;
    try {
      const input = new this.#runtime.Tensor('float32', features.slice(0, length), [rows, this.columns]);
      const answer = await this.#session.run({ [INPUT_NAME]: input }, this.#outputs);
      const { data: own, dims } = answer[OUTPUT_NAME] as Tensor;
      if (!(own instanceof Float32Array) || dims[0] !== rows || dims[1] !== SCORE_NAMES.length) {
        throw modelError('E_MODEL_SHAPE', `the model answers [${dims.join(', ')}], not [${rows}, 3] of float32`);
      }
      const data = withRooms(own, answer[ROOM_NAME]);
      const fault = scoreFault(data, rows);
      if (fault !== undefined) throw modelError('E_MODEL_OUTPUT', fault);
      return data;
    } catch (cause) {
      if (cause instanceof FairleadError) throw cause;
      throw modelError('E_MODEL_RUN', `the model cannot be run: ${messageOf(cause).slice(0, 300)}`, cause);
    } finally {
      this.#running -= 1;
      await this.#releaseWhenIdle();
    }
  }

  /** Frees the session once no run is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#releaseWhenIdle();
  }

  async #releaseWhenIdle(): Promise<void> {
    if (!this.#closed || this.#running > 0 || this.#released) return;
    this.#released = true;
    await this.#session.release();
  }
}

function withRooms(scores: Float32Array, rooms: Tensor | undefined): Float32Array {
  if (rooms === undefined) return scores;
  if (!(rooms.data instanceof Float32Array)) {
    throw modelError('E_MODEL_SHAPE', `the model answers rooms of ${rooms.type}, not of float32`);
  }
  const all = new Float32Array(scores.length + rooms.data.length);
  all.set(scores);
  all.set(rooms.data, scores.length);
  return all;
}
