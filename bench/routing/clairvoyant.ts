import { SCORE_COLUMNS, type Scorer } from '../../src/core/scorer.ts';
import type { WaitMs } from '../../src/simulation/run.ts';
import { type SimTarget, stepOf, type World } from '../../src/simulation/world/world.ts';

/**
 * The forecast that a perfect model would give at each tick: the true mean by size at the present speed, the true wait,
 * the true odds of a failure. What `predictive` makes of it is what no model can be expected to exceed by much.
 */
export function clairvoyant(world: World, now: () => number, waitMs: WaitMs): Scorer {
  const { targets } = world;
  return {
    score(_features, rows) {
      const scores = new Float32Array(rows * SCORE_COLUMNS);
      const classes = rows / targets.length;
      const at = now();
      for (let row = 0; row < rows; row += 1) {
        const index = Math.floor(row / classes);
        const target = targets[index] as SimTarget;
        const step = Math.min(target.slow.length - 1, stepOf(at));
        const serviceMs = (target.serviceMs[row % classes] as number) * (target.slow[step] as number);
        const mean = target.rttMs + (target.extraRttMs[step] as number) + serviceMs + waitMs(index);
        const down = target.faults.some(({ startMs, endMs }) => at >= startMs && at < endMs);
        scores[row * SCORE_COLUMNS] = Math.log(mean);
        scores[row * SCORE_COLUMNS + 1] = Math.log(mean + serviceMs);
        scores[row * SCORE_COLUMNS + 2] = down ? 1 : (target.error[step] as number);
      }
      return scores;
    },
  };
}
