import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { FairleadError } from '../../core/errors.ts';
import { modelError } from '../contract.ts';
import type { EvalReport, EvalRequest } from '../evaluating.ts';
import type { JobListeners, TrainingJob, TrainingResult } from './job.ts';
import type { ReadSummary } from './read.ts';
import type { TrainProgress } from './train.ts';

/** What it is asked: one of the two. */
export interface ChildJob {
  readonly training?: TrainingJob;
  readonly evaluation?: EvalRequest;
}

/** What it says: one reply has one of these. */
export interface ChildReply {
  readonly read?: ReadSummary;
  readonly progress?: TrainProgress;
  readonly simulated?: { readonly done: number; readonly of: number };
  readonly result?: TrainingResult;
  readonly evaluated?: EvalReport;
  readonly error?: { readonly code: string; readonly message: string };
}

export interface TrainingListeners extends JobListeners {
  /** Ends the training process at once. */
  readonly signal?: AbortSignal | undefined;
}

export type EvalListeners = Pick<TrainingListeners, 'onSimulated' | 'signal'>;

/** Heap of the training process in MiB. Rows stand outside of it, bounded by `maxRows`. */
const HEAP_MIB = 256;

/**
 * Trains in a process of its own, which can be killed and whose memory is its own. Rejects with the `E_MODEL_…` error of
 * the training, `E_MODEL_TRAINING` where the process dies, `E_STOPPED` where `signal` ends it.
 */
export async function runTraining(job: TrainingJob, listeners: TrainingListeners = {}): Promise<TrainingResult> {
  const { result } = await inChild({ training: job }, listeners);
  if (result === undefined) throw modelError('E_MODEL_TRAINING', 'the training process gave no model');
  return { ...result, onnx: Buffer.from(result.onnx) };
}

/** Holds a model against rows in such a process, so that whoever asks can go on. Rejects as {@link runTraining} does. */
export async function runEvaluation(request: EvalRequest, listeners: EvalListeners = {}): Promise<EvalReport> {
  const { evaluated } = await inChild({ evaluation: request }, listeners);
  if (evaluated === undefined) throw modelError('E_MODEL_TRAINING', 'the training process gave no figures');
  return evaluated;
}

function inChild(job: ChildJob, { onRead, onProgress, onSimulated, signal }: TrainingListeners): Promise<ChildReply> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(stopped());
      return;
    }
    const child = start();
    const kill = (): void => void child.kill('SIGKILL');
    let ended = false;
    const end = (settle: () => void): void => {
      if (ended) return;
      ended = true;
      signal?.removeEventListener('abort', kill);
      settle();
    };
    signal?.addEventListener('abort', kill, { once: true });
    child.on('message', (reply: ChildReply) => {
      const { read, progress, simulated, result, evaluated, error } = reply;
      if (read !== undefined) onRead?.(read);
      if (progress !== undefined) onProgress?.(progress);
      if (simulated !== undefined) onSimulated?.(simulated.done, simulated.of);
      if (result !== undefined || evaluated !== undefined) end(() => resolve(reply));
      if (error !== undefined) end(() => reject(new FairleadError(error)));
    });
    child.on('error', (cause) =>
      end(() => reject(modelError('E_MODEL_TRAINING', 'the training process cannot run', cause))),
    );
    child.on('exit', (code, by) => {
      const message = `the training process ended with ${by ?? `exit code ${code}`}`;
      end(() => reject(signal?.aborted === true ? stopped() : modelError('E_MODEL_TRAINING', message)));
    });
    child.send(job, (error) => {
      if (error !== null)
        end(() => reject(modelError('E_MODEL_TRAINING', 'the training process cannot be told', error)));
    });
  });
}

/** From sources (tests, development) the process needs the loader that runs TypeScript. */
function start(): ChildProcess {
  const fromSources = import.meta.url.endsWith('.ts');
  const entry = fileURLToPath(new URL(`../../training-child.${fromSources ? 'ts' : 'js'}`, import.meta.url));
  const loader = fromSources ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href] : [];
  return fork(entry, [], {
    execArgv: [`--max-old-space-size=${HEAP_MIB}`, ...loader],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: {},
  });
}

function stopped(): FairleadError {
  return new FairleadError({ code: 'E_STOPPED', message: 'the training was stopped' });
}
