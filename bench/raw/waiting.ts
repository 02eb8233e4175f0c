import type { RawBatch, RawEvent } from './types.ts';

/** Events handed to a target and not sent yet, in order. */
export class Waiting {
  #batches: RawBatch[] = [];
  #batch = 0;
  #index = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  push(batch: RawBatch): void {
    this.#batches.push(batch);
    this.#count += batch.events.length;
  }

  /** Gives the next `limit` events at most to `send`. */
  take(limit: number, send: (event: RawEvent, batch: RawBatch, index: number) => void): void {
    let left = Math.min(limit, this.#count);
    this.#count -= left;
    for (; left > 0; left -= 1) {
      const batch = this.#batches[this.#batch] as RawBatch;
      send(batch.events[this.#index] as RawEvent, batch, this.#index);
      this.#index += 1;
      if (this.#index === batch.events.length) this.#next();
    }
  }

  #next(): void {
    this.#index = 0;
    this.#batch += 1;
    if (this.#batch < 256 && this.#count > 0) return;
    this.#batches = this.#batches.slice(this.#batch);
    this.#batch = 0;
  }
}
