import type { MeshEvent } from './event.ts';
import type { Decision, SendStatus } from './selector.ts';

/**
 * How an attempt ended for which a target was chosen. Beside what a send came to (`unknown`: nobody can tell): `recalled`,
 * taken back before it was sent; `breaker`, kept from being sent by the breaker of the target.
 */
export type DecisionOutcome = SendStatus | 'breaker';

/** The attempt that is decided on. Read during the call and not kept; a leg of the pipeline has all of it. */
export interface DecisionSubject {
  /** Only a hash of both is recorded. */
  readonly event: Pick<MeshEvent, 'source' | 'id'>;
  readonly route: string;
  readonly bytes: number;
  /** 1 for the first send. */
  readonly attempt: number;
}

/** Names one decision until it is settled; below 0: it is not recorded. Numbers are used again. */
export type DecisionHandle = number;

/**
 * Hears of every decision of one choice and how it ended. Both calls are synchronous and O(1), never throw and never wait:
 * what there is no room for is counted and forgotten.
 *
 * The caller: `decided` for each decision that has a target, after {@link Selector.choose} and before `sent`; and exactly one
 * `settled` for it. An attempt that is chosen for again is decided again. The features as of the last tick, the scores, the
 * model, time and the gateway's name come from where the observer was made.
 */
export interface DecisionObserver {
  /**
   * @param eligible As given to `choose`, ascending. Read during the call.
   * @param decision As `choose` gave it. Read during the call.
   * @param inFlight Sends of the chosen target that are not settled, without this one.
   */
  decided(subject: DecisionSubject, eligible: readonly number[], decision: Decision, inFlight: number): DecisionHandle;
  /** @param latencyMs Default: the time since `decided`. */
  settled(handle: DecisionHandle, outcome: DecisionOutcome, latencyMs?: number): void;
}
