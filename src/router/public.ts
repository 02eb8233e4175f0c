import type { MeshEvent } from '../core/event.ts';
import type { Filter, Pattern, RouteMatcher } from '../core/routing.ts';
import { type CesqlResult, compileCesql as compileExpression } from './cesql/expression.ts';
import { buildMatcher, IndexedMatcher } from './index/indexed-matcher.ts';
import type { SliceOptions } from './index/slices.ts';
import type { MatchedRoute } from './linear-matcher.ts';
import type { PlainEvent } from './pattern/public.ts';
import { eventOf } from './plain-event.ts';

/** An expression that is ready to be used. */
export interface CompiledCesql {
  /**
   * Its value for an event, and the kind of the error if there was one. Throws `E_CE_MISSING` for a plain object without
   * `id`, `source` or `type`, and nothing else.
   */
  evaluate(event: MeshEvent | PlainEvent): CesqlResult;
}

/**
 * Compiles an expression of CESQL 1.0 (CloudEvents SQL); good for any number of events. Throws CesqlParseError, whose
 * `position` says where the expression is wrong.
 */
export function compileCesql(text: string): CompiledCesql {
  const expression = compileExpression(text);
  return { evaluate: (event) => expression.evaluate(eventOf(event)) };
}

/** A named condition; without filters and pattern it always holds. */
export interface NamedRoute {
  readonly name: string;
  /** Filters of the Subscriptions dialects that must all pass. */
  readonly filters?: readonly Filter[] | undefined;
  /** A pattern that must match too. */
  readonly pattern?: Pattern | undefined;
  /** False: a match ends the search. */
  readonly continue?: boolean | undefined;
}

/** Many conditions in one index: the cost of an event hardly grows with their number (docs/guide/matching.md). */
export interface Matcher {
  /** The names of the routes that match, in the order they were given. Throws as {@link CompiledCesql.evaluate}. */
  match(event: MeshEvent | PlainEvent): string[];
}

/** Compiles routes at once. Throws FairleadError for a filter or pattern that is refused. */
export function createMatcher(routes: readonly NamedRoute[]): Matcher {
  return named(routes, new IndexedMatcher(routes.map(matched)));
}

/**
 * The same in slices of `sliceMs` (3 ms), between which other work runs: for thousands of routes beside events that must
 * not wait. Rejects as {@link createMatcher} throws, or with the reason of an aborted `signal`.
 */
export async function createMatcherInSlices(
  routes: readonly NamedRoute[],
  options: SliceOptions = {},
): Promise<Matcher> {
  return named(routes, await buildMatcher(routes.map(matched), options));
}

function matched({ filters = [], pattern, continue: goesOn = true }: NamedRoute): MatchedRoute {
  return { from: [0], filters, pattern, continue: goesOn, disabled: false };
}

function named(routes: readonly NamedRoute[], matcher: RouteMatcher): Matcher {
  const names = routes.map(({ name }) => name);
  const out: number[] = [];
  return {
    match(event) {
      const count = matcher.match(eventOf(event), 0, out);
      const found: string[] = [];
      for (let at = 0; at < count; at += 1) found.push(names[out[at] as number] as string);
      return found;
    },
  };
}
