// The training process: reads rows, trains, measures, simulates, and answers the process that started it. See models/training/run.ts.

import { setPriority } from 'node:os';
import { FairleadError, messageOf } from './core/errors.ts';
import { evaluateModel } from './models/evaluating.ts';
import { doJob, type TrainingJob, type TrainingResult } from './models/training/job.ts';
import type { ChildJob, ChildReply } from './models/training/run.ts';
import { createSelector } from './selecting.ts';
import { closedLoop } from './simulation/closed-loop.ts';

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
    if (evaluation !== undefined)
      await tell({ evaluated: await evaluateModel(evaluation, { closedLoop: simulation, onSimulated }) });
  } catch (error) {
    const code = error instanceof FairleadError ? error.code : 'E_ERROR';
    await tell({ error: { code, message: messageOf(error) } });
  }
  process.disconnect();
}

const simulation = closedLoop(createSelector);

function onSimulated(done: number, of: number): void {
  process.send?.({ simulated: { done, of } } satisfies ChildReply);
}

/** Trains and tells how far it is. */
function trained(job: TrainingJob): Promise<TrainingResult> {
  let toldAt = Number.NEGATIVE_INFINITY;
  return doJob(job, simulation, {
    onSimulated,
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
