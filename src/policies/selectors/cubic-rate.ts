/** Rates are per interval (δ of the paper). */
const INTERVAL_MS = 20;
/** Rate before anything was measured, and what the bucket holds at most, in events: the simulator's. */
const FIRST_RATE = 10;
const BUCKET = 10;
/** β: a decrease leaves this share. γ: scale of the growth. smax: its greatest step. */
const BETA = 0.2;
const GAMMA = 0.000004;
const MOST_STEP = 10;
/** So long after an increase answers tell nothing of it yet. */
const HYSTERESIS_MS = 2 * INTERVAL_MS;
const LEAST_RATE = 0.01;
/** Weight of the newest interval in the rate of answers. */
const GAIN = 0.1;

/**
 * C3's rate limit for one target (NSDI'15, algorithm 2): falls to β of itself when more may be sent than comes back, else
 * grows along a cubic curve that is flat around the rate from which it last fell. The constants are those of the authors'
 * simulator (github.com/lalithsuresh/absim: `updateRates`, `RateLimiter`, `ReceiveRate`, `factorial.py`); their Cassandra
 * (lalithsuresh/cassandra-c3, `RateController`) has the same β, γ, smax and interval, and a hysteresis of 4 intervals.
 */
export class CubicRate {
  #limit: number;
  #saturation: number;
  #tokens = BUCKET;
  #refilledAt: number = Number.NaN;
  #decreasedAt: number = Number.NaN;
  #increasedAt: number = Number.NaN;
  #intervalAt: number = Number.NaN;
  #received = 0;
  #receivedRate = 0;

  /** @param perSecond What the target is known to take; default: found out. */
  constructor(perSecond?: number) {
    this.#limit = perSecond === undefined ? FIRST_RATE : (perSecond * INTERVAL_MS) / 1_000;
    this.#saturation = this.#limit;
  }

  /** Events per interval. */
  get limit(): number {
    return this.#limit;
  }

  allows(now: number): boolean {
    this.#refill(now);
    return this.#tokens >= 1;
  }

  sent(now: number): void {
    this.#refill(now);
    this.#tokens = Math.max(0, this.#tokens - 1);
  }

  /** A send that did not happen. */
  recalled(): void {
    this.#tokens += 1;
  }

  /** @param answered False where the caller has given up. */
  settled(now: number, answered: boolean): void {
    if (Number.isNaN(this.#intervalAt)) this.#begin(now);
    this.#measure(now);
    if (answered) this.#received += 1;
    const received = this.#receivedRate;
    if (this.#limit < received) {
      const offset = Math.cbrt((this.#saturation * BETA) / GAMMA);
      const curve = GAMMA * (now - this.#decreasedAt - offset) ** 3 + this.#saturation;
      this.#limit = Math.min(this.#limit + MOST_STEP, curve);
      this.#increasedAt = now;
    } else if (received > 0 && this.#limit > received && now - this.#increasedAt > HYSTERESIS_MS) {
      this.#saturation = this.#limit;
      this.#limit = Math.max(LEAST_RATE, this.#limit * BETA);
      this.#decreasedAt = now;
    }
  }

  #begin(now: number): void {
    this.#intervalAt = now;
    this.#decreasedAt = now;
    this.#increasedAt = now;
  }

  #refill(now: number): void {
    const elapsed = now - this.#refilledAt;
    if (elapsed > 0) this.#tokens = Math.min(BUCKET, this.#tokens + (elapsed / INTERVAL_MS) * this.#limit);
    this.#refilledAt = now;
  }

  #measure(now: number): void {
    const intervals = Math.floor((now - this.#intervalAt) / INTERVAL_MS);
    if (intervals < 1) return;
    this.#receivedRate += GAIN * (this.#received - this.#receivedRate);
    // Nothing came in the intervals after the first, or it would have been seen.
    if (intervals > 1) this.#receivedRate *= (1 - GAIN) ** (intervals - 1);
    this.#received = 0;
    this.#intervalAt += intervals * INTERVAL_MS;
  }
}
