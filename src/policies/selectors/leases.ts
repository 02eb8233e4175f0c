/**
 * Which target each key is bound to while events of it are in flight. A lease ends when the last of them is settled, and
 * only then may the key go elsewhere: that keeps the order of a key's events.
 */
export class Leases {
  readonly #limit: number;
  readonly #byKey = new Map<string, Lease>();
  readonly #spare: Lease[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#byKey.size;
  }

  get full(): boolean {
    return this.#byKey.size >= this.#limit;
  }

  /** The target of a key, or -1. */
  target(key: string): number {
    return this.#byKey.get(key)?.target ?? -1;
  }

  /** A caller that sends a key elsewhere than its lease says moves the lease: order is the caller's affair then. */
  sent(key: string, target: number): void {
    const lease = this.#byKey.get(key);
    if (lease !== undefined) {
      lease.target = target;
      lease.inFlight += 1;
      return;
    }
    const fresh = this.#spare.pop() ?? { target: 0, inFlight: 0 };
    fresh.target = target;
    fresh.inFlight = 1;
    this.#byKey.set(key, fresh);
  }

  settled(key: string): void {
    const lease = this.#byKey.get(key);
    if (lease === undefined) return;
    lease.inFlight -= 1;
    if (lease.inFlight > 0) return;
    this.#byKey.delete(key);
    if (this.#spare.length < 1_024) this.#spare.push(lease);
  }
}

interface Lease {
  target: number;
  inFlight: number;
}
