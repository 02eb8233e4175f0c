// The training process: reads rows, trains, measures, and answers the process that started it. See run.ts.

import { setPriority } from 'node:os';
import { FairleadError, messageOf } from '../../core/errors.ts';
import { evaluateModel } from '../evaluating.ts';
import { doJob, type TrainingJob, type TrainingResult } from './job.ts';
import type { ChildJob, ChildReply } from './run.ts';

/** Progress is told at most this often, in ms. */
const PROGRESS_MS = 200;

// Its owner is gone: nobody would take the model.
process.on('disconnect', () => process.exit(1));
// Ctrl-C reaches the whole group; the owner decides.
process.on('SIGINT', () => undefined);
process.once('message', (job: ChildJob) => void work(job));

async function work({ training, evaluation }: ChildJob): Promise<void> {
  try {
    setPriority(10);
  } catch {
    // not allowed here: only a courtesy to the gateway beside it
  }
  try {
    if (training !== undefined) await tell({ result: await trained(training) });
    if (evaluation !== undefined) await tell({ evaluated: await evaluateModel(evaluation) });
  } catch (error) {
    const code = error instanceof FairleadError ? error.code : 'E_ERROR';
    await tell({ error: { code, message: messageOf(error) } });
  }
  process.disconnect();
}

/** Trains and tells how far it is. */
function trained(job: TrainingJob): Promise<TrainingResult> {
  let toldAt = Number.NEGATIVE_INFINITY;
  return doJob(job, {
    onRead: (read) => process.send?.({ read } satisfies ChildReply),
    onProgress: (progress) => {
      const now = performance.now();
      if (now - toldAt < PROGRESS_MS && progress.trees < progress.of) return;
      toldAt = now;
      process.send?.({ progress } satisfies ChildReply);
    },
  });
}

/** Resolves once the reply is on its way: an exit before would lose it. */
function tell(reply: ChildReply): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(reply, undefined, undefined, (error) => (error === null ? resolve() : reject(error)));
  });
}
