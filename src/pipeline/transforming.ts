import type { Clock } from '../core/clock.ts';
import { MeshEvent } from '../core/event.ts';
import { type Transform, type Transformed, TransformFailure } from '../core/transform.ts';
import { type Cause, type LegOwner, PendingLeg, type Whole } from './leg.ts';
import { type Siblings, Stage } from './stage.ts';

/**
 * Applies the transforms of routes to legs before they enter their lanes. What cannot be transformed fails with its reason
 * and the event as it came; what becomes several events is done when all of them are.
 */
export class Transforming {
  readonly #owner: LegOwner;
  readonly #clock: Clock;
  readonly #stages = new Map<Transform, Stage>();

  constructor(owner: LegOwner, clock: Clock) {
    this.#owner = owner;
    this.#clock = clock;
  }

  /** Takes legs that are counted as pending and in no lane; inline ones are in theirs, not kicked, when this returns. */
  take(legs: Siblings, transform: Transform): void {
    if (transform.kind === 'inline') {
      const result = transform.apply((legs[0] as PendingLeg).event);
      this.#release(legs, result instanceof MeshEvent ? [result] : result);
      return;
    }
    let stage = this.#stages.get(transform);
    if (stage === undefined) {
      const lanes = legs.map(({ spec }) => spec.lane);
      stage = new Stage(transform, lanes, (siblings, result) => this.#release(siblings, result));
      this.#stages.set(transform, stage);
    }
    stage.add(legs);
  }

  /** A lane that was full has room again. */
  relieved(): void {
    for (const stage of this.#stages.values()) stage.go();
  }

  /** A part of a leg has ended; the leg itself does with its last one, and fails if any has. */
  partEnded(whole: Whole, cause: Cause | undefined, now: number): void {
    const { leg, count } = whole;
    whole.open -= 1;
    if (cause !== undefined) {
      whole.failed += 1;
      whole.cause ??= cause;
    }
    if (whole.open > 0) return;
    const first = whole.cause;
    if (first === undefined) this.#owner.done(leg, now);
    else {
      const message = `${whole.failed} of ${count} parts failed, the first with: ${first.message}`;
      this.#owner.failed(leg, { code: first.code, message }, now);
    }
  }

  /** What is under way stays unsettled. */
  close(): void {
    for (const stage of this.#stages.values()) stage.stop();
  }

  #release(legs: Siblings, result: Transformed): void {
    const now = this.#clock.now();
    for (const leg of legs) {
      if (result instanceof TransformFailure) {
        leg.attempt = 0;
        this.#owner.failed(leg, result, now);
      } else if (result.length === 1) {
        leg.become(result[0] as MeshEvent);
        leg.spec.lane.add(leg);
      } else {
        spread(leg, result);
      }
    }
  }
}

function spread(leg: PendingLeg, events: readonly MeshEvent[]): void {
  const { meta, key, spec, tracker, index, receivedAt } = leg;
  if (events.length === 0) {
    // The array to split was empty: there is nothing to send, by the route's own rule.
    spec.counters.pending -= 1;
    spec.counters.dropped += 1;
    tracker.ended(index);
    return;
  }
  const whole: Whole = { leg, count: events.length, open: events.length, failed: 0, cause: undefined };
  for (const event of events) {
    const part = new PendingLeg(event, meta, key, spec, tracker, index, event.bytes, receivedAt);
    part.whole = whole;
    spec.lane.add(part);
  }
}
