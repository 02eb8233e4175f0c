import type { DeliverySettings } from '../core/routing.ts';
import type { Selector, Ticket } from '../core/selector.ts';
import type { Lane } from './lane.ts';
import { type AttemptOwner, type LegSpec, PendingLeg } from './leg.ts';

/** A target of a choice: its place in the selector, and what may be given to it now. */
export class Seat {
  readonly index: number;
  readonly lane: Lane;
  readonly selector: Selector;
  readonly #delivery: Omit<DeliverySettings, 'deadLetter'>;
  /** What the attempts of a leg are sent with, by the leg's own. */
  readonly #specs = new WeakMap<LegSpec, LegSpec>();
  /** Events it may still be given in this turn. */
  room = 0;
  /** It was given something in this turn. */
  given = false;
  up = true;

  constructor(index: number, lane: Lane, selector: Selector, delivery: Omit<DeliverySettings, 'deadLetter'>) {
    this.index = index;
    this.lane = lane;
    this.selector = selector;
    this.#delivery = delivery;
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
  readonly ticket: Ticket;
  readonly group: Group | undefined;

  constructor(leg: PendingLeg, seat: Seat, ticket: Ticket, group: Group | undefined, owner: AttemptOwner) {
    const { event, meta, key, spec, tracker, index, bytes, receivedAt } = leg;
    super(event, meta, key, seat.spec(spec), tracker, index, bytes, receivedAt, owner);
    this.attempt = leg.attempt;
    this.leg = leg;
    this.seat = seat;
    this.ticket = ticket;
    this.group = group;
  }
}
