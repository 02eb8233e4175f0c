/** How a rise of residuals is told from noise; residuals are in nats. */
export interface DriftRules {
  /** Residuals of this time are one observation: neighbours in time say the same. In ms. */
  readonly binMs: number;
  /** A lasting rise of less is none. */
  readonly tolerance: number;
  /** Alarm once the rise above `tolerance`, summed over observations, comes to this. */
  readonly threshold: number;
  /** Observations before which there is no alarm. */
  readonly warmUp: number;
  /** Sends that make a whole observation; fewer count for less. */
  readonly wholeBin: number;
  /** After an alarm, none for this time, in ms. */
  readonly cooldownMs: number;
}

export const DRIFT_RULES: DriftRules = {
  binMs: 1_000,
  tolerance: 0.05,
  threshold: 3,
  warmUp: 20,
  wholeBin: 8,
  cooldownMs: 300_000,
};

/** A model has become worse at a target. */
export interface DriftAlarm {
  /** Index of the target. */
  readonly target: number;
  /** When it began, in ms of the caller's clock. */
  readonly since: number;
  /** Mean rise since then, in nats. */
  readonly rise: number;
  /** Whether it became worse than a plain average, or only worse than it was: then all that is known may have got worse. */
  readonly beyondAverage: boolean;
}

/** Residuals beyond are errors of another kind, e.g. of a clock; they must not raise an alarm on their own. */
const MOST = 3;

/**
 * Tells a rise of a mean from noise: the sum of what each observation is above the mean so far, less a tolerance, has risen by
 * a threshold above its least value (Page 1954; Hinkley 1971).
 */
class PageHinkley {
  readonly #tolerance: number;
  readonly #threshold: number;
  #weight = 0;
  #mean = 0;
  #sum = 0;
  #least = 0;
  /** Weight when the sum was least, and when that was. */
  #weightThen = 0;
  #leastAt: number = Number.NaN;

  constructor(tolerance: number, threshold: number) {
    this.#tolerance = tolerance;
    this.#threshold = threshold;
  }

  /** When the rise began: the sum was least then. */
  get since(): number {
    return this.#leastAt;
  }

  /** Mean rise of an observation since then. */
  get rise(): number {
    return (this.#sum - this.#least) / Math.max(1e-9, this.#weight - this.#weightThen) + this.#tolerance;
  }

  /** True: there is a rise. @param weight Of the observation, 0 to 1. */
  add(at: number, value: number, weight: number): boolean {
    this.#weight += weight;
    this.#mean += (weight * (value - this.#mean)) / this.#weight;
    this.#sum += weight * (value - this.#mean - this.#tolerance);
    if (this.#sum <= this.#least || Number.isNaN(this.#leastAt)) {
      this.#least = this.#sum;
      this.#leastAt = at;
      this.#weightThen = this.#weight;
    }
    return this.#sum - this.#least > this.#threshold;
  }
}

interface Watch {
  /** Of the residual, and of what it is above the average's. */
  own: PageHinkley;
  beyond: PageHinkley;
  bins: number;
  from: number;
  count: number;
  residual: number;
  excess: number;
}

/**
 * Watches the residuals of a model's `log_ms_mean` by target: whether they rise, and whether they rise above those of a plain
 * average. Where the model gets worse alone it knows a world that is gone; where both do there may be something new to learn, or
 * nothing. O(1) per send; pure, all times are the caller's.
 */
export class DriftWatch {
  readonly #rules: DriftRules;
  readonly #watches: Watch[];
  #quietUntil = Number.NEGATIVE_INFINITY;

  constructor(targets: number, rules: DriftRules = DRIFT_RULES) {
    this.#rules = rules;
    this.#watches = Array.from({ length: targets }, () => this.#fresh());
  }

  /**
   * A send that succeeded.
   *
   * @param residual |log ms − `log_ms_mean`| as of the decision.
   * @param usual The same of the average.
   */
  saw(target: number, now: number, residual: number, usual: number): DriftAlarm | undefined {
    const watch = this.#watches[target];
    const excess = residual - usual;
    if (watch === undefined || !Number.isFinite(excess)) return undefined;
    const alarm = watch.count > 0 && now - watch.from >= this.#rules.binMs ? this.#close(watch, target) : undefined;
    if (watch.count === 0) watch.from = now;
    watch.count += 1;
    watch.residual += Math.min(MOST, residual);
    watch.excess += Math.max(-MOST, Math.min(MOST, excess));
    return alarm;
  }

  /** Forgets all, since there is another model; a cooldown goes on. */
  reset(): void {
    for (let i = 0; i < this.#watches.length; i += 1) this.#watches[i] = this.#fresh();
  }

  #close(watch: Watch, target: number): DriftAlarm | undefined {
    const { warmUp, wholeBin, cooldownMs } = this.#rules;
    const { from, count, own, beyond } = watch;
    const weight = Math.min(1, count / wholeBin);
    const isWorse = own.add(from, watch.residual / count, weight);
    const isBeyond = beyond.add(from, watch.excess / count, weight);
    watch.count = 0;
    watch.residual = 0;
    watch.excess = 0;
    watch.bins += 1;
    if (!(isWorse || isBeyond) || watch.bins < warmUp || from < this.#quietUntil) return undefined;
    const { since, rise } = isBeyond ? beyond : own;
    this.#quietUntil = from + cooldownMs;
    Object.assign(watch, this.#fresh());
    return { target, since, rise, beyondAverage: isBeyond };
  }

  #fresh(): Watch {
    const { tolerance, threshold } = this.#rules;
    const test = (): PageHinkley => new PageHinkley(tolerance, threshold);
    return { own: test(), beyond: test(), bins: 0, from: 0, count: 0, residual: 0, excess: 0 };
  }
}
