import type { Clock } from '../core/clock.ts';

/** Calls back at the earliest of the times that were asked for since it last did. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #at = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  get set(): boolean {
    return this.#at !== Number.POSITIVE_INFINITY;
  }

  in(ms: number, now: number): void {
    const at = now + ms;
    if (at >= this.#at) return;
    this.#cancel?.();
    this.#at = at;
    this.#cancel = this.#clock.after(ms, () => {
      this.#at = Number.POSITIVE_INFINITY;
      this.#ring();
    });
  }

  cancel(): void {
    this.#cancel?.();
  }
}
