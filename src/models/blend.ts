/** How forecasters are weighted by what they were wrong by. */
export interface BlendRules {
  /** Weights without any evidence; their sum is 1. */
  readonly prior: readonly number[];
  /** Time constant with which losses are forgotten, in ms. */
  readonly tauMs: number;
  /** How fast weight is lost: by a factor e for 1/rate of mean loss more than another's. */
  readonly rate: number;
  /** No loss counts for more. */
  readonly most: number;
  /** What all targets say counts for so many sends of each one. */
  readonly pooled: number;
}

/**
 * Exponential weights (Littlestone and Warmuth 1994) over forecasters, by target, on mean losses that fade with time. A target
 * with few sends is judged by all of them. O(1) per send; the weights are computed anew by `roll`. Weights are always
 * finite, positive or 0, with a sum of 1 per target: a loss that is no number counts as the greatest.
 */
export class Blend {
  readonly #rules: BlendRules;
  readonly #count: number;
  readonly #sums: Float64Array;
  readonly #sends: Float64Array;
  readonly #weights: Float64Array;
  readonly #pool: Float64Array;

  constructor(targets: number, rules: BlendRules) {
    this.#rules = rules;
    this.#count = rules.prior.length;
    this.#sums = new Float64Array(targets * this.#count);
    this.#sends = new Float64Array(targets);
    this.#weights = new Float64Array(targets * this.#count);
    this.#pool = new Float64Array(this.#count);
    this.reset();
  }

  /** One forecaster's loss for a send, at least 0; `counted` once per send. */
  lost(target: number, forecaster: number, loss: number): void {
    const { most } = this.#rules;
    const at = target * this.#count + forecaster;
    // Written so that NaN counts as the most.
    this.#sums[at] = (this.#sums[at] as number) + (loss < most ? Math.max(0, loss) : most);
  }

  counted(target: number): void {
    this.#sends[target] = (this.#sends[target] as number) + 1;
  }

  /** Sends that the weights of a target rest on, faded. */
  evidence(target: number): number {
    return this.#sends[target] as number;
  }

  weight(target: number, forecaster: number): number {
    return this.#weights[target * this.#count + forecaster] as number;
  }

  /** Lets losses fade and computes the weights. */
  roll(elapsedMs: number): void {
    const { tauMs, pooled } = this.#rules;
    const factor = Math.exp(-Math.max(0, elapsedMs) / tauMs);
    let all = pooled;
    this.#pool.fill(0);
    for (let target = 0; target < this.#sends.length; target += 1) {
      const sends = (this.#sends[target] as number) * factor;
      this.#sends[target] = sends;
      all += sends;
      for (let k = 0; k < this.#count; k += 1) {
        const at = target * this.#count + k;
        const sum = (this.#sums[at] as number) * factor;
        this.#sums[at] = sum;
        this.#pool[k] = (this.#pool[k] as number) + sum;
      }
    }
    for (let target = 0; target < this.#sends.length; target += 1) this.#weigh(target, all);
  }

  #weigh(target: number, all: number): void {
    const { prior, rate, pooled } = this.#rules;
    const weights = this.#weights;
    const first = target * this.#count;
    const last = first + this.#count;
    const sends = (this.#sends[target] as number) + pooled;
    let least = Number.POSITIVE_INFINITY;
    // The mean losses, in the place of the weights.
    for (let at = first; at < last; at += 1) {
      const ofAll = (this.#pool[at - first] as number) / all;
      const loss = ((this.#sums[at] as number) + pooled * ofAll) / sends;
      weights[at] = loss;
      least = Math.min(least, loss);
    }
    let total = 0;
    for (let at = first; at < last; at += 1) {
      const weight = (prior[at - first] as number) * Math.exp(-rate * ((weights[at] as number) - least));
      weights[at] = weight;
      total += weight;
    }
    for (let at = first; at < last; at += 1) weights[at] = (weights[at] as number) / total;
  }

  reset(): void {
    this.#sums.fill(0);
    this.#sends.fill(0);
    for (let at = 0; at < this.#weights.length; at += 1) {
      this.#weights[at] = this.#rules.prior[at % this.#count] as number;
    }
  }
}
