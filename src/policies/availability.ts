import { type Backoff, equalJitter } from '../core/backoff.ts';
import type { Random } from '../core/clock.ts';
import type { LanePolicy } from '../core/policy.ts';
import type { SendResult } from '../core/target.ts';

const PROBE: Backoff = { policy: 'exponential', delayMs: 100, maxMs: 5_000 };

/**
 * Closes the lane while its target cannot be reached. It opens when the target says so or, in case it never does, when
 * a probe interval with jitter has passed.
 */
export class Availability implements LanePolicy {
  readonly #random: Random;
  #failures = 0;
  #closedUntil = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get down(): boolean {
    return this.#failures > 0;
  }

  admit(now: number): number {
    return this.#failures === 0 ? 0 : Math.max(0, this.#closedUntil - now);
  }

  settled(results: readonly SendResult[], now: number): void {
    for (const result of results) {
      if (result.status === 'confirmed') {
        this.available();
        return;
      }
    }
    for (const result of results) {
      if (result.status !== 'confirmed' && result.unavailable === true) {
        this.unavailable(now);
        return;
      }
    }
  }

  available(): void {
    this.#failures = 0;
  }

  unavailable(now: number): void {
    // Sends that were under way together fail together: one outage, one step of the backoff.
    if (this.#failures > 0 && now < this.#closedUntil) return;
    this.#failures += 1;
    this.#closedUntil = now + equalJitter(PROBE, this.#failures, this.#random);
  }
}
