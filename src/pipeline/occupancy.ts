import type { PendingLeg } from './leg.ts';

/**
 * How much waits or is under way in a lane, against its bounds. It is full from either bound on until it has drained to
 * half of both.
 */
export class Occupancy {
  depth = 0;
  bytes = 0;
  full = false;
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  readonly #onPressure: (full: boolean) => void;

  constructor(maxEvents: number, maxBytes: number, onPressure: (full: boolean) => void) {
    this.#maxEvents = maxEvents;
    this.#maxBytes = maxBytes;
    this.#onPressure = onPressure;
  }

  add(leg: PendingLeg): void {
    this.depth += 1;
    this.bytes += leg.bytes;
    if (this.full || (this.depth < this.#maxEvents && this.bytes < this.#maxBytes)) return;
    this.full = true;
    this.#onPressure(true);
  }

  end(leg: PendingLeg): void {
    this.depth -= 1;
    this.bytes -= leg.bytes;
  }

  /** Lets those that wait for room know of it. */
  relieve(): void {
    if (this.full && this.depth <= this.#maxEvents / 2 && this.bytes <= this.#maxBytes / 2) this.open();
  }

  /** Nobody need wait for room here any more. */
  open(): void {
    if (!this.full) return;
    this.full = false;
    this.#onPressure(false);
  }

  /** Everything was taken out, by somebody who takes care of those that wait. */
  clear(): void {
    this.depth = 0;
    this.bytes = 0;
    this.full = false;
  }
}
