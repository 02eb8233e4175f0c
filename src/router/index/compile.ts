import type { Filter } from '../../core/routing.ts';
import type { Predicate } from '../filter.ts';
import { compileCondition, type MatchedRoute } from '../linear-matcher.ts';
import type { PatternNode } from '../pattern/ast.ts';
import { FieldReader } from '../pattern/field-reader.ts';
import { parsePattern } from '../pattern/parse.ts';
import { alternativesOf, type Clauses } from './alternatives.ts';
import { buildIndex } from './build.ts';
import { all, type Condition, isDecided } from './condition.ts';
import { Fields } from './fields.ts';
import { filterCondition } from './filter-condition.ts';
import type { Entry } from './groups.ts';
import { patternCondition } from './pattern-condition.ts';
import type { RuleIndex } from './rule-index.ts';
import type { Steps } from './slices.ts';

/** Routes ready to match, by their number. */
export interface CompiledRoutes {
  /** What decides on candidates. Disabled routes are in no index. */
  readonly matches: readonly Predicate[];
  /** 1: a match ends the search. */
  readonly last: Uint8Array;
  /** By number of source; sources with the same routes share an index. */
  readonly bySource: readonly (RuleIndex | undefined)[];
}

/** Routes compiled between two steps. */
const STEP = 16;

/** Compiles conditions and index, in steps. Throws FairleadError for a condition that is refused. */
export function* compileRoutes(
  routes: readonly MatchedRoute[],
  onFilterError: (route: number) => void,
): Steps<CompiledRoutes> {
  const matches: Predicate[] = [];
  const alternatives: (readonly Clauses[])[] = [];
  const fields = new Fields();
  const reader = new FieldReader();
  for (let number = 0; number < routes.length; number += 1) {
    const route = routes[number] as MatchedRoute;
    if (route.disabled) {
      matches.push(never);
      alternatives.push([]);
      continue;
    }
    const pattern = route.pattern === undefined ? undefined : parsePattern(route.pattern);
    const condition = conditionOf(route.filters, pattern);
    const decided = route.only === undefined && isDecided(condition);
    matches.push(decided ? always : compileCondition(route, () => onFilterError(number), reader, pattern));
    alternatives.push(fields.share(alternativesOf(condition)));
    if (number % STEP === 0) yield;
  }
  const bySource: (RuleIndex | undefined)[] = [];
  const built: { routes: readonly number[]; index: RuleIndex }[] = [];
  for (const [source, numbers] of routesBySource(routes)) {
    let same = built.find((one) => isSame(one.routes, numbers));
    if (same === undefined) {
      const entries: Entry[] = [];
      for (const rule of numbers)
        for (const clauses of alternatives[rule] as readonly Clauses[]) entries.push({ rule, clauses });
      same = { routes: numbers, index: yield* buildIndex(entries, reader) };
      built.push(same);
    }
    bySource[source] = same.index;
  }
  return { matches, last: Uint8Array.from(routes, (route) => (route.continue ? 0 : 1)), bySource };
}

function never(): boolean {
  return false;
}

/** Of a rule that is a candidate only if it matches. */
function always(): boolean {
  return true;
}

function conditionOf(filters: readonly Filter[], pattern: PatternNode | undefined): Condition {
  const parts = filters.map(filterCondition);
  if (pattern !== undefined) parts.push(patternCondition(pattern));
  return all(parts);
}

function routesBySource(routes: readonly MatchedRoute[]): ReadonlyMap<number, number[]> {
  const bySource = new Map<number, number[]>();
  routes.forEach((route, number) => {
    if (route.disabled) return;
    for (const source of new Set(route.from)) {
      const numbers = bySource.get(source);
      if (numbers === undefined) bySource.set(source, [number]);
      else numbers.push(number);
    }
  });
  return bySource;
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((number, at) => number === b[at]);
}
