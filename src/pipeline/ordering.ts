import type { PendingLeg } from './leg.ts';
import { Deque } from './queue.ts';

/**
 * Which legs of a lane may be sent: everything without a key, and of each key the first that has not ended. The rest of
 * a key waits in a chain behind it, so a key blocks while its head is under way or backs off, and other keys go on.
 */
export class KeyedQueue {
  readonly #ready = new Deque<PendingLeg>();
  readonly #tails = new Map<string, PendingLeg>();

  get ready(): number {
    return this.#ready.size;
  }

  add(leg: PendingLeg): void {
    if (leg.key === undefined) {
      this.#ready.push(leg);
      return;
    }
    const tail = this.#tails.get(leg.key);
    this.#tails.set(leg.key, leg);
    if (tail === undefined) this.#ready.push(leg);
    else tail.next = leg;
  }

  /** The next leg that may be sent; its key stays closed until {@link release}. */
  take(): PendingLeg | undefined {
    return this.#ready.shift();
  }

  /** Gives a leg back untouched, to be the next one taken. */
  putBack(leg: PendingLeg): void {
    this.#ready.unshift(leg);
  }

  /** Makes a leg that has waited for its retry ready again. */
  again(leg: PendingLeg): void {
    this.#ready.push(leg);
  }

  /**
   * After a send: passes over the ended legs at the front of `head`'s chain. Returns the leg of the chain that must be
   * sent again, if it was part of this send; one that was not is made ready.
   */
  release(head: PendingLeg): PendingLeg | undefined {
    let first: PendingLeg | undefined = head;
    while (first?.ended === true) {
      if (first.next === undefined && first.key !== undefined) this.#tails.delete(first.key);
      first = first.next;
    }
    if (first === undefined || first.taken) return first;
    this.#ready.push(first);
    return undefined;
  }
}
