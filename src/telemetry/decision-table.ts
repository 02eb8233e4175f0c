import { SCORE_COLUMNS } from '../core/scorer.ts';

/** Fields of a slot in {@link DecisionTable.ints}. */
export const INT = {
  previous: 0,
  next: 1,
  generation: 2,
  snapshot: 3,
  route: 4,
  size: 5,
  bytes: 6,
  chosen: 7,
  by: 8,
  policy: 9,
  inFlight: 10,
  attempt: 11,
  outcome: 12,
  flags: 13,
} as const;

const INTS = 14;

/** Fields of a slot in {@link DecisionTable.floats}. */
export const FLOAT = { at: 0, event: 1, propensity: 2, ackMs: 3, sequence: 4, mean: 5, q95: 6, failure: 7 } as const;

const FLOATS = 5 + SCORE_COLUMNS;

/** Bits of `INT.flags`. */
export const EXPLORED = 1;
export const SAMPLED = 2;
/** On its way to the disk: nothing about it changes any more. */
export const TAKEN = 4;

/** Handles are `generation × SLOTS + slot`. */
const SLOTS = 2 ** 20;
const FIRST_SLOTS = 256;
const NONE = -1;

/**
 * Decisions in memory, in the order in which they were taken, as numbers in a few arrays. Adding and removing are O(1) and allocate
 * nothing but when the table grows, up to `most` decisions.
 */
export class DecisionTable {
  readonly #most: number;
  readonly #words: number;
  #capacity = 0;
  #free = NONE;
  #first = NONE;
  #last = NONE;
  #count = 0;
  #ints = new Int32Array(0);
  #floats = new Float64Array(0);
  #masks = new Uint32Array(0);

  /** @param targets Targets of the choice. */
  constructor(targets: number, most: number) {
    this.#most = Math.min(most, SLOTS);
    this.#words = Math.max(1, Math.ceil(targets / 32));
    this.#grow(Math.min(FIRST_SLOTS, this.#most));
  }

  get count(): number {
    return this.#count;
  }

  /** The oldest decision, or -1. */
  get first(): number {
    return this.#first;
  }

  /** The decision after another, or -1. */
  next(slot: number): number {
    return this.int(slot, INT.next);
  }

  /** A slot for the newest decision, or -1 where there is no room. */
  add(): number {
    if (this.#free === NONE && !this.#grow(Math.min(this.#most, this.#capacity * 2))) return NONE;
    const slot = this.#free;
    this.#free = this.int(slot, INT.next);
    this.setInt(slot, INT.next, NONE);
    this.setInt(slot, INT.previous, this.#last);
    if (this.#last === NONE) this.#first = slot;
    else this.setInt(this.#last, INT.next, slot);
    this.#last = slot;
    this.#count += 1;
    this.#masks.fill(0, slot * this.#words, (slot + 1) * this.#words);
    return slot;
  }

  remove(slot: number): void {
    const previous = this.int(slot, INT.previous);
    const next = this.int(slot, INT.next);
    if (previous === NONE) this.#first = next;
    else this.setInt(previous, INT.next, next);
    if (next === NONE) this.#last = previous;
    else this.setInt(next, INT.previous, previous);
    this.setInt(slot, INT.generation, (this.int(slot, INT.generation) + 1) & 0x7fffffff);
    this.setInt(slot, INT.next, this.#free);
    this.#free = slot;
    this.#count -= 1;
  }

  handle(slot: number): number {
    return this.int(slot, INT.generation) * SLOTS + slot;
  }

  /** The slot of a handle, or -1 where the decision has been removed. */
  slot(handle: number): number {
    if (!(handle >= 0)) return NONE;
    const slot = handle % SLOTS;
    const generation = Math.floor(handle / SLOTS);
    return slot < this.#capacity && this.int(slot, INT.generation) === generation ? slot : NONE;
  }

  int(slot: number, field: number): number {
    return this.#ints[slot * INTS + field] as number;
  }

  setInt(slot: number, field: number, value: number): void {
    this.#ints[slot * INTS + field] = value;
  }

  float(slot: number, field: number): number {
    return this.#floats[slot * FLOATS + field] as number;
  }

  setFloat(slot: number, field: number, value: number): void {
    this.#floats[slot * FLOATS + field] = value;
  }

  setEligible(slot: number, targets: readonly number[]): void {
    const base = slot * this.#words;
    for (let i = 0; i < targets.length; i += 1) {
      const target = targets[i] as number;
      const word = base + (target >>> 5);
      this.#masks[word] = (this.#masks[word] as number) | (1 << (target & 31));
    }
  }

  isEligible(slot: number, target: number): boolean {
    return ((this.#masks[slot * this.#words + (target >>> 5)] as number) & (1 << (target & 31))) !== 0;
  }

  #grow(capacity: number): boolean {
    const before = this.#capacity;
    if (capacity <= before) return false;
    const ints = new Int32Array(capacity * INTS);
    ints.set(this.#ints);
    this.#ints = ints;
    const floats = new Float64Array(capacity * FLOATS);
    floats.set(this.#floats);
    this.#floats = floats;
    const masks = new Uint32Array(capacity * this.#words);
    masks.set(this.#masks);
    this.#masks = masks;
    this.#capacity = capacity;
    for (let slot = capacity - 1; slot >= before; slot -= 1) {
      this.setInt(slot, INT.next, this.#free);
      this.#free = slot;
    }
    return true;
  }
}
