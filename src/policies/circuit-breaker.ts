import type { Random } from '../core/clock.ts';
import type { BreakerSnapshot, BreakerState, CircuitBreakerSettings, LanePolicy } from '../core/policy.ts';
import type { SendResult } from '../core/target.ts';
import { SlidingWindow } from './sliding-window.ts';

/** So much longer a wait may be, drawn each time: gateways that saw the same outage do not all probe at once. */
const JITTER = 0.25;

export interface CircuitBreakerOptions {
  readonly settings: CircuitBreakerSettings;
  readonly random: Random;
  /** Monotonic milliseconds at which it begins, closed. */
  readonly now: number;
  readonly onChange?: ((snapshot: BreakerSnapshot, from: BreakerState) => void) | undefined;
}

/**
 * Closes the lane of a target that fails too often or too slowly. After a wait it is half-open: a bounded number of events
 * is sent, one send at a time, and their results open it again or close it as soon as they can no longer do otherwise.
 *
 * What a send tells that began before the present state is about the past and changes nothing.
 */
export class CircuitBreaker implements LanePolicy {
  readonly #o: CircuitBreakerOptions;
  readonly #window: SlidingWindow;
  #state: BreakerState = 'closed';
  #since: number;
  #openings = 0;
  /** While open: when probes may be sent. */
  #probesAt = 0;
  /** While half-open: a send is under way, and what probes have told. */
  #probing = false;
  #good = 0;
  #bad = 0;

  constructor(options: CircuitBreakerOptions) {
    this.#o = options;
    this.#since = options.now;
    this.#window = new SlidingWindow(options.settings.windowMs);
  }

  get down(): boolean {
    return this.#state !== 'closed';
  }

  admit(now: number): number {
    if (this.#state === 'closed') return 0;
    if (this.#state === 'open') {
      if (now < this.#probesAt) return this.#probesAt - now;
      this.#good = 0;
      this.#bad = 0;
      this.#probing = false;
      this.#become('half-open', now);
    }
    // The results of the probe are what ends this wait.
    return this.#probing ? this.#o.settings.halfOpenAfterMs : 0;
  }

  limit(): number {
    return this.#state === 'half-open' ? this.#o.settings.probes - this.#good - this.#bad : Number.POSITIVE_INFINITY;
  }

  began(): void {
    if (this.#state === 'half-open') this.#probing = true;
  }

  settled(results: readonly SendResult[], now: number, beganAt: number): void {
    if (this.#state === 'open' || beganAt < this.#since) return;
    const { slowCall } = this.#o.settings;
    let told = 0;
    let failed = 0;
    for (const result of results) {
      if (result.status !== 'confirmed') {
        if (!result.retryable && result.unavailable !== true) continue;
        failed += 1;
      }
      told += 1;
    }
    const slow = slowCall !== undefined && now - beganAt > slowCall.overMs;
    if (this.#state === 'half-open') this.#probed(told, slow ? told : failed, now);
    else this.#count(told, failed, slow ? told : 0, now);
  }

  available(now: number): void {
    if (this.#state === 'open') this.#probesAt = Math.min(this.#probesAt, now);
  }

  snapshot(now: number): BreakerSnapshot {
    const { settings } = this.#o;
    if (this.#state === 'closed') this.#window.advance(now);
    const steady = this.#state === 'closed' && now - this.#since >= settings.windowMs;
    return {
      state: this.#state,
      since: this.#since,
      results: this.#window.total,
      failureRate: this.#window.failureRate,
      slowRate: settings.slowCall && this.#window.slowRate,
      openings: steady ? 0 : this.#openings,
      halfOpenInMs: this.#state === 'open' ? Math.max(0, this.#probesAt - now) : undefined,
    };
  }

  #count(told: number, failed: number, slow: number, now: number): void {
    const { failureRate, minimum, slowCall } = this.#o.settings;
    const window = this.#window;
    window.add(told, failed, slow, now);
    if (failed + slow === 0 || window.total < minimum) return;
    const tooSlow = slowCall !== undefined && (window.slowRate as number) >= slowCall.rate;
    if (tooSlow || (window.failureRate as number) >= failureRate) this.#open(now);
  }

  #probed(told: number, bad: number, now: number): void {
    const { failureRate, probes } = this.#o.settings;
    this.#probing = false;
    this.#bad += bad;
    this.#good += told - bad;
    if (this.#bad / probes >= failureRate) this.#open(now);
    else if ((probes - this.#good) / probes < failureRate) {
      this.#window.clear();
      this.#become('closed', now);
    }
  }

  #open(now: number): void {
    const { windowMs, halfOpenAfterMs, halfOpenAfterMaxMs } = this.#o.settings;
    if (this.#state === 'closed' && now - this.#since >= windowMs) this.#openings = 0;
    this.#openings += 1;
    const wait = Math.min(halfOpenAfterMaxMs, halfOpenAfterMs * 2 ** Math.min(this.#openings - 1, 30));
    this.#probesAt = now + wait * (1 + JITTER * this.#o.random());
    this.#become('open', now);
  }

  #become(state: BreakerState, now: number): void {
    const from = this.#state;
    this.#state = state;
    this.#since = now;
    this.#o.onChange?.(this.snapshot(now), from);
  }
}
