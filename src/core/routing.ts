import type { Backoff } from './backoff.ts';
import type { MeshEvent } from './event.ts';

/**
 * Finds the routes of an event. Routes and sources are numbered by the composition root in the order of the
 * configuration, so that a match allocates nothing.
 */
export interface RouteMatcher {
  /**
   * Writes the numbers of the matching routes to the front of `out`, in order, up to and including one with
   * `continue: false`, and returns how many there are; what stands behind them is left over from earlier calls.
   */
  match(event: MeshEvent, source: number, out: number[]): number;
}

/**
 * A filter in the dialects of the CloudEvents Subscriptions API: several dialects in one object, and several attributes
 * in one dialect, must all hold; `{}` passes. A missing attribute fails `exact`, `prefix` and `suffix`; `sql` is CESQL and
 * fails where it gives an error or no Boolean.
 */
export interface Filter {
  readonly exact?: Readonly<Record<string, string>> | undefined;
  readonly prefix?: Readonly<Record<string, string>> | undefined;
  readonly suffix?: Readonly<Record<string, string>> | undefined;
  readonly all?: readonly Filter[] | undefined;
  readonly any?: readonly Filter[] | undefined;
  readonly not?: Filter | undefined;
  readonly sql?: string | undefined;
}

/**
 * A condition on attributes and body with the operators of EventBridge (docs/guide/patterns.md): top-level keys are
 * attributes, `data` holds the body. A map stands for nested fields, which all hold; a list for alternatives, each a
 * value or a map of one operator. `$or` in a map is a list of patterns of which one holds.
 */
export interface Pattern {
  readonly [field: string]: Pattern | readonly unknown[];
}

/** What becomes of a leg that cannot be delivered. */
export interface DeadLetterSettings {
  /** Kept in the local dead-letter store. */
  readonly store: boolean;
  /** Name of a target that is sent the wrapped event. */
  readonly target?: string | undefined;
}

/** How one leg is sent and what happens when that fails: a target's policies with the route's overrides. */
export interface DeliverySettings {
  /** Further attempts after the first; an unavailable target consumes none. */
  readonly retry: number;
  readonly backoff: Backoff;
  /** Longest `Retry-After` obeyed. */
  readonly retryAfterMaxMs: number;
  /** One send; what has no answer by then is `unknown`. A batch takes the longest of its legs. */
  readonly timeoutMs: number;
  /** Age since it was received at which a leg is dead-lettered instead of sent. */
  readonly maxAgeMs?: number | undefined;
  readonly deadLetter: DeadLetterSettings;
}
