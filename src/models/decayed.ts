/** Sums that fade with a time constant: a mean weighted by age, and how much stands behind it. */
export class Decayed {
  readonly #perMs: number;
  #at = 0;
  #sum = 0;
  /** Observations, faded. */
  weight = 0;

  constructor(tauMs: number) {
    this.#perMs = -1 / tauMs;
  }

  add(now: number, value: number): void {
    this.fade(now);
    this.#sum += value;
    this.weight += 1;
  }

  fade(now: number): void {
    if (now <= this.#at) return;
    const factor = Math.exp((now - this.#at) * this.#perMs);
    this.#at = now;
    this.#sum *= factor;
    this.weight *= factor;
  }

  /** NaN before the first observation, and when all has faded away. */
  get mean(): number {
    return this.weight > 1e-12 ? this.#sum / this.weight : Number.NaN;
  }

  /** The mean as if `count` observations of `prior` stood beside the others. */
  towards(prior: number, count: number): number {
    return (this.#sum + prior * count) / (this.weight + count);
  }
}
