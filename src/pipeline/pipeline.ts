import type { Clock, Random } from '../core/clock.ts';
import { LegCounters } from '../core/counters.ts';
import type { DeadLetterInit, DeadLetterKeeper } from '../core/dead-letter.ts';
import type { DeliveryBatch, EventDelivery, PoisonDelivery } from '../core/delivery.ts';
import type { Log } from '../core/log.ts';
import type { DeliverySettings } from '../core/routing.ts';
import type { Tracer } from '../core/tracer.ts';
import type { Refusal } from '../core/validation.ts';
import { Admission, type AdmissionOwner, type Candidate } from './admission.ts';
import { DeadLettering, letterOf } from './dead-lettering.ts';
import type { SourceIntake } from './intake.ts';
import { type Cause, type LegLane, type LegSpec, PendingLeg, targetRemoved } from './leg.ts';
import type { Plan, RoutePlan } from './route-plan.ts';
import { traceFailure } from './tracing.ts';
import { BatchTracker } from './tracker.ts';
import { Transforming, type TransformingOwner } from './transforming.ts';

export type { Plan, RoutePlan, UnmatchedPlan } from './route-plan.ts';

export interface PipelineOptions {
  readonly plan: Plan;
  readonly deadLetters: DeadLetterKeeper;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly tracer?: Tracer | undefined;
}

/** Counters of legs that no route planned: what was poison or matched nothing. */
export type AsideCounters = Readonly<Record<'poison' | 'unmatched', LegCounters>>;

/**
 * The path of an event: a batch comes in, every event is matched and its legs planned into lanes; a delivery is settled
 * when each of its legs is confirmed, dead-lettered durably, or dropped by a named rule and counted.
 */
export class Pipeline implements TransformingOwner, AdmissionOwner {
  readonly aside: AsideCounters = { poison: new LegCounters(), unmatched: new LegCounters() };
  readonly deadLettering: DeadLettering;
  readonly admission: Admission = new Admission(this);
  readonly #transforming: Transforming;
  readonly #o: PipelineOptions;
  #plan: Plan;
  readonly #matched: number[] = [];
  /** Legs of paused routes, those of one delivery side by side; the windows of the sources bound them. */
  readonly #held: PendingLeg[] = [];
  /** Legs on their way to a dead-letter target, by the leg that carries the wrapped event. */
  readonly #relays = new Map<PendingLeg, { origin: PendingLeg; cause: Cause }>();
  #closed = false;

  constructor(options: PipelineOptions) {
    this.#o = options;
    this.#plan = options.plan;
    const { clock, random, log } = options;
    this.#transforming = new Transforming(this, clock);
    this.deadLettering = new DeadLettering({ keeper: options.deadLetters, clock, random, log });
  }

  /** What the next batch is planned with. */
  get plan(): Plan {
    return this.#plan;
  }

  /**
   * The next batch is planned with this. Legs planned before finish with the settings they have, on the lane they are in;
   * the caller renumbers the intakes in the same turn of the event loop.
   */
  swap(plan: Plan): void {
    this.#plan = plan;
    this.admission.reconsider();
    const held = this.#held.splice(0);
    if (held.length === 0) return;
    const plans = new Map(plan.routes.map((route) => [route.name, route]));
    const now = this.#o.clock.now();
    for (const leg of held) this.#reconsider(leg, plans.get(leg.route), now);
    for (const lane of plan.lanes.values()) lane.kick();
  }

  /** Nothing more comes from a source that is about to be closed, and what is unsettled goes back to its broker. */
  detach(intake: SourceIntake): void {
    intake.detach();
    for (const leg of this.#held.splice(0)) {
      if (leg.tracker.detached) this.withdrawn(leg);
      else this.#held.push(leg);
    }
  }

  /** Deliveries of which only legs of paused routes are left: they wait for the route, so a drain does not wait for them. */
  get resting(): number {
    return this.restingOf();
  }

