/** Slices that are kept; what is settled later than that is not counted. */
const KEPT = 64;

/** What decisions of one slice of time came to. */
export interface SliceFigures {
  /** Settled ones. */
  readonly events: number;
  /** Mean cost in ms: latency, or the timeout where it failed, and what the target costs. NaN without events. */
  readonly cost: number;
  /** Share that failed. NaN without events. */
  readonly failures: number;
}

/**
 * What decisions cost, by the slice of time in which they were taken: a slow answer counts where it was asked for. All choices of a
 * model write into one book. O(1), no allocation.
 */
export class CostBook {
  readonly #events = new Float64Array(KEPT);
  readonly #cost = new Float64Array(KEPT);
  readonly #failed = new Float64Array(KEPT);
  #slice = -1;
  #countedFrom = Number.POSITIVE_INFINITY;

  /** Begins a slice and gives its number. Decisions before `countedFrom` count in none: what was sent before still shows. */
  begin(countedFrom: number): number {
    this.#slice += 1;
    this.#countedFrom = countedFrom;
    const at = this.#slice % KEPT;
    this.#events[at] = 0;
    this.#cost[at] = 0;
    this.#failed[at] = 0;
    return this.#slice;
  }

  /** No slice is under way any more. */
  end(): void {
    this.#countedFrom = Number.POSITIVE_INFINITY;
  }

  /** The slice that a decision belongs to; -1: none. */
  sliceAt(now: number): number {
    return now >= this.#countedFrom ? this.#slice : -1;
  }

  add(slice: number, costMs: number, failed: boolean): void {
    if (slice < 0 || slice <= this.#slice - KEPT) return;
    const at = slice % KEPT;
    this.#events[at] = (this.#events[at] as number) + 1;
    this.#cost[at] = (this.#cost[at] as number) + costMs;
    if (failed) this.#failed[at] = (this.#failed[at] as number) + 1;
  }

  /** Of one of the last slices, so far. */
  figures(slice: number): SliceFigures {
    const at = slice % KEPT;
    const events = this.#events[at] as number;
    return { events, cost: (this.#cost[at] as number) / events, failures: (this.#failed[at] as number) / events };
  }
}
