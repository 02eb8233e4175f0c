import type { MeshEvent } from '../../core/event.ts';
import type { RouteMatcher } from '../../core/routing.ts';
import type { MatchedRoute } from '../linear-matcher.ts';
import { type CompiledRoutes, compileRoutes } from './compile.ts';
import { Candidates } from './posting.ts';
import { atOnce, inSlices, type SliceOptions } from './slices.ts';

/** Told the route of every `sql` that failed or gave no Boolean when it was evaluated. */
export type OnFilterError = (route: number) => void;

/**
 * Finds the routes of an event through an index, so that the cost grows with the routes that match, not with those there
 * are. It matches what {@link LinearMatcher} matches. A route that the index rules out is not evaluated, so an expression
 * that would have failed there is not told of.
 */
export class IndexedMatcher implements RouteMatcher {
  readonly #routes: CompiledRoutes;
  readonly #candidates: Candidates;

  /** Compiles at once; {@link buildMatcher} does so in slices. Throws FairleadError for a condition that is refused. */
  constructor(
    routes: readonly MatchedRoute[],
    onFilterError: OnFilterError = () => undefined,
    compiled: CompiledRoutes = atOnce(compileRoutes(routes, onFilterError)),
  ) {
    this.#routes = compiled;
    this.#candidates = new Candidates(routes.length);
  }

  match(event: MeshEvent, source: number, out: number[]): number {
    const compiled = this.#routes;
    const { bySource, last } = compiled;
    const index = bySource[source];
    if (index === undefined) return 0;
    const candidates = this.#candidates;
    candidates.gather(event, index);
    const { numbers, count } = candidates;
    let matched = 0;
    for (let at = 0; at < count; at += 1) {
      const route = numbers[at] as number;
      if (!compiled.matches(route, event)) continue;
      out[matched] = route;
      matched += 1;
      if (last[route] === 1) break;
    }
    return matched;
  }
}

export interface BuildOptions extends SliceOptions {
  readonly onFilterError?: OnFilterError | undefined;
}

/**
 * Builds an {@link IndexedMatcher} in slices of `sliceMs` (3 ms by default), between which `yieldTo` lets other work run
 * (by default the event loop turns once). Rejects with FairleadError for a condition that is refused.
 */
export async function buildMatcher(routes: readonly MatchedRoute[], options: BuildOptions = {}): Promise<RouteMatcher> {
  const { onFilterError = () => undefined } = options;
  const compiled = await inSlices(compileRoutes(routes, onFilterError), options);
  return new IndexedMatcher(routes, onFilterError, compiled);
}
