const BUCKETS = 10;

/**
 * Counts of the last `windowMs`, in buckets of a tenth of it: what is older than the window is gone, and up to a tenth of
 * it less is seen. Constant time and space, whatever is counted. Time never goes back.
 */
export class SlidingWindow {
  readonly #bucketMs: number;
  readonly #buckets: { total: number; failed: number; slow: number }[];
  /** Number of the newest bucket since time 0. */
  #newest = 0;
  #total = 0;
  #failed = 0;
  #slow = 0;

  constructor(windowMs: number) {
    this.#bucketMs = windowMs / BUCKETS;
    this.#buckets = Array.from({ length: BUCKETS }, () => ({ total: 0, failed: 0, slow: 0 }));
  }

  get total(): number {
    return this.#total;
  }

  /** Part of the results that failed; undefined without any. */
  get failureRate(): number | undefined {
    return this.#total === 0 ? undefined : this.#failed / this.#total;
  }

  get slowRate(): number | undefined {
    return this.#total === 0 ? undefined : this.#slow / this.#total;
  }

  add(total: number, failed: number, slow: number, now: number): void {
    this.advance(now);
    const bucket = this.#bucket(this.#newest);
    bucket.total += total;
    bucket.failed += failed;
    bucket.slow += slow;
    this.#total += total;
    this.#failed += failed;
    this.#slow += slow;
  }

  /** Lets go of what has left the window. */
  advance(now: number): void {
    const newest = Math.floor(now / this.#bucketMs);
    const first = Math.max(this.#newest + 1, newest - BUCKETS + 1);
    for (let number = first; number <= newest; number += 1) {
      const bucket = this.#bucket(number);
      this.#total -= bucket.total;
      this.#failed -= bucket.failed;
      this.#slow -= bucket.slow;
      bucket.total = bucket.failed = bucket.slow = 0;
    }
    this.#newest = newest;
  }

  clear(): void {
    for (const bucket of this.#buckets) bucket.total = bucket.failed = bucket.slow = 0;
    this.#total = this.#failed = this.#slow = 0;
  }

  #bucket(number: number): { total: number; failed: number; slow: number } {
    return this.#buckets[number % BUCKETS] as { total: number; failed: number; slow: number };
  }
}
