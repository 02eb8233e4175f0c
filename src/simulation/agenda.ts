/** A binary heap of (time, number): the earliest first. Arrays grow, nothing is allocated per entry. */
export class Agenda {
  size = 0;
  #at = new Float64Array(1_024);
  #what = new Int32Array(1_024);

  /** Time of the earliest entry; infinite if there is none. */
  get next(): number {
    return this.size === 0 ? Number.POSITIVE_INFINITY : (this.#at[0] as number);
  }

  push(at: number, what: number): void {
    if (this.size === this.#at.length) this.#grow();
    const times = this.#at;
    const whats = this.#what;
    let index = this.size;
    this.size += 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const time = times[parent] as number;
      if (time <= at) break;
      times[index] = time;
      whats[index] = whats[parent] as number;
      index = parent;
    }
    times[index] = at;
    whats[index] = what;
  }

  /** Removes the earliest entry. */
  pop(): number {
    const times = this.#at;
    const whats = this.#what;
    const first = whats[0] as number;
    this.size -= 1;
    const size = this.size;
    const at = times[size] as number;
    const what = whats[size] as number;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= size) break;
      if (child + 1 < size && (times[child + 1] as number) < (times[child] as number)) child += 1;
      const time = times[child] as number;
      if (time >= at) break;
      times[index] = time;
      whats[index] = whats[child] as number;
      index = child;
    }
    times[index] = at;
    whats[index] = what;
    return first;
  }

  #grow(): void {
    const at = new Float64Array(this.#at.length * 2);
    at.set(this.#at);
    this.#at = at;
    const what = new Int32Array(this.#what.length * 2);
    what.set(this.#what);
    this.#what = what;
  }
}
