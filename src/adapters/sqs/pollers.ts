import { equalJitter, RECONNECT } from '../../core/backoff.ts';
import type { Clock, Random } from '../../core/clock.ts';
import { delay } from '../../core/connection.ts';
import { BATCH } from './batch-queue.ts';

export interface PollersOptions {
  /** Receives at once when there is a backlog. */
  readonly count: number;
  /** One receive; resolves with how many events it brought. */
  readonly receive: (signal: AbortSignal) => Promise<number>;
  /** Whether there is room for `events` more. */
  readonly room: (events: number) => boolean;
  readonly onFailure: (error: unknown) => void;
  readonly clock: Clock;
  readonly random: Random;
}

/** An endpoint that answers "nothing" faster than this does not wait for events: asking again at once would spin. */
const MIN_WAIT_MS = 100;

/**
 * Receive loops. A queue that is idle or nearly so is polled by one, which also makes its answers fuller; each answer of
 * ten wakes another, and answers of two or less let the last one rest.
 */
export class Pollers {
  readonly #options: PollersOptions;
  readonly #abort = new AbortController();
  readonly #resting = new AbortController();
  #stopping = false;
  #active = 1;
  #receiving = 0;
  #parked: (() => void)[] = [];
  #loops: Promise<void>[] = [];

  constructor(options: PollersOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loops = Array.from({ length: this.#options.count }, (_, index) => this.#loop(index));
  }

  /** Tells the loops that there may be room again. */
  wake(): void {
    if (this.#parked.length === 0 || !this.#room()) return;
    for (const resume of this.#parked.splice(0)) resume();
  }

  /** Ends every loop; a receive under way ends within `graceMs` by itself or is aborted. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#resting.abort();
    for (const resume of this.#parked.splice(0)) resume();
    const cancel = this.#options.clock.after(graceMs, () => this.#abort.abort());
    await Promise.all(this.#loops);
    cancel();
  }
  #room(): boolean {
    return this.#options.room((this.#receiving + 1) * BATCH);
  }

  async #loop(index: number): Promise<void> {
    const { signal } = this.#abort;
    const { clock, random } = this.#options;
    let failures = 0;
    while (!this.#stopping) {
      if (index >= this.#active || !this.#room()) {
        await new Promise<void>((resolve) => this.#parked.push(resolve));
        continue;
      }
      this.#receiving += 1;
      let restMs = 0;
      try {
        const startedAt = clock.now();
        const received = await this.#options.receive(signal);
        failures = 0;
        this.#adapt(index, received);
        if (received === 0 && clock.now() - startedAt < MIN_WAIT_MS) restMs = MIN_WAIT_MS;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        restMs = equalJitter(RECONNECT, failures, random);
        this.#options.onFailure(error);
      } finally {
        this.#receiving -= 1;
      }
      if (restMs > 0) await this.#rest(restMs);
    }
  }

  #adapt(index: number, received: number): void {
    if (received === BATCH && this.#active < this.#options.count) {
      this.#active += 1;
      for (const resume of this.#parked.splice(0)) resume();
    } else if (received <= 2 && index > 0 && index === this.#active - 1) {
      this.#active -= 1;
    }
  }

  async #rest(ms: number): Promise<void> {
    try {
      await delay(ms, this.#resting.signal, this.#options.clock);
    } catch {
      // stopped meanwhile: the loop ends by itself
    }
  }
}
