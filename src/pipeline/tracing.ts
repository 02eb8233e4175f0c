import type { TracedDecision, TracedPlace } from '../core/tracer.ts';
import type { Cause, PendingLeg } from './leg.ts';

// What the pipeline tells of events that are traced. Callers look first whether there can be any.

/** A send of these begins. */
export function traceSend(batch: readonly PendingLeg[], place: TracedPlace): void {
  for (const leg of batch) if (leg.tracker.traced) leg.trace = leg.tracker.trace(leg.index)?.sending(leg, place);
}

export function traceDecision(attempt: PendingLeg, decision: Omit<TracedDecision, 'bytes'>): void {
  attempt.tracker.trace(attempt.index)?.decided(attempt, { ...decision, bytes: attempt.bytes });
}

/** A leg will not be delivered: its dead letter is written, or it is given up. */
export function traceFailure(leg: PendingLeg, { code }: Pick<Cause, 'code'>): void {
  const { route, tracker, index, spec } = leg;
  const { store, target } = spec.settings.deadLetter;
  const what = store || target !== undefined ? 'dead-lettered' : 'dropped';
  tracker.trace(index)?.ended({ what, code, route, target: spec.lane.name });
}
