import type { CandidateCounters } from '../core/counters.ts';
import type { DecisionHandle, DecisionObserver } from '../core/decision-observer.ts';
import type { MeshEvent } from '../core/event.ts';
import type { DeliverySettings } from '../core/routing.ts';
import type { Decision, Selector, SendStatus, Ticket } from '../core/selector.ts';
import type { Lane } from './lane.ts';
import { type AttemptOwner, type Failure, type LegSpec, PendingLeg } from './leg.ts';

/** A choice as a configuration has it. */
export interface ChoiceSetup {
  readonly selector: Selector;
  /** In the order of the selector's targets. */
  readonly targets: readonly { readonly lane: Lane; readonly delivery: Omit<DeliverySettings, 'deadLetter'> }[];
  /** Targets that the hard rules allow for an event, ascending; the same array for the same targets. */
  readonly eligible: (event: MeshEvent) => readonly number[];
  /** After a send without an answer: `wait` tries the same target again, `reselect` may choose another. */
  readonly onUnknown: 'wait' | 'reselect';
  readonly observer?: DecisionObserver | undefined;
}

/** A target of a choice: its place in the selector, and what may be given to it now. */
export class Seat {
  readonly index: number;
  readonly lane: Lane;
  readonly setup: ChoiceSetup;
  readonly counters: CandidateCounters;
  readonly #delivery: Omit<DeliverySettings, 'deadLetter'>;
  /** What the attempts of a leg are sent with, by the leg's own. */
  readonly #specs = new WeakMap<LegSpec, LegSpec>();
  /** Events it may still be given in this turn. */
  room = 0;
  /** It was given something in this turn. */
  given = false;
  up = true;

  constructor(index: number, setup: ChoiceSetup, counters: CandidateCounters) {
    const { lane, delivery } = setup.targets[index] as ChoiceSetup['targets'][number];
    this.index = index;
    this.lane = lane;
    this.setup = setup;
    this.counters = counters;
    this.#delivery = delivery;
  }

  /** One more event is given to it. */
  give(explored: boolean): void {
    this.counters.chosen += 1;
    if (explored) this.counters.explored += 1;
    this.given = true;
    this.room -= 1;
  }

  spec(of: LegSpec): LegSpec {
    let spec = this.#specs.get(of);
    if (spec === undefined) {
      // The age is looked at where the leg waits; an attempt only has to be sent.
      const settings = { ...of.settings, ...this.#delivery, ...of.overrides, maxAgeMs: undefined };
      spec = { route: of.route, lane: this.lane, settings, counters: of.counters };
      this.#specs.set(of, spec);
    }
    return spec;
  }
}

/** What an attempt is bound by: a decision among the targets that could be had. */
export interface Bound {
  readonly seat: Seat;
  readonly usable: readonly number[];
  readonly decision: Decision;
  readonly now: number;
}

/** Legs of one key that were bound together: the key goes on when all of them are back. */
export interface Group {
  readonly attempts: Attempt[];
  open: number;
  /** The longest that one of them has to wait before it is tried again. */
  delayMs: number;
}

/** One attempt at a leg of a choice, in the lane of the target that was chosen. */
export class Attempt extends PendingLeg {
  readonly leg: PendingLeg;
  readonly seat: Seat;
  readonly group: Group | undefined;
  /** Of the selector, and of what observes it. */
  ticket: Ticket = -1;
  record: DecisionHandle = -1;

  constructor(leg: PendingLeg, seat: Seat, group: Group | undefined, owner: AttemptOwner) {
    const { event, meta, key, spec, tracker, index, bytes, receivedAt } = leg;
    super(event, meta, key, seat.spec(spec), tracker, index, bytes, receivedAt, owner);
    this.attempt = leg.attempt;
    this.leg = leg;
    this.seat = seat;
    this.group = group;
  }
}

/** What a failure tells of the target: a refusal for good tells about the event, so it counts for nothing. */
export function statusOf({ status, retryable, unavailable }: Failure): SendStatus {
  if (unavailable === true) return 'refused';
  if (!retryable) return 'recalled';
  return status === 'unknown' ? 'timeout' : 'failed';
}
