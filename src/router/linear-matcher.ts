import type { MeshEvent } from '../core/event.ts';
import type { Filter, Pattern, RouteMatcher } from '../core/routing.ts';
import { allOf, compileFilters, type Predicate } from './filter.ts';
import type { PatternNode } from './pattern/ast.ts';
import { patternPredicate } from './pattern/compile.ts';
import { FieldReader } from './pattern/field-reader.ts';
import { parsePattern } from './pattern/parse.ts';

/** A route as matchers see it; its number is its place in the list. */
export interface MatchedRoute {
  /** Numbers of the sources it reads. */
  readonly from: readonly number[];
  readonly filters: readonly Filter[];
  /** Must match too, where there is one. */
  readonly pattern?: Pattern | undefined;
  /** False: a match ends the search. */
  readonly continue: boolean;
  /** True: never matches. */
  readonly disabled: boolean;
  /** A further condition, which may be about the moment and not the event: looked at last, when all others hold. */
  readonly only?: Predicate | undefined;
}

/**
 * The whole condition of a route. The filters are asked first, since they need no body; bodies are read by `reader`, and
 * `parsed` is the pattern where it has been read already. Throws FairleadError.
 */
export function compileCondition(
  { filters, pattern, only }: MatchedRoute,
  onFilterError: () => void,
  reader: FieldReader = new FieldReader(),
  parsed: PatternNode | undefined = pattern === undefined ? undefined : parsePattern(pattern),
): Predicate {
  const parts: Predicate[] = filters.length === 0 ? [] : [compileFilters(filters, onFilterError)];
  if (parsed !== undefined) parts.push(patternPredicate(parsed, reader));
  if (only !== undefined) parts.push(only);
  return allOf(parts);
}

interface Candidate {
  readonly number: number;
  readonly matches: Predicate;
  readonly last: boolean;
}

/** Tries the routes of a source one after the other: the oracle for, and the simplest of, the matchers. */
export class LinearMatcher implements RouteMatcher {
  readonly #bySource: Candidate[][] = [];

  /** `onFilterError` is told the route of every `sql` that failed or gave no Boolean. */
  constructor(routes: readonly MatchedRoute[], onFilterError: (route: number) => void = () => undefined) {
    const reader = new FieldReader();
    routes.forEach((route, number) => {
      if (route.disabled) return;
      const candidate = {
        number,
        matches: compileCondition(route, () => onFilterError(number), reader),
        last: !route.continue,
      };
      for (const source of new Set(route.from)) {
        this.#bySource[source] ??= [];
        this.#bySource[source].push(candidate);
      }
    });
  }

  match(event: MeshEvent, source: number, out: number[]): number {
    const candidates = this.#bySource[source];
    if (candidates === undefined) return 0;
    let count = 0;
    for (const candidate of candidates) {
      if (!candidate.matches(event)) continue;
      out[count] = candidate.number;
      count += 1;
      if (candidate.last) break;
    }
    return count;
  }
}
