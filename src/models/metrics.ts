import { QUANTILE } from './contract.ts';
import type { Dataset } from './training/dataset.ts';

/** How good scores are. All are means by weight; NaN where there are no rows to tell from. */
export interface Metrics {
  readonly rows: number;
  /** Mean |log ms − `log_ms_mean`| of sends that succeeded. */
  readonly logMae: number;
  /** Mean pinball loss of `log_ms_q95` at 0.95, of sends that succeeded. */
  readonly pinball: number;
  /** Share of successful sends that took at most `log_ms_q95`; 0.95 is right. */
  readonly coverage: number;
  /** Mean cross entropy of `p_fail`, in nats. */
  readonly logLoss: number;
  /** Expected calibration error of `p_fail` over ten bins. */
  readonly failureError: number;
  /** The calibration error that right probabilities would have on so few rows. */
  readonly failureNoise: number;
}

/** The measures where less is better. */
export type LossName = 'logMae' | 'pinball' | 'logLoss';
export type Losses = Readonly<Record<LossName, number>>;

/** One row's. */
export interface RowLosses extends Losses {
  /** Sends that the row stands for, and those of them that succeeded: of these alone are `logMae` and `pinball`. */
  readonly weight: number;
  readonly successes: number;
}

export function lossesOf(data: Dataset, scores: Float32Array, row: number): RowLosses {
  const weight = data.weight[row] as number;
  const failed = data.failed[row] as number;
  const p = Math.min(1 - 1e-7, Math.max(1e-7, scores[row * 3 + 2] as number));
  const logMs = data.logMs[row] as number;
  const over = logMs - (scores[row * 3 + 1] as number);
  return {
    weight,
    successes: Number.isNaN(logMs) ? 0 : weight * (1 - failed),
    logMae: Math.abs(logMs - (scores[row * 3] as number)),
    pinball: over > 0 ? QUANTILE * over : (QUANTILE - 1) * over,
    logLoss: -(failed * Math.log(p) + (1 - failed) * Math.log1p(-p)),
  };
}

export interface Evaluation {
  readonly overall: Metrics;
  readonly byTarget: Readonly<Record<string, Metrics>>;
}

const P_BINS = 10;

/** Holds scores `[rows, 3]` against what came of the rows, overall and by target. */
export function evaluate(data: Dataset, scores: Float32Array): Evaluation {
  const overall = new Tally();
  const tallies = data.targets.map(() => new Tally());
  for (let row = 0; row < data.rows; row += 1) {
    overall.add(data, scores, row);
    tallies[data.target[row] as number]?.add(data, scores, row);
  }
  const seen = data.targets.flatMap((name, i) => {
    const metrics = (tallies[i] as Tally).metrics();
    return metrics.rows === 0 ? [] : [[name, metrics] as const];
  });
  return { overall: overall.metrics(), byTarget: Object.fromEntries(seen) };
}

class Tally {
  #rows = 0;
  #weight = 0;
  #successes = 0;
  #absolute = 0;
  #pinball = 0;
  #covered = 0;
  #logLoss = 0;
  /** Weight, predicted, seen, and squared weight, by bin. */
  readonly #bins = new Float64Array(4 * P_BINS);

  add(data: Dataset, scores: Float32Array, row: number): void {
    const { weight, successes, logMae, pinball, logLoss } = lossesOf(data, scores, row);
    const failed = data.failed[row] as number;
    const p = Math.min(1 - 1e-7, Math.max(1e-7, scores[row * 3 + 2] as number));
    this.#rows += 1;
    this.#weight += weight;
    this.#logLoss += weight * logLoss;
    const bins = this.#bins;
    const bin = 4 * Math.min(P_BINS - 1, Math.floor(p * P_BINS));
    bins[bin] = (bins[bin] as number) + weight;
    bins[bin + 1] = (bins[bin + 1] as number) + weight * p;
    bins[bin + 2] = (bins[bin + 2] as number) + weight * failed;
    bins[bin + 3] = (bins[bin + 3] as number) + weight * weight;

    if (Number.isNaN(data.logMs[row] as number)) return;
    this.#successes += successes;
    this.#absolute += successes * logMae;
    this.#pinball += successes * pinball;
    if ((data.logMs[row] as number) <= (scores[row * 3 + 1] as number)) this.#covered += successes;
  }

  metrics(): Metrics {
    let failureError = 0;
    let failureNoise = 0;
    for (let bin = 0; bin < this.#bins.length; bin += 4) {
      const [weight = 0, predicted = 0, seen = 0, squares = 0] = this.#bins.subarray(bin, bin + 4);
      if (weight === 0) continue;
      const p = predicted / weight;
      failureError += Math.abs(predicted - seen);
      // mean absolute deviation of a normal distribution with the deviation of that many trials
      failureNoise += Math.sqrt((2 / Math.PI) * p * (1 - p) * squares);
    }
    return {
      rows: this.#rows,
      logMae: this.#absolute / this.#successes,
      pinball: this.#pinball / this.#successes,
      coverage: this.#covered / this.#successes,
      logLoss: this.#logLoss / this.#weight,
      failureError: failureError / this.#weight,
      failureNoise: failureNoise / this.#weight,
    };
  }
}
