import type { PendingLeg } from './leg.ts';
import { Deque } from './queue.ts';

/** Indices of targets, ascending; the same array for the same targets. */
export type Eligible = readonly number[];

/** Distinct sets that are remembered; beyond it they are forgotten and made anew. */
const MAX_SETS = 1_024;

/** Legs that wait for room at one of their targets, first in, first out for each set of targets. */
export class Parking {
  readonly #queues = new Map<Eligible, Deque<PendingLeg>>();
  readonly #sets = new Map<string, Eligible>();

  /** The one array that stands for these targets. */
  intern(indices: Eligible): Eligible {
    const name = indices.join();
    const known = this.#sets.get(name);
    if (known !== undefined) return known;
    if (this.#sets.size >= MAX_SETS) this.#sets.clear();
    this.#sets.set(name, indices);
    return indices;
  }

  has(eligible: Eligible): boolean {
    return this.#queues.has(eligible);
  }

  push(eligible: Eligible, leg: PendingLeg): void {
    this.#queue(eligible).push(leg);
  }

  unshift(eligible: Eligible, leg: PendingLeg): void {
    this.#queue(eligible).unshift(leg);
  }

  /**
   * Offers the first leg of each set until none is taken any more, a leg of each set in turn, so that a set with many legs
   * does not take all the room that others can use as well.
   */
  offer(take: (leg: PendingLeg, eligible: Eligible) => boolean): void {
    for (let progress = true; progress; ) {
      progress = false;
      for (const [eligible, queue] of this.#queues) {
        const leg = queue.first;
        if (leg !== undefined && take(leg, eligible)) {
          queue.shift();
          progress = true;
        }
        if (queue.size === 0) this.#queues.delete(eligible);
      }
    }
  }

  /** Takes everything out; those of one set in their order. */
  drain(): PendingLeg[] {
    const legs: PendingLeg[] = [];
    for (const queue of this.#queues.values()) {
      for (let leg = queue.shift(); leg !== undefined; leg = queue.shift()) legs.push(leg);
    }
    this.#queues.clear();
    this.#sets.clear();
    return legs;
  }

  #queue(eligible: Eligible): Deque<PendingLeg> {
    let queue = this.#queues.get(eligible);
    if (queue === undefined) {
      queue = new Deque();
      this.#queues.set(eligible, queue);
    }
    return queue;
  }
}
