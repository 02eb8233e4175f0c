import { type Backoff, equalJitter } from '../../core/backoff.ts';
import type { Clock, Random } from '../../core/clock.ts';

/** What SQS takes in one batch call. */
export const BATCH = 10;

export interface BatchQueueOptions<T> {
  /** Makes one batch call; resolves with the items to be tried again. Never rejects. */
  readonly call: (items: readonly T[]) => Promise<readonly T[]>;
  /** Calls under way at once. */
  readonly concurrency: number;
  /** Whether a call with less than ten items may start beside others; else it waits for one to end and fills up meanwhile. */
  readonly eager: boolean;
  readonly clock: Clock;
  readonly random: Random;
}

const BACKOFF: Backoff = { policy: 'exponential', delayMs: 100, maxMs: 5_000 };

/**
 * Coalesces single items into calls of ten. What comes in one tick goes together; while calls are under way the rest
 * gathers, so a call costs little each under load and nothing waits when there is none.
 */
export class BatchQueue<T extends { tries: number }> {
  readonly #options: BatchQueueOptions<T>;
  #items: T[] = [];
  #scheduled = false;
  #calls = 0;
  /** Items that wait for their next try. */
  #later = 0;
  readonly #cancels = new Set<() => void>();
  #waiters: (() => void)[] = [];
  #stopped = false;

  constructor(options: BatchQueueOptions<T>) {
    this.#options = options;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#schedule();
  }

  /** Resolves when everything pushed so far, and what its failures led to, has ended. */
  idle(): Promise<void> {
    if (this.#quiet()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Drops what has not been called yet and lets every {@link idle} go. */
  stop(): void {
    this.#stopped = true;
    this.#items = [];
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    this.#later = 0;
    this.#wake();
  }

  #quiet(): boolean {
    return this.#stopped || (this.#items.length === 0 && this.#calls === 0 && this.#later === 0);
  }

  #wake(): void {
    if (!this.#quiet()) return;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  #schedule(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const { concurrency, eager } = this.#options;
    let at = 0;
    while (at < this.#items.length && this.#calls < concurrency) {
      const full = this.#items.length - at >= BATCH;
      if (!full && !eager && this.#calls > 0) break;
      this.#start(this.#items.slice(at, at + BATCH));
      at += BATCH;
    }
    if (at > 0) this.#items = this.#items.slice(at);
  }

  #start(items: readonly T[]): void {
    this.#calls += 1;
    void this.#options.call(items).then((again) => {
      this.#calls -= 1;
      for (const item of again) this.#retry(item);
      if (this.#items.length > 0) this.#schedule();
      this.#wake();
    });
  }

  #retry(item: T): void {
    if (this.#stopped) return;
    item.tries += 1;
    this.#later += 1;
    const { clock, random } = this.#options;
    const cancel = clock.after(equalJitter(BACKOFF, item.tries, random), () => {
      this.#cancels.delete(cancel);
      this.#later -= 1;
      this.push(item);
    });
    this.#cancels.add(cancel);
  }
}
