import type { Baseline } from './gate.ts';
import { evaluate } from './metrics.ts';
import { pairedErrors } from './paired.ts';
import type { Dataset } from './training/dataset.ts';

/** Time constants, in ms, of the averages that a model has to be better than. */
const BASELINE_TAUS_MS = [1_000, 5_000, 30_000] as const;

/** Standard deviations from the mean to the 0.95 quantile of a normal distribution. */
const Z95 = 1.6449;

interface Average {
  at: number;
  weight: number;
  sum: number;
  squares: number;
  all: number;
  failed: number;
}

/**
 * The averages on some rows, held against a model's scores of the same.
 *
 * @param averages Scores of each of the averages, of these rows.
 */
export function baselinesOf(
  rows: Dataset,
  scores: Float32Array,
  averages: (tauMs: number) => Float32Array,
): readonly Baseline[] {
  return BASELINE_TAUS_MS.map((tauMs) => {
    const average = averages(tauMs);
    return { ...evaluate(rows, average), errors: pairedErrors(rows, scores, average) };
  });
}

/**
 * Scores `[rows, 3]` of an exponentially weighted average per target: mean and deviation of log ms and the share of failures,
 * of outcomes that were known by the time of each row. What a model must beat to be of use.
 *
 * @param data In order of time.
 */
export function ewmaScores(data: Dataset, tauMs: number): Float32Array {
  const averages = data.targets.map(() => newAverage());
  const everything = newAverage();
  const order = Uint32Array.from({ length: data.rows }, (_, row) => row);
  order.sort((a, b) => (data.known[a] as number) - (data.known[b] as number) || a - b);
  const scores = new Float32Array(data.rows * 3);
  let next = 0;
  for (let row = 0; row < data.rows; row += 1) {
    const now = data.at[row] as number;
    while (next < order.length && (data.known[order[next] as number] as number) <= now) {
      const done = order[next] as number;
      learn(averages[data.target[done] as number] as Average, data, done, tauMs);
      learn(everything, data, done, tauMs);
      next += 1;
    }
    const own = averages[data.target[row] as number] as Average;
    write(scores, row * 3, own.weight > 0 ? own : everything, own.all > 0 ? own : everything);
  }
  return scores;
}

function newAverage(): Average {
  return { at: 0, weight: 0, sum: 0, squares: 0, all: 0, failed: 0 };
}

function learn(average: Average, data: Dataset, row: number, tauMs: number): void {
  const at = data.known[row] as number;
  const decay = Math.exp(-Math.max(0, at - average.at) / tauMs);
  const weight = data.weight[row] as number;
  const failed = data.failed[row] as number;
  average.at = at;
  average.all = average.all * decay + weight;
  average.failed = average.failed * decay + weight * failed;
  const logMs = data.logMs[row] as number;
  const success = Number.isNaN(logMs) ? 0 : weight * (1 - failed);
  average.weight = average.weight * decay + success;
  average.sum = average.sum * decay + (success > 0 ? success * logMs : 0);
  average.squares = average.squares * decay + (success > 0 ? success * logMs * logMs : 0);
}

function write(scores: Float32Array, at: number, latency: Average, failures: Average): void {
  const mean = latency.weight > 0 ? latency.sum / latency.weight : 0;
  const variance = latency.weight > 0 ? Math.max(0, latency.squares / latency.weight - mean * mean) : 0;
  scores[at] = mean;
  scores[at + 1] = mean + Z95 * Math.sqrt(variance);
  // never certain: half a failure in a hundred sends was seen before the first
  scores[at + 2] = (failures.failed + 0.005) / (failures.all + 1);
}
