import type { Filter } from '../../core/routing.ts';
import { compileFilters, type Predicate } from '../filter.ts';
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
  /** What decides on candidates; where there is nothing yet, {@link compile} makes it. */
  readonly matches: readonly (Predicate | undefined)[];
  /** The condition of a route that is a candidate for the first time: most of many rules never are. */
  compile(route: number): Predicate;
  /** 1: a match ends the search. */
  readonly last: Uint8Array;
  /** By number of source; sources with the same routes share an index. */
  readonly bySource: readonly (RuleIndex | undefined)[];
}

/** Routes compiled between two steps. */
const STEP = 16;
/** Routes put into lists between two steps. */
const ENTRIES = 1_024;

/** Compiles conditions and index, in steps. Throws FairleadError for a condition that is refused. */
export function* compileRoutes(
  routes: readonly MatchedRoute[],
  onFilterError: (route: number) => void,
): Steps<CompiledRoutes> {
  const matches = new Array<Predicate | undefined>(routes.length).fill(undefined);
  const alternatives: (readonly Clauses[])[] = [];
  const fields = new Fields();
  const reader = new FieldReader();
  const last = new Uint8Array(routes.length);
  const compile = (number: number): Predicate => {
    const predicate = compileCondition(routes[number] as MatchedRoute, () => onFilterError(number), reader);
    matches[number] = predicate;
    return predicate;
  };
  for (let number = 0; number < routes.length; number += 1) {
    const route = routes[number] as MatchedRoute;
    if (route.disabled) {
      alternatives.push([]);
      continue;
    }
    last[number] = route.continue ? 0 : 1;
    const pattern = route.pattern === undefined ? undefined : parsePattern(route.pattern);
    const condition = conditionOf(route.filters, pattern);
    if (route.only === undefined && isDecided(condition)) matches[number] = always;
    else if (route.filters.some(hasSql)) compileFilters(route.filters); // it may be refused
    alternatives.push(fields.share(alternativesOf(condition)));
    if (number % STEP === 0) yield;
  }
  const bySource: (RuleIndex | undefined)[] = [];
  const built: { routes: readonly number[]; index: RuleIndex }[] = [];
  for (const [source, numbers] of yield* routesBySource(routes)) {
    let same = built.find((one) => isSame(one.routes, numbers));
    if (same === undefined) {
      const entries: Entry[] = [];
      for (const rule of numbers) {
        for (const clauses of alternatives[rule] as readonly Clauses[]) entries.push({ rule, clauses });
        if (entries.length % ENTRIES === 0) yield;
      }
      same = { routes: numbers, index: yield* buildIndex(entries, reader) };
      built.push(same);
    }
    bySource[source] = same.index;
  }
  return { matches, compile, last, bySource };
}

/** Whether there is an expression in it. */
function hasSql({ sql, all: every = [], any = [], not }: Filter): boolean {
  return sql !== undefined || every.some(hasSql) || any.some(hasSql) || (not !== undefined && hasSql(not));
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

function* routesBySource(routes: readonly MatchedRoute[]): Steps<ReadonlyMap<number, number[]>> {
  const bySource = new Map<number, number[]>();
  for (let number = 0; number < routes.length; number += 1) {
    const { from, disabled } = routes[number] as MatchedRoute;
    for (const source of disabled ? [] : from) {
      const numbers = bySource.get(source);
      if (numbers === undefined) bySource.set(source, [number]);
      else if (numbers.at(-1) !== number) numbers.push(number); // else the route names it twice
    }
    if (number % ENTRIES === 0) yield;
  }
  return bySource;
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((number, at) => number === b[at]);
}
