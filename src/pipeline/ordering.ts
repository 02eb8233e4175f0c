import type { KeySlot, PendingLeg } from './leg.ts';
import { Deque } from './queue.ts';

/** Keys remembered although nothing of theirs waits. */
const IDLE_KEYS = 10_000;

/**
 * Which legs of a lane may be sent: everything without a key, and of each key the first that has not ended. The rest of
 * a key waits in a chain behind it, so a key blocks while its head is under way or backs off, and other keys go on.
 *
 * Idle keys stay in the map up to a bound: adding and deleting on every event makes V8 rebuild its table all the time, and
 * each table left behind in the old generation keeps the next one, with all it holds, from being collected young.
 */
export class KeyedQueue {
  readonly #ready = new Deque<PendingLeg>();
  readonly #slots = new Map<string, KeySlot>();
  #sweepAt = IDLE_KEYS;

  get ready(): number {
    return this.#ready.size;
  }

  add(leg: PendingLeg): void {
    if (leg.key === undefined) {
      this.#ready.push(leg);
      return;
    }
    const slot = this.#slots.get(leg.key) ?? this.#newSlot(leg.key);
    leg.slot = slot;
    if (slot.tail === undefined) this.#ready.push(leg);
    else slot.tail.next = leg;
    slot.tail = leg;
  }

  /** Adds legs linked by `next` whose order to others of their key is kept elsewhere: no slot is needed for them. */
  addChain(head: PendingLeg): void {
    this.#ready.push(head);
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
      const { next, slot } = first as PendingLeg;
      if (next === undefined && slot !== undefined) slot.tail = undefined;
      // Cut, or one dead leg in the old generation keeps the rest of its chain from being collected young.
      first.next = undefined;
      first = next;
    }
    if (first === undefined || first.taken) return first;
    this.#ready.push(first);
    return undefined;
  }

  /** Takes out all that has not ended, with what waits behind `heads`; the legs of a key stay in their order. */
  drain(heads: readonly PendingLeg[]): PendingLeg[] {
    const legs: PendingLeg[] = [];
    for (const head of heads) unchain(head, legs);
    for (let head = this.#ready.shift(); head !== undefined; head = this.#ready.shift()) unchain(head, legs);
    this.#slots.clear();
    return legs;
  }

  #newSlot(key: string): KeySlot {
    if (this.#slots.size >= this.#sweepAt) this.#sweep();
    const slot: KeySlot = { tail: undefined };
    this.#slots.set(key, slot);
    return slot;
  }

  /** Forgets idle keys; the next sweep comes when as many have gathered again, so the cost per key stays constant. */
  #sweep(): void {
    for (const [key, slot] of this.#slots) if (slot.tail === undefined) this.#slots.delete(key);
    this.#sweepAt = this.#slots.size + IDLE_KEYS;
  }
}

/** Lets go of a chain, so that each of its legs can be added elsewhere. */
function unchain(head: PendingLeg, into: PendingLeg[]): void {
  for (let leg: PendingLeg | undefined = head; leg !== undefined; ) {
    const { next }: PendingLeg = leg;
    leg.next = undefined;
    leg.slot = undefined;
    leg.taken = false;
    if (!leg.ended) into.push(leg);
    leg = next;
  }
}
