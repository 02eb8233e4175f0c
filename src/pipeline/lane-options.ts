import type { Clock } from '../core/clock.ts';
import type { LanePolicy } from '../core/policy.ts';
import type { SendLimits, Target } from '../core/target.ts';
import type { TracedPlace } from '../core/tracer.ts';
import type { Failure, LegLane, LegOwner, PendingLeg } from './leg.ts';

/** Whether the target can be reached: closes the lane without consuming attempts. */
export interface AvailabilityPolicy extends LanePolicy {
  readonly down: boolean;
  available(): void;
  unavailable(now: number): void;
}

export type RetryRule = (leg: PendingLeg, failure: Failure) => { readonly retryInMs: number } | 'give-up';

export interface LaneOptions {
  readonly name: string;
  readonly target: Target;
  readonly limits: SendLimits;
  /** See `TargetFeatures.orderedBatch`. */
  readonly orderedBatch: boolean;
  /** Bounds of what waits or is under way; beyond either the sources that feed the lane are held. */
  readonly maxEvents: number;
  readonly maxBytes: number;
  readonly availability: AvailabilityPolicy;
  /** Further policies, all of which must admit a send. */
  readonly policies: readonly LanePolicy[];
  readonly retry: RetryRule;
  readonly owner: LegOwner;
  readonly clock: Clock;
  /** What spans tell of the target; undefined: no send is traced. */
  readonly place?: TracedPlace | undefined;
  /** Called when the lane has become full, and when it has drained to half of its bounds. */
  readonly onPressure: (lane: LegLane, full: boolean) => void;
}

/** What may have more for a lane that has room again. */
export interface Feeder {
  kick(): void;
}
