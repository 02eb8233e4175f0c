import type { Transform } from '../core/transform.ts';
import type { Validator } from '../core/validation.ts';
import type { LegSpec } from './leg.ts';

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
