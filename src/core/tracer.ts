import type { EventDelivery, Outcome } from './delivery.ts';
import type { Decision, Selector } from './selector.ts';
import type { Leg, SendResult } from './target.ts';
import type { TraceContext } from './trace-context.ts';

/** A source or a target, as spans tell of it. */
export interface TracedPlace {
  readonly name: string;
  /** Adapter type. */
  readonly kind?: string | undefined;
  /** Topic, queue or exchange, where there is one; templates as they are. */
  readonly address?: string | undefined;
}

/** A choice among targets, for one attempt. Read during the call. */
export interface TracedDecision {
  readonly choice: string;
  readonly selector: Pick<Selector, 'explain' | 'snapshot' | 'sizeClass' | 'targets'>;
  /** As given to `choose`. */
  readonly eligible: readonly number[];
  readonly decision: Decision;
  readonly bytes: number;
}

/** Why a leg ended without a confirmation. */
export interface TracedEnd {
  readonly what: 'dead-lettered' | 'dropped';
  /** Undefined: a rule of the route left nothing to send. */
  readonly code?: string | undefined;
  readonly route?: string | undefined;
  /** The entry of `to`. */
  readonly target?: string | undefined;
}

/** One attempt to send; what it is as a context goes along with the event. */
export interface AttemptTrace extends TraceContext {
  ended(result: SendResult): void;
}

/** One event, from its receipt to its settlement. Calls after `settled` change nothing. */
export interface EventTrace {
  /**
   * An attempt was given to a target by a choice; before it is counted as sent.
   *
   * @param attempt What {@link sending} will be called with.
   */
  decided(attempt: Leg, decision: TracedDecision): void;
  sending(attempt: Leg, target: TracedPlace): AttemptTrace;
  ended(end: TracedEnd): void;
  /** @param outcome Undefined: the source gave it back to its broker unsettled. */
  settled(outcome: Outcome | undefined): void;
}

/** Follows a part of the events. Every call is synchronous, throws nothing and waits for nothing. */
export interface Tracer {
  /** Called once for every event that comes in. Undefined: it is not sampled, and then nothing has been allocated. */
  received(delivery: EventDelivery, source: TracedPlace): EventTrace | undefined;
}
