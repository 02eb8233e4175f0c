/** Rates are per interval, as in the paper. */
const INTERVAL_MS = 20;
const FIRST_RATE = 10;
/** Factor of a decrease, scale of the growth and its greatest step: the values of NSDI'15, section 5. */
const DECREASE = 0.2;
const GROWTH = 0.000004;
const MOST_STEP = 10;
const HYSTERESIS_MS = 2 * INTERVAL_MS;
const LEAST_RATE = 0.01;
/** Weight of the newest interval in the measured rates. */
const GAIN = 0.1;

/**
 * C3's send rate to one target: shrinks when more is sent than comes back, else grows along a cubic curve that is flat
 * around the rate at which it last had to shrink.
 */
export class CubicRate {
  #limit: number;
  #saturation: number;
  #tokens: number;
  #refilledAt: number = Number.NaN;
  #decreasedAt = 0;
  #increasedAt: number = Number.NEGATIVE_INFINITY;
  #intervalAt = 0;
  #sentNow = 0;
  #receivedNow = 0;
  #sentRate = 0;
  #receivedRate = 0;

  /** @param perSecond What the target is known to take; default: found out. */
  constructor(perSecond?: number) {
    this.#limit = perSecond === undefined ? FIRST_RATE : (perSecond * INTERVAL_MS) / 1_000;
    this.#saturation = this.#limit;
    this.#tokens = this.#limit;
  }

  allows(now: number): boolean {
    this.#refill(now);
    return this.#tokens >= 1;
  }

  sent(now: number): void {
    this.#refill(now);
    this.#measure(now);
    this.#tokens = Math.max(0, this.#tokens - 1);
    this.#sentNow += 1;
  }

  /** A send that did not happen. */
  recalled(): void {
    this.#tokens += 1;
    this.#sentNow = Math.max(0, this.#sentNow - 1);
  }

  received(now: number): void {
    this.#measure(now);
    this.#receivedNow += 1;
    if (this.#sentRate > this.#receivedRate && now - this.#increasedAt > HYSTERESIS_MS) {
      if (now - this.#decreasedAt < HYSTERESIS_MS) return;
      this.#saturation = this.#limit;
      this.#limit = Math.max(LEAST_RATE, this.#limit * (1 - DECREASE));
      this.#decreasedAt = now;
    } else if (this.#sentRate < this.#receivedRate) {
      const since = now - this.#decreasedAt;
      const offset = Math.cbrt((DECREASE * this.#saturation) / GROWTH);
      const curve = GROWTH * (since - offset) ** 3 + this.#saturation;
      if (curve > this.#limit) {
        this.#limit = Math.min(this.#limit + MOST_STEP, curve);
        this.#increasedAt = now;
      }
    }
  }

  #refill(now: number): void {
    if (!(now > this.#refilledAt) && !Number.isNaN(this.#refilledAt)) return;
    const elapsed = Number.isNaN(this.#refilledAt) ? 0 : now - this.#refilledAt;
    // Never less than one, or a low rate could never send.
    this.#tokens = Math.min(Math.max(1, this.#limit), this.#tokens + (elapsed / INTERVAL_MS) * this.#limit);
    this.#refilledAt = now;
  }

  #measure(now: number): void {
    const elapsed = now - this.#intervalAt;
    if (elapsed < INTERVAL_MS) return;
    const intervals = elapsed / INTERVAL_MS;
    this.#sentRate += GAIN * (this.#sentNow / intervals - this.#sentRate);
    this.#receivedRate += GAIN * (this.#receivedNow / intervals - this.#receivedRate);
    this.#sentNow = 0;
    this.#receivedNow = 0;
    this.#intervalAt = now;
  }
}
