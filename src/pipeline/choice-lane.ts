import type { Clock } from '../core/clock.ts';
import { CandidateCounters, type DecisionCounters } from '../core/counters.ts';
import type { Decision, DecisionBy, SendStatus } from '../core/selector.ts';
import { Alarm } from './alarm.ts';
import { Attempt, type Bound, type ChoiceSetup, type Group, Seat, statusOf } from './attempt.ts';
import { isOver, reportOver } from './expiry.ts';
import { Histories } from './histories.ts';
import type { Lane } from './lane.ts';
import type { RetryRule } from './lane-options.ts';
import type { AttemptOwner, Failure, LegLane, LegOwner, PendingLeg } from './leg.ts';
import { Occupancy } from './occupancy.ts';
import { KeyedQueue } from './ordering.ts';
import { type Eligible, Parking } from './parking.ts';
import { DelayQueue } from './queue.ts';
import { traceDecision } from './tracing.ts';

/** How often the selector's windows are rolled and silent targets are looked for. */
const TICK_MS = 20;
/** How often legs that wait are looked at for their `maxAge`. */
const LOOK_MS = 1_000;
/** For how many events a decision holds, as a share of what is in flight at the target. */
const HOLD = 1 / 16;

export interface ChoiceLaneOptions {
  readonly name: string;
  /** Bounds of what waits or is under way. */
  readonly maxEvents: number;
  readonly maxBytes: number;
  readonly retry: RetryRule;
  readonly owner: LegOwner;
  readonly clock: Clock;
  readonly onPressure: (lane: ChoiceLane, full: boolean) => void;
}

/**
 * The queue in front of a choice of several targets. A leg is bound to a target when that target's lane can take it, one
 * attempt at a time; what fails is bound anew, elsewhere if it can be. Legs of one key stay together: the next go when all
 * that were bound are back, so a key changes its target only when nothing of it is under way (docs/adr/0025).
 */
export class ChoiceLane implements LegLane, AttemptOwner {
  readonly name: string;
  /** By name of the target. */
  readonly candidates: Map<string, CandidateCounters> = new Map();
  readonly decisions: DecisionCounters = { rule: 0, analytic: 0, model: 0, fallback: 0, lease: 0 };
  readonly #o: ChoiceLaneOptions;
  readonly #queue = new KeyedQueue();
  readonly #parking = new Parking();
  readonly #waiting = new DelayQueue<PendingLeg>();
  readonly #histories = new Histories();
  /** Legs that came back and go first. */
  #returned: PendingLeg[] = [];
  #setup: ChoiceSetup;
  #seats: readonly Seat[];
  /** The event at hand as the selector sees it: without its key, whose order is kept here. */
  readonly #view = { bytes: 0 };
  readonly #occupancy: Occupancy;
  readonly #alarm: Alarm;
  #leaving = false;
  #stopped = false;
  #kicking = false;
  #lookAt = 0;
  /** The last decision, for how many more events it holds, and which. */
  #held: Decision | undefined;
  #holds = 0;
  #heldOf: Eligible | undefined;
  #heldSize = 0;
  /** The subset of `#roomyOf` that has room, until some room is used up. */
  #roomy: Eligible | undefined;
  #roomyOf: Eligible | undefined;
  #cancelTick: (() => void) | undefined;

  constructor(options: ChoiceLaneOptions, setup: ChoiceSetup) {
    this.#o = options;
    this.name = options.name;
    const { maxEvents, maxBytes, clock, onPressure } = options;
    this.#occupancy = new Occupancy(maxEvents, maxBytes, (full) => onPressure(this, full));
    this.#alarm = new Alarm(clock, () => this.kick());
    this.#setup = setup;
    this.#seats = this.#seatsOf(setup);
  }

