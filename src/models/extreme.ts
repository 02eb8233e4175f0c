/** The least value of the last `slices × sliceMs`; negate values for the greatest. O(1) to record. */
export class SlidingMinimum {
  readonly #sliceMs: number;
  readonly #slices: Float64Array;
  #slice = 0;
  #endsAt = Number.NEGATIVE_INFINITY;
  /** +Infinity without values. */
  value = Number.POSITIVE_INFINITY;

  constructor(sliceMs: number, slices: number) {
    this.#sliceMs = sliceMs;
    this.#slices = new Float64Array(slices).fill(Number.POSITIVE_INFINITY);
  }

  record(now: number, value: number): void {
    this.roll(now);
    if (value < (this.#slices[this.#slice] as number)) this.#slices[this.#slice] = value;
    if (value < this.value) this.value = value;
  }

  roll(now: number): void {
    if (now < this.#endsAt) return;
    const length = this.#slices.length;
    const steps = Math.min(length, Math.floor((now - this.#endsAt) / this.#sliceMs) + 1);
    this.#endsAt = steps < length ? this.#endsAt + steps * this.#sliceMs : now + this.#sliceMs;
    for (let i = 0; i < steps; i += 1) {
      this.#slice = (this.#slice + 1) % length;
      this.#slices[this.#slice] = Number.POSITIVE_INFINITY;
    }
    this.value = Number.POSITIVE_INFINITY;
    for (const least of this.#slices) if (least < this.value) this.value = least;
  }
}