  /** {@link resting} of one source. */
  restingOf(source?: string): number {
    let count = 0;
    let from = 0;
    for (let at = 0; at < this.#held.length; at += 1) {
      const { tracker, index } = this.#held[at] as PendingLeg;
      const next = this.#held[at + 1];
      if (next?.tracker === tracker && next.index === index) continue;
      const counts = source === undefined || tracker.source === source;
      if (counts && tracker.openLegs(index) === at + 1 - from) count += 1;
      from = at + 1;
    }
    return count;
  }

  /** Takes over a batch from a source; see `Intake`. */
  take(intake: SourceIntake, batch: DeliveryBatch): void {
    if (this.#closed || intake.refusing) return;
    const now = this.#o.clock.now();
    const tracker = new BatchTracker(batch, intake);
    const { deliveries } = batch;
    for (let index = 0; index < deliveries.length; index += 1) {
      const delivery = deliveries[index] as EventDelivery | PoisonDelivery;
      if (delivery.event === undefined) this.#poison(intake, tracker, index, delivery);
      else this.#planLegs(intake, tracker, index, delivery, now);
    }
    intake.taken();
    this.resumed(intake);
  }

  resumed(intake: SourceIntake): void {
    for (const lane of intake.lanes) {
      if (lane.full) intake.hold(lane);
      lane.kick();
    }
  }

  /** A lane that was full has drained. */
  relieved(): void {
    this.#transforming.relieved();
  }

  /** No more batches are taken in from now on. */
  close(): void {
    this.#closed = true;
    this.admission.close();
    this.#transforming.close();
    for (const lane of this.#plan.lanes.values()) lane.stop();
  }

  done(leg: PendingLeg, now: number): void {
    if (leg.whole !== undefined) {
      this.#transforming.partEnded(leg.whole, 'done', now);
      return;
    }
    const relay = this.#relays.size > 0 ? this.#relays.get(leg) : undefined;
    if (relay !== undefined) {
      this.#relays.delete(leg);
      this.#deadLettered(relay.origin);
      return;
    }
    const { counters } = leg.spec;
    counters.pending -= 1;
    counters.confirmed += 1;
    counters.observe(now - leg.receivedAt);
    leg.tracker.ended(leg.index);
  }

  failed(leg: PendingLeg, cause: Cause, now: number): void {
    if (leg.whole !== undefined) {
      this.#transforming.partEnded(leg.whole, cause, now);
      return;
    }
    const relay = this.#relays.get(leg);
    if (relay !== undefined) {
      // The dead-letter target refused it as well: the store is what is left, unless it already has it.
      this.#relays.delete(leg);
      this.#o.log.warn(
        { code: cause.code, route: relay.origin.route, target: leg.spec.lane.name },
        'dead-letter target failed',
      );
      if (relay.origin.spec.settings.deadLetter.store) this.#deadLettered(relay.origin);
      else this.#keep(relay.origin, relay.cause, () => this.#deadLettered(relay.origin));
      return;
    }
    if (leg.tracker.traced) traceFailure(leg, cause);
    const { store, target } = leg.spec.settings.deadLetter;
    const relayed = target === undefined ? undefined : this.#plan.lanes.get(target);
    // A reload may have taken the dead-letter target away: then the store is what is left.
    if (store || (target !== undefined && relayed === undefined)) {
      this.#keep(leg, cause, () =>
        relayed === undefined ? this.#deadLettered(leg) : this.#relay(leg, cause, relayed, now),
      );
    } else if (relayed !== undefined) {
      this.#relay(leg, cause, relayed, now);
    } else {
      leg.spec.counters.pending -= 1;
      leg.spec.counters.dropped += 1;
      leg.tracker.ended(leg.index);
    }
  }

  withdrawn(leg: PendingLeg): void {
    if (leg.whole !== undefined) {
      this.#transforming.partEnded(leg.whole, 'withdrawn', this.#o.clock.now());
      return;
    }
    const { counters } = this.#relays.get(leg)?.origin.spec ?? leg.spec;
    this.#relays.delete(leg);
    counters.pending -= 1;
    counters.returned += 1;
    leg.tracker.ended(leg.index);
  }