  /** From now on it sends. */
  open(): void {
    this.rewire(this.#setup);
    this.#tickLater();
  }

  get setup(): ChoiceSetup {
    return this.#setup;
  }

  /** Legs waiting, backing off or under way. */
  get depth(): number {
    return this.#occupancy.depth;
  }

  get bytes(): number {
    return this.#occupancy.bytes;
  }

  get full(): boolean {
    return this.#occupancy.full;
  }

  get leaving(): boolean {
    return this.#leaving;
  }

  /** Takes a leg in; {@link kick} sends. */
  add(leg: PendingLeg): void {
    this.#queue.add(leg);
    this.#occupancy.add(leg);
  }

  /** Binds what can be bound now. */
  kick(): void {
    if (this.#stopped || this.#kicking) return;
    this.#kicking = true;
    const now = this.#o.clock.now();
    for (let leg = this.#waiting.take(now); leg !== undefined; leg = this.#waiting.take(now)) this.#queue.again(leg);
    for (const seat of this.#seats) seat.room = seat.lane.room(now);
    this.#roomyOf = undefined;
    this.#holds = 0;
    for (const leg of this.#returned.splice(0).reverse()) {
      const eligible = this.#check(leg, now);
      if (eligible !== undefined) this.#parking.unshift(eligible, leg);
    }
    this.#parking.offer((leg, eligible) => this.#bind(leg, eligible, now));
    for (let leg = this.#queue.take(); leg !== undefined; leg = this.#queue.take()) {
      const eligible = this.#check(leg, now);
      if (eligible === undefined) continue;
      if (this.#parking.has(eligible) || !this.#bind(leg, eligible, now)) this.#parking.push(eligible, leg);
    }
    for (const seat of this.#seats) {
      if (!seat.given) continue;
      seat.given = false;
      seat.lane.kick();
    }
    this.#kicking = false;
    const next = this.#waiting.nextAt;
    if (next !== undefined) this.#alarm.in(next - now, now);
    this.#occupancy.relieve();
  }

  /** From now on legs are bound as this says; what is under way ends as it was begun. */
  rewire(setup: ChoiceSetup): void {
    const before = this.#seats;
    this.#leaving = false;
    this.#setup = setup;
    this.#seats = this.#seatsOf(setup);
    const lanes = new Set(setup.targets.map(({ lane }) => lane));
    for (const { lane } of before) {
      if (lanes.has(lane)) continue;
      lane.unfeed(this);
      lane.recall(this);
    }
    for (const lane of lanes) lane.feed(this);
    this.#returned.push(...this.#parking.drain());
    this.kick();
  }

  /** From now on nothing is added. What is in it goes to the targets that are left, or ends where there are none. */
  leave(setup: ChoiceSetup): void {
    this.rewire(setup);
    this.#leaving = true;
    this.#occupancy.open();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTick?.();
    this.#alarm.cancel();
    for (const { lane } of this.#seats) lane.unfeed(this);
  }

  confirmed(attempt: Attempt, now: number): void {
    this.#report(attempt, 'ok', now);
    attempt.seat.counters.confirmed += 1;
    this.#end(attempt.leg);
    this.#o.owner.done(attempt.leg, now);
    this.#back(attempt, 0, now);
  }

  failed(attempt: Attempt, failure: Failure, free: boolean, now: number): void {
    const { leg, seat } = attempt;
    this.#report(attempt, statusOf(failure), now);
    seat.counters.failed += 1;
    let delayMs = 0;
    if (free) this.#histories.failed(leg, seat.lane, this.#setup.eligible(leg.event), this.#seats);
    else {
      const decision = this.#o.retry(leg, failure);
      if (decision === 'give-up') {
        this.#end(leg);
        this.#o.owner.failed(leg, failure, now);
      } else {
        leg.spec.counters.retries += 1;
        leg.attempt += 1;
        delayMs = this.#again(leg, seat.lane, failure, decision.retryInMs);
      }
    }
    // Those of its key that were not sent yet must not overtake it.
    for (const later of attempt.group?.attempts ?? []) if (later.seat.lane.takeBack(later)) this.returned(later, now);
    this.#back(attempt, delayMs, now);
  }

  returned(attempt: Attempt, now: number): void {
    this.#report(attempt, 'recalled', now);
    attempt.seat.counters.recalled += 1;
    this.#back(attempt, 0, now);
  }

  #seatsOf(setup: ChoiceSetup): readonly Seat[] {
    const before = new Map(this.candidates);
    this.candidates.clear();
    return setup.targets.map(({ lane: { name } }, index) => {
      const counters = before.get(name) ?? new CandidateCounters();
      this.candidates.set(name, counters);
      return new Seat(index, setup, counters);
    });
  }

  /** Where a leg may go, or undefined: it has ended. */
  #check(leg: PendingLeg, now: number): Eligible | undefined {
    if (this.#over(leg, now)) return undefined;
    const allowed = this.#setup.eligible(leg.event);
    if (allowed.length === 0) {
      const message =
        this.#seats.length === 0
          ? `the choice "${this.name}" was removed from the configuration`
          : `no target of the choice "${this.name}" meets what it requires for this event`;
      const code = this.#seats.length === 0 ? 'E_TARGET_REMOVED' : 'E_CHOICE_NOT_ELIGIBLE';
      this.#end(leg);
      this.#o.owner.failed(leg, { code, message }, now);
      this.#queue.release(leg);
      return undefined;
    }
    const remaining = this.#histories.remaining(leg, allowed, this.#seats);
    return remaining === allowed ? allowed : this.#parking.intern(remaining);
  }

  /** Gives a leg, and those of its key that may go along, to the target that the selector chooses; false: it has to wait. */
  #bind(leg: PendingLeg, eligible: Eligible, now: number): boolean {
    if (this.#over(leg, now)) return true;
    const usable = this.#withRoom(eligible);
    if (usable.length === 0) return false;
    const decision = this.#decide(leg, usable, now);
    if (decision === undefined) return false;
    const seat = this.#seats[decision.target] as Seat;
    const next = seat.lane.orderedBatch ? leg.next : undefined;
    const bound: Bound = { seat, usable, decision, now };
    if (next === undefined) seat.lane.addChain(this.#give(leg, undefined, bound));
    else this.#giveTogether(leg, next, eligible, bound);
    return true;
  }

  /**
   * Asks the selector. A decision that weighs what is in flight holds for as many events as change that by next to nothing,
   * in one turn: the odds would be the same.
   */
  #decide({ bytes }: PendingLeg, usable: Eligible, now: number): Decision | undefined {
    const { selector } = this.#setup;
    const size = selector.sizeClass(bytes);
    if (this.#holds > 0 && this.#heldOf === usable && this.#heldSize === size) {
      this.#holds -= 1;
      return this.#held;
    }
    this.#view.bytes = bytes;
    this.#holds = 0; // the selector writes over the decision that was held, also where it finds no target
    const decision = selector.choose(this.#view, usable, now);
    if (decision.target < 0) return undefined;
    [this.#held, this.#heldOf, this.#heldSize] = [decision, usable, size];
    const weighs = decision.by === 'analytic' || decision.by === 'model';
    this.#holds = weighs && !decision.explored ? Math.floor(selector.inFlight(decision.target) * HOLD) : 0;
    return decision;
  }

  /** Legs of a key go together as far as they may, in one send. */
  #giveTogether(leg: PendingLeg, first: PendingLeg, eligible: Eligible, bound: Bound): void {
    const { seat, decision } = bound;
    const group: Group = { attempts: [], open: 0, delayMs: 0 };
    const head = this.#give(leg, group, bound);
    let last = head;
    const together: Bound = { ...bound, decision: { ...decision, by: 'lease', propensity: 1, explored: false } };
    for (let next: PendingLeg | undefined = first; next !== undefined; next = next.next) {
      if (seat.room === 0 || this.#setup.eligible(next.event) !== eligible || this.#histories.isPinned(next)) break;
      if (next.ended || next.tracker.detached) continue;
      const attempt = this.#give(next, group, together);
      last.next = attempt;
      last = attempt;
    }
    seat.lane.addChain(head);
  }

  #give(leg: PendingLeg, group: Group | undefined, { seat, usable, decision, now }: Bound): Attempt {
    const { selector, observer } = this.#setup;
    this.#view.bytes = leg.bytes;
    const attempt = new Attempt(leg, seat, group, this);
    attempt.record = observer?.decided(leg, usable, decision, selector.inFlight(seat.index)) ?? -1;
    if (leg.tracker.traced) traceDecision(attempt, { choice: this.name, selector, eligible: usable, decision });
    attempt.ticket = selector.sent(seat.index, this.#view, now);
    this.decisions[decision.by as Exclude<DecisionBy, 'none'>] += 1;
    leg.taken = true;
    if (group !== undefined) {
      group.attempts.push(attempt);
      group.open += 1;
    }
    seat.give(decision.explored);
    if (seat.room === 0) this.#roomyOf = undefined;
    return attempt;
  }

  #withRoom(eligible: Eligible): Eligible {
    if (this.#roomyOf === eligible) return this.#roomy as Eligible;
    const has = (index: number): boolean => (this.#seats[index]?.room ?? 0) > 0;
    this.#roomy = eligible.every(has) ? eligible : eligible.filter(has);
    this.#roomyOf = eligible;
    return this.#roomy;
  }

  /** Ends a leg that is not to be sent any more. */
  #over(leg: PendingLeg, now: number): boolean {
    if (!isOver(leg, now)) return false;
    this.#end(leg);
    reportOver(leg, this.#o.owner, now);
    this.#queue.release(leg);
    return true;
  }

  #report({ seat, ticket, record }: Attempt, status: SendStatus, now: number): void {
    seat.setup.selector.settled(ticket, status, undefined, now);
    if (record >= 0) seat.setup.observer?.settled(record, status);
  }

  /** Milliseconds until the leg is tried again: at once where there is a target that it was not tried on. */
  #again(leg: PendingLeg, lane: Lane, failure: Failure, retryInMs: number): number {
    if (failure.status === 'unknown' && this.#setup.onUnknown === 'wait') {
      this.#histories.pin(leg, lane);
      return Math.max(1, retryInMs);
    }
    const elsewhere = this.#histories.failed(leg, lane, this.#setup.eligible(leg.event), this.#seats);
    return elsewhere ? 0 : Math.max(1, retryInMs);
  }

  /** An attempt is over; what has not ended waits again, the legs of a key once all of them are back. */
  #back({ leg, group }: Attempt, delayMs: number, now: number): void {
    if (group === undefined) {
      const retry = this.#queue.release(leg);
      leg.taken = false;
      if (retry !== undefined) this.#rejoin(retry, delayMs, now);
      return;
    }
    group.open -= 1;
    group.delayMs = Math.max(group.delayMs, delayMs);
    if (group.open > 0) return;
    const retry = this.#queue.release((group.attempts[0] as Attempt).leg);
    for (const attempt of group.attempts) attempt.leg.taken = false;
    if (retry !== undefined) this.#rejoin(retry, group.delayMs, now);
  }

  #rejoin(leg: PendingLeg, delayMs: number, now: number): void {
    if (delayMs > 0) this.#waiting.add(now + delayMs, leg);
    else this.#returned.push(leg);
  }

  #end(leg: PendingLeg): void {
    leg.ended = true;
    this.#occupancy.end(leg);
    this.#histories.forget(leg);
  }

  #tickLater(): void {
    this.#cancelTick = this.#o.clock.after(TICK_MS, () => {
      this.#tick();
      if (!this.#stopped) this.#tickLater();
    });
  }

  #tick(): void {
    const now = this.#o.clock.now();
    const { selector } = this.#setup;
    for (const seat of this.#seats) {
      const up = seat.lane.reachable(now);
      if (up !== seat.up) {
        seat.up = up;
        selector.available(seat.index, up);
      }
      if (!up || seat.lane.stalled(now)) seat.lane.recall(this);
    }
    selector.tick();
    if (now >= this.#lookAt) {
      this.#lookAt = now + LOOK_MS;
      this.#returned.push(...this.#parking.drain());
    }
    this.kick();
  }
}
