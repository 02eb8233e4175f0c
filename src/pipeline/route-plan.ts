import type { RouteMatcher } from '../core/routing.ts';
import type { Transform } from '../core/transform.ts';
import type { Validator } from '../core/validation.ts';
import type { LegLane, LegSpec } from './leg.ts';

/** A route as the pipeline sees it; its number is its place in the list given to the pipeline. */
export interface RoutePlan {
  readonly name: string;
  /** One leg per entry. */
  readonly legs: readonly LegSpec[];
  /** Legs are planned and held, not sent. */
  readonly paused: boolean;
  /** It matches nothing any more; what it held while it was paused is not sent either. */
  readonly disabled?: boolean;
  /** Looks at the data first; what it refuses is dead-lettered, leg by leg. */
  readonly validator?: Validator | undefined;
  /** Makes of the event what its legs carry. */
  readonly transform?: Transform | undefined;
}

/** What happens to an event that no route matched. */
export type UnmatchedPlan =
  | { readonly action: 'dead-letter' | 'drop' | 'fail' }
  | { readonly action: 'send'; readonly plan: RoutePlan };

/** Everything that a batch is planned with, of one configuration: swapped as a whole, between batches. */
export interface Plan {
  readonly matcher: RouteMatcher;
  readonly routes: readonly RoutePlan[];
  readonly unmatched: UnmatchedPlan;
  readonly lanes: ReadonlyMap<string, LegLane>;
}