  #planLegs(intake: SourceIntake, tracker: BatchTracker, index: number, delivery: EventDelivery, now: number): void {
    const { event } = delivery;
    const { routes, matcher } = this.#plan;
    if (this.#o.tracer !== undefined) tracker.follow(index, this.#o.tracer.received(delivery, intake.place));
    const matched = this.#matched;
    const count = matcher.match(event, intake.number, matched);
    const bytes = event.bytes;
    if (count === 0) {
      this.#unmatched(intake, tracker, index, delivery, bytes, now);
      return;
    }
    let legs = 0;
    for (let n = 0; n < count; n += 1) legs += (routes[matched[n] as number] as RoutePlan).legs.length;
    tracker.expect(index, legs, bytes);
    for (let n = 0; n < count; n += 1) {
      this.#enqueue(routes[matched[n] as number] as RoutePlan, intake, tracker, index, delivery, bytes, now);
    }
  }

  /** A leg that a paused route held, under a new plan: held on, sent, or dead-lettered because its route is gone. */
  #reconsider(leg: PendingLeg, plan: RoutePlan | undefined, now: number): void {
    const { name } = leg.spec.lane;
    const spec = plan?.disabled === true ? undefined : plan?.legs.find(({ lane }) => lane.name === name);
    if (spec === undefined) {
      const message = `route "${leg.route}" held it while paused and leads to "${name}" no more`;
      this.failed(leg, { code: 'E_ROUTE_REMOVED', message }, now);
    } else if (plan?.paused === true) this.#held.push(leg);
    else this.#transforming.take([leg], plan?.transform);
  }

  #enqueue(
    plan: RoutePlan,
    intake: SourceIntake,
    tracker: BatchTracker,
    index: number,
    delivery: EventDelivery,
    bytes: number,
    now: number,
  ): void {
    const key = intake.keyed ? delivery.orderingKey : undefined;
    // Without a validator there may still be those that waited for the one of the configuration before.
    if (plan.validator === undefined && this.admission.waiting === 0) {
      this.#send(plan, tracker, index, delivery, key, bytes, now);
    } else this.admission.take({ plan, intake, tracker, index, delivery, key, bytes, receivedAt: now });
  }

  admitted({ plan, tracker, index, delivery, key, bytes, receivedAt }: Candidate): void {
    this.#send(plan, tracker, index, delivery, key, bytes, receivedAt);
  }

  refused({ plan, tracker, index, delivery, key, bytes, receivedAt }: Candidate, refusal: Refusal): void {
    for (const spec of plan.legs) {
      spec.counters.planned += 1;
      spec.counters.pending += 1;
      const leg = new PendingLeg(delivery.event, delivery.meta, key, spec, tracker, index, bytes, receivedAt);
      leg.attempt = 0;
      this.failed(leg, refusal, this.#o.clock.now());
    }
  }

  routeOf({ plan: { name } }: Candidate): RoutePlan | undefined {
    const { routes, unmatched } = this.#plan;
    if (unmatched.action === 'send' && unmatched.plan.name === name) return unmatched.plan;
    return routes.find((route) => route.name === name);
  }

  #send(
    plan: RoutePlan,
    tracker: BatchTracker,
    index: number,
    { event, meta }: EventDelivery,
    key: string | undefined,
    bytes: number,
    receivedAt: number,
  ): void {
    const direct = plan.transform === undefined && !this.#transforming.busy;
    const later: PendingLeg[] = direct ? NONE : [];
    for (const spec of plan.legs) {
      spec.counters.planned += 1;
      spec.counters.pending += 1;
      const leg = new PendingLeg(event, meta, key, spec, tracker, index, bytes, receivedAt);
      if (plan.paused) this.#held.push(leg);
      else if (direct) this.place(leg);
      else later.push(leg);
    }
    if (later.length > 0) this.#transforming.take(later, plan.transform);
  }

  place(leg: PendingLeg): void {
    const { lane } = leg.spec;
    if (!lane.leaving) lane.add(leg);
    else this.#redirect(leg);
  }

  /** A leg that was planned too late for its lane: a reload has put another one in its place, or none. */
  #redirect(leg: PendingLeg): void {
    const { name } = leg.spec.lane;
    const lane = this.#plan.lanes.get(name);
    if (lane === undefined) this.failed(leg, targetRemoved(name), this.#o.clock.now());
    else {
      lane.add(leg);
      lane.kick();
    }
  }

  #unmatched(
    intake: SourceIntake,
    tracker: BatchTracker,
    index: number,
    delivery: EventDelivery,
    bytes: number,
    now: number,
  ): void {
    const { unmatched } = this.#plan;
    const { event, meta } = delivery;
    intake.counters.unmatched += 1;
    if (unmatched.action === 'send') {
      tracker.expect(index, unmatched.plan.legs.length, bytes);
      this.#enqueue(unmatched.plan, intake, tracker, index, delivery, bytes, now);
      return;
    }
    const counters = this.aside.unmatched;
    counters.planned += 1;
    const what = unmatched.action === 'dead-letter' ? 'dead-lettered' : 'dropped';
    tracker.trace(index)?.ended({ what, code: 'E_UNMATCHED' });
    if (unmatched.action !== 'dead-letter') {
      counters.dropped += 1;
      if (unmatched.action === 'fail') tracker.reject(index, 'E_UNMATCHED');
      tracker.expect(index, 1, bytes);
      tracker.ended(index);
      return;
    }
    const letter = {
      event,
      raw: undefined,
      contentType: event.datacontenttype,
      code: 'E_UNMATCHED',
      message: 'no route matched',
    };
    this.#aside(intake, tracker, index, bytes, counters, { ...letter, attempts: 0, meta });
  }

  #poison(intake: SourceIntake, tracker: BatchTracker, index: number, delivery: PoisonDelivery): void {
    const { code, message, raw, contentType } = delivery.poison;
    intake.counters.poison += 1;
    this.aside.poison.planned += 1;
    const letter = { event: undefined, raw, contentType, code, message, attempts: 0, meta: delivery.meta };
    this.#aside(intake, tracker, index, raw.length, this.aside.poison, letter);
  }

  /** Dead-letters a delivery that has no leg. */
  #aside(
    intake: SourceIntake,
    tracker: BatchTracker,
    index: number,
    bytes: number,
    counters: LegCounters,
    letter: Omit<DeadLetterInit, 'source' | 'route' | 'target' | 'receivedAt'>,
  ): void {
    counters.pending += 1;
    tracker.expect(index, 1, bytes);
    const receivedAt = this.#o.clock.wall();
    this.deadLettering.put({ ...letter, source: intake.name, route: undefined, target: undefined, receivedAt }, () => {
      counters.pending -= 1;
      counters.deadLettered += 1;
      tracker.ended(index);
    });
  }

  #keep(leg: PendingLeg, cause: Cause, kept: () => void): void {
    this.deadLettering.put(letterOf(leg, cause, this.#o.clock), kept);
  }

  /** Sends the wrapped event to the route's dead-letter target, in that target's own lane. */
  #relay(origin: PendingLeg, cause: Cause, lane: LegLane, now: number): void {
    const settings: DeliverySettings = { ...origin.spec.settings, maxAgeMs: undefined };
    const wrapped = this.#o.deadLetters.wrap(letterOf(origin, cause, this.#o.clock));
    // Not a planned leg of its own: it ends the leg it stands for, so it has counters nobody adds up.
    const spec: LegSpec = { route: origin.route, lane, settings, counters: new LegCounters() };
    const leg = new PendingLeg(wrapped, origin.meta, undefined, spec, origin.tracker, origin.index, wrapped.bytes, now);
    this.#relays.set(leg, { origin, cause });
    lane.add(leg);
    lane.kick();
  }

  #deadLettered(leg: PendingLeg): void {
    leg.spec.counters.pending -= 1;
    leg.spec.counters.deadLettered += 1;
    leg.tracker.ended(leg.index);
  }
}

/** Shared by all events that wait for nothing; never changed. */
const NONE: PendingLeg[] = [];
