/**
 * The contiguous watermark of one partition: positions are delivered in rising order, settled in any order, and the
 * watermark moves over settled ones only. Positions that were never delivered (filtered, compacted away) leave no gap.
 * Amortised O(1) per event.
 */
export class Checkpoint {
  #positions: (bigint | number)[] = [];
  #settled: boolean[] = [];
  #head = 0;
  #base = 0;
  #unsettled = 0;
  #watermark: bigint | number | undefined;

  /** Records a delivered position and returns its slot, to be given back to {@link settle}. */
  deliver(position: bigint | number): number {
    this.#positions.push(position);
    this.#settled.push(false);
    this.#unsettled += 1;
    return this.#base + this.#positions.length - 1;
  }

  /** Settles a slot; true when the watermark moved. Settling a slot twice is a programming error and throws. */
  settle(slot: number): boolean {
    const index = slot - this.#base;
    if (index < this.#head || this.#settled[index] !== false) throw new Error(`slot ${slot} is already settled`);
    this.#settled[index] = true;
    this.#unsettled -= 1;
    if (index !== this.#head) return false;
    while (this.#settled[this.#head] === true) {
      this.#watermark = this.#positions[this.#head];
      this.#head += 1;
    }
    this.#compact();
    return true;
  }

  /** The last position up to which all is settled, or undefined before the first. */
  get watermark(): bigint | number | undefined {
    return this.#watermark;
  }

  /** Deliveries not settled yet. */
  get unsettled(): number {
    return this.#unsettled;
  }

  /** Deliveries above the watermark, settled or not: what a restart would bring again. */
  get window(): number {
    return this.#positions.length - this.#head;
  }

  #compact(): void {
    if (this.#head < 1024 || this.#head * 2 < this.#positions.length) return;
    this.#positions = this.#positions.slice(this.#head);
    this.#settled = this.#settled.slice(this.#head);
    this.#base += this.#head;
    this.#head = 0;
  }
}
