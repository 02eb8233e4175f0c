import { FairleadError } from '../../core/errors.ts';
import type { Ticket } from '../../core/selector.ts';

const NONE = -1;
/** Tickets are `generation × SLOTS + slot`, so that a ticket used twice is noticed. */
const SLOTS = 2 ** 22;
const GENERATIONS = 2 ** 30;

/** The slot that a ticket stands for. */
export function slotOf(ticket: Ticket): number {
  return ticket % SLOTS;
}

/**
 * What is in flight, by target in the order of sending: the oldest of a target is at hand at any time. All is O(1); the
 * table grows by doubling and never shrinks.
 */
export class InFlightTable {
  readonly #head: Int32Array;
  readonly #tail: Int32Array;
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  #target = new Int32Array(0);
  #generation = new Int32Array(0);
  #sentAt = new Float64Array(0);
  #depth = new Int32Array(0);
  #sizeClass = new Uint8Array(0);
  readonly #keys: (string | undefined)[] = [];
  #free = NONE;
  /** How many are in flight. */
  size = 0;

  constructor(targets: number) {
    this.#head = new Int32Array(targets).fill(NONE);
    this.#tail = new Int32Array(targets).fill(NONE);
  }

  /** @param depth What is in flight to the target, without this one. */
  add(target: number, now: number, key: string | undefined, depth: number, sizeClass: number): Ticket {
    if (this.#free === NONE) this.#grow();
    const slot = this.#free;
    this.#free = this.#next[slot] as number;
    const last = this.#tail[target] as number;
    this.#target[slot] = target;
    this.#sentAt[slot] = now;
    this.#keys[slot] = key;
    this.#depth[slot] = depth;
    this.#sizeClass[slot] = sizeClass;
    this.#previous[slot] = last;
    this.#next[slot] = NONE;
    if (last === NONE) this.#head[target] = slot;
    else this.#next[last] = slot;
    this.#tail[target] = slot;
    this.size += 1;
    return (this.#generation[slot] as number) * SLOTS + slot;
  }

  /** The slot of a ticket that is in flight. @throws FairleadError `E_SELECTOR_TICKET` */
  slot(ticket: Ticket): number {
    const slot = slotOf(ticket);
    const inFlight = (this.#target[slot] ?? NONE) !== NONE;
    if (!inFlight || this.#generation[slot] !== Math.floor(ticket / SLOTS)) {
      throw new FairleadError({ code: 'E_SELECTOR_TICKET', message: `send ${ticket} is not in flight` });
    }
    return slot;
  }

  target(slot: number): number {
    return this.#target[slot] as number;
  }

  sentAt(slot: number): number {
    return this.#sentAt[slot] as number;
  }

  depth(slot: number): number {
    return this.#depth[slot] as number;
  }

  sizeClass(slot: number): number {
    return this.#sizeClass[slot] as number;
  }

  key(slot: number): string | undefined {
    return this.#keys[slot];
  }

  remove(slot: number): void {
    const target = this.#target[slot] as number;
    const next = this.#next[slot] as number;
    const previous = this.#previous[slot] as number;
    if (previous === NONE) this.#head[target] = next;
    else this.#next[previous] = next;
    if (next === NONE) this.#tail[target] = previous;
    else this.#previous[next] = previous;
    this.#target[slot] = NONE;
    this.#keys[slot] = undefined;
    this.#generation[slot] = ((this.#generation[slot] as number) + 1) % GENERATIONS;
    this.#next[slot] = this.#free;
    this.#free = slot;
    this.size -= 1;
  }

  /** When the oldest in flight of a target was sent; +Infinity without one. */
  oldestSentAt(target: number): number {
    const slot = this.#head[target] as number;
    return slot === NONE ? Number.POSITIVE_INFINITY : (this.#sentAt[slot] as number);
  }

  #grow(): void {
    const from = this.#next.length;
    const to = Math.max(256, from * 2);
    const grown = (old: Int32Array): Int32Array<ArrayBuffer> => {
      const array = new Int32Array(to);
      array.set(old);
      return array;
    };
    this.#next = grown(this.#next);
    this.#previous = grown(this.#previous);
    this.#generation = grown(this.#generation);
    this.#target = grown(this.#target).fill(NONE, from);
    this.#depth = grown(this.#depth);
    const sizeClass = new Uint8Array(to);
    sizeClass.set(this.#sizeClass);
    this.#sizeClass = sizeClass;
    const sentAt = new Float64Array(to);
    sentAt.set(this.#sentAt);
    this.#sentAt = sentAt;
    for (let slot = to - 1; slot >= from; slot -= 1) {
      this.#keys[slot] = undefined;
      this.#next[slot] = this.#free;
      this.#free = slot;
    }
  }
}
