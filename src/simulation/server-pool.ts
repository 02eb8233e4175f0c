/**
 * Servers behind one FIFO queue. The service time is known on arrival, so the end of service is too (Kiefer and Wolfowitz):
 * no event is needed for starts and ends. Arrivals have to be told in the order of time.
 */
export class ServerPool {
  /** When each server is free, as a heap: the earliest first. */
  readonly #free: Float64Array;
  /** Starts of service to come, ascending: what waits. */
  #starts = new Float64Array(256);
  #head = 0;
  #count = 0;

  constructor(servers: number) {
    this.#free = new Float64Array(servers);
  }

  /** When service of an arrival at this time would begin. */
  startOf(at: number): number {
    return Math.max(at, this.#free[0] as number);
  }

  /** Takes an arrival in; `start` is what {@link startOf} said. */
  take(start: number, at: number, serviceMs: number): number {
    const end = start + serviceMs;
    this.#replaceEarliest(end);
    if (start > at) this.#push(start);
    return end;
  }

  /** How many wait for a server. */
  waiting(at: number): number {
    while (this.#count > 0 && (this.#starts[this.#head] as number) <= at) {
      this.#head = (this.#head + 1) & (this.#starts.length - 1);
      this.#count -= 1;
    }
    return this.#count;
  }

  /** All is lost, and servers are free from then on. */
  reset(at: number): void {
    this.#free.fill(at);
    this.#count = 0;
  }

  #replaceEarliest(end: number): void {
    const free = this.#free;
    const size = free.length;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= size) break;
      if (child + 1 < size && (free[child + 1] as number) < (free[child] as number)) child += 1;
      const time = free[child] as number;
      if (time >= end) break;
      free[index] = time;
      index = child;
    }
    free[index] = end;
  }

  #push(start: number): void {
    const length = this.#starts.length;
    if (this.#count === length) {
      const wider = new Float64Array(length * 2);
      for (let n = 0; n < length; n += 1) wider[n] = this.#starts[(this.#head + n) & (length - 1)] as number;
      this.#starts = wider;
      this.#head = 0;
    }
    this.#starts[(this.#head + this.#count) & (this.#starts.length - 1)] = start;
    this.#count += 1;
  }
}
