import type { Clock } from '../core/clock.ts';
import { MeshEvent } from '../core/event.ts';
import { type Transform, type Transformed, TransformFailure } from '../core/transform.ts';
import { type Cause, type LegOwner, PendingLeg, type Whole } from './leg.ts';
import { type Siblings, Stage } from './stage.ts';

/** What a transformed leg goes back to. */
export interface TransformingOwner extends LegOwner {
  /** Puts a leg into its lane, without a kick. */
  place(leg: PendingLeg): void;
}

/**
 * Applies the transforms of routes to legs before they enter their lanes. What cannot be transformed fails with its reason
 * and the event as it came; what becomes several events is done when all of them are.
 */
export class Transforming {
  readonly #owner: TransformingOwner;
  readonly #clock: Clock;
  /** By name of the route, so that a reload does not let its legs pass those that still have the transform of before. */
  readonly #stages = new Map<string, Stage>();
  #closed = false;

  constructor(owner: TransformingOwner, clock: Clock) {
    this.#owner = owner;
    this.#clock = clock;
  }

  /** True while legs wait, of whatever route: even one without a transform may have to wait behind them. */
  get busy(): boolean {
    return this.#stages.size > 0;
  }

  /**
   * Takes the legs of one delivery on one route; they are counted as pending and in no lane. What can be done at once is
   * done when this returns, and the lanes are not kicked.
   */
  take(legs: Siblings, transform: Transform | undefined): void {
    const { route } = legs[0] as PendingLeg;
    const stage = this.#stages.get(route);
    if (stage !== undefined) stage.add({ legs, transform });
    else if (transform?.kind === 'staged') this.#open(route).add({ legs, transform });
    else this.#release(legs, applied(legs, transform));
  }

  /** A lane that was full has room again, or is on its way out. */
  relieved(): void {
    for (const stage of this.#stages.values()) stage.go();
  }

  /** A part of a leg has ended; the leg itself does with its last one, and fails if any has. */
  partEnded(whole: Whole, end: Cause | 'done' | 'withdrawn', now: number): void {
    whole.open -= 1;
    if (end === 'withdrawn') whole.withdrawn = true;
    else if (end !== 'done') {
      whole.failed += 1;
      whole.cause ??= end;
    }
    if (whole.open > 0) return;
    const { leg, count, failed, cause } = whole;
    if (whole.withdrawn) this.#owner.withdrawn(leg);
    else if (cause === undefined) this.#owner.done(leg, now);
    else {
      const message = `${failed} of ${count} parts failed, the first with: ${cause.message}`;
      this.#owner.failed(leg, { code: cause.code, message }, now);
    }
  }

  /** What is under way stays unsettled. */
  close(): void {
    this.#closed = true;
  }

  #open(route: string): Stage {
    const stage: Stage = new Stage({
      apply: applied,
      release: (legs, result) => {
        if (!this.#closed) this.#release(legs, result);
      },
      idle: () => this.#stages.delete(route),
    });
    this.#stages.set(route, stage);
    return stage;
  }

  #release(legs: Siblings, result: Transformed): void {
    const now = this.#clock.now();
    for (const leg of legs) {
      if (leg.tracker.detached) {
        this.#owner.withdrawn(leg);
      } else if (result instanceof TransformFailure) {
        leg.attempt = 0;
        this.#owner.failed(leg, result, now);
      } else if (result.length === 1) {
        leg.become(result[0] as MeshEvent);
        this.#owner.place(leg);
      } else {
        this.#spread(leg, result);
      }
    }
  }

  #spread(leg: PendingLeg, events: readonly MeshEvent[]): void {
    const { meta, key, spec, tracker, index, receivedAt } = leg;
    if (events.length === 0) {
      // The array to split was empty: there is nothing to send, by the route's own rule.
      spec.counters.pending -= 1;
      spec.counters.dropped += 1;
      tracker.trace(index)?.ended({ what: 'dropped', route: spec.route, target: spec.lane.name });
      tracker.ended(index);
      return;
    }
    const count = events.length;
    const whole: Whole = { leg, count, open: count, failed: 0, cause: undefined, withdrawn: false };
    for (const event of events) {
      const part = new PendingLeg(event, meta, key, spec, tracker, index, event.bytes, receivedAt);
      part.whole = whole;
      this.#owner.place(part);
    }
  }
}

/** The result of what needs no waiting. */
function applied(legs: Siblings, transform: Exclude<Transform, { kind: 'staged' }> | undefined): Transformed {
  const { event } = legs[0] as PendingLeg;
  const result = transform === undefined ? event : transform.apply(event);
  return result instanceof MeshEvent ? [result] : result;
}
