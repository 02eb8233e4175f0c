import type { Seat } from './attempt.ts';
import type { Lane } from './lane.ts';
import type { PendingLeg } from './leg.ts';
import type { Eligible } from './parking.ts';

interface History {
  /** Lanes that it failed on since it was last tried everywhere. */
  readonly tried: Set<Lane>;
  /** Where it has to be tried again. */
  pinned: Lane | undefined;
}

/** Where legs of a choice were tried before and failed. Most legs have no history. */
export class Histories {
  readonly #histories = new Map<PendingLeg, History>();

  forget(leg: PendingLeg): void {
    if (this.#histories.size > 0) this.#histories.delete(leg);
  }

  isPinned(leg: PendingLeg): boolean {
    return this.#histories.size > 0 && this.#histories.get(leg)?.pinned !== undefined;
  }

  /** It may have arrived there, and must not be sent elsewhere. */
  pin(leg: PendingLeg, lane: Lane): void {
    this.#of(leg).pinned = lane;
  }

  /** It failed there; false once it has been tried on all that are allowed, and begins anew. */
  failed(leg: PendingLeg, lane: Lane, allowed: Eligible, seats: readonly Seat[]): boolean {
    const history = this.#of(leg);
    history.pinned = undefined;
    history.tried.add(lane);
    const goesOn = allowed.some((index) => !history.tried.has((seats[index] as Seat).lane));
    if (!goesOn) history.tried.clear();
    return goesOn;
  }

  /** Of the targets allowed, those to try next: `allowed` itself for a leg without a history. */
  remaining(leg: PendingLeg, allowed: Eligible, seats: readonly Seat[]): Eligible {
    const history = this.#histories.size > 0 ? this.#histories.get(leg) : undefined;
    if (history === undefined) return allowed;
    const laneOf = (index: number): Lane => (seats[index] as Seat).lane;
    const pin = allowed.find((index) => laneOf(index) === history.pinned);
    if (pin !== undefined) return [pin];
    const left = allowed.filter((index) => !history.tried.has(laneOf(index)));
    return left.length === 0 || left.length === allowed.length ? allowed : left;
  }

  #of(leg: PendingLeg): History {
    let history = this.#histories.get(leg);
    if (history === undefined) {
      history = { tried: new Set(), pinned: undefined };
      this.#histories.set(leg, history);
    }
    return history;
  }
}
