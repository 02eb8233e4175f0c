/** Share of outcomes that shall lie above the quantile. */
const MISS = 0.05;
/** Step of the correction, in nats of latency, and its bounds: a factor of ten. */
const STEP = 0.03;
const MOST = Math.log(10);

/**
 * Corrects a forecast 0.95 quantile of latency by how often outcomes exceeded it: each one that did moves it up by much, each
 * one that did not down by little, so that in the long run 5 % do, whatever the forecast and however the world changes
 * (adaptive conformal inference, Gibbs and Candès, NeurIPS 2021; here the threshold itself is what moves, so that no
 * outcomes have to be kept). One number per target.
 */
export class Conformal {
  readonly #corrections: Float64Array;
  readonly #factors: Float64Array;

  constructor(targets: number) {
    this.#corrections = new Float64Array(targets);
    this.#factors = new Float64Array(targets).fill(1);
  }

  /** What a forecast quantile in ms is to be multiplied with, as of the last roll: 0.1 to 10. */
  factor(target: number): number {
    return this.#factors[target] as number;
  }

  /** @param missed The outcome was above the corrected quantile that was forecast for it. */
  saw(target: number, missed: boolean): void {
    const moved = (this.#corrections[target] as number) + STEP * (missed ? 1 - MISS : -MISS);
    this.#corrections[target] = Math.max(-MOST, Math.min(MOST, moved));
  }

  roll(): void {
    for (let i = 0; i < this.#factors.length; i += 1) this.#factors[i] = Math.exp(this.#corrections[i] as number);
  }

  reset(): void {
    this.#corrections.fill(0);
    this.#factors.fill(1);
  }
}
