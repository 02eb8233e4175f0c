import type { MeshEvent } from '../../core/event.ts';
import type { Filter } from '../../core/routing.ts';
import { compileFilters, type Predicate } from '../filter.ts';
import { compileCondition, type MatchedRoute } from '../linear-matcher.ts';
import type { PatternNode } from '../pattern/ast.ts';
import { FieldReader } from '../pattern/field-reader.ts';
import { parsePattern } from '../pattern/parse.ts';
import { alternativesOf, type Clauses } from './alternatives.ts';
import { buildIndex } from './build.ts';
import { all, type Condition, isDecided } from './condition.ts';
import { Conjunctions, decisiveTerms } from './conjunctions.ts';
import { Fields } from './fields.ts';
import { filterCondition } from './filter-condition.ts';
import type { Entry } from './groups.ts';
import { patternCondition } from './pattern-condition.ts';
import type { RuleIndex } from './rule-index.ts';
import type { Steps } from './slices.ts';

/** Routes ready to match, by their number. */
export interface CompiledRoutes {
  /** Decides on a candidate. */
  matches(route: number, event: MeshEvent): boolean;
  /** 1: a match ends the search. */
  readonly last: Uint8Array;
  /** By number of source; sources with the same routes share an index. Disabled routes are in none. */
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
  const predicates = new Array<Predicate | undefined>(routes.length).fill(undefined);
  const alternatives: (readonly Clauses[])[] = [];
  const fields = new Fields();
  const reader = new FieldReader();
  const last = new Uint8Array(routes.length);
  const conjunctions = new Conjunctions(routes.length, reader);
  for (let number = 0; number < routes.length; number += 1) {
    const route = routes[number] as MatchedRoute;
    if (route.disabled) {
      alternatives.push([]);
      continue;
    }
    last[number] = route.continue ? 0 : 1;
    const pattern = route.pattern === undefined ? undefined : parsePattern(route.pattern);
    const condition = conditionOf(route.filters, pattern);
    const terms = route.only === undefined ? decisiveTerms(condition) : undefined;
    if (route.only === undefined && isDecided(condition)) predicates[number] = always;
    else if (terms !== undefined) conjunctions.set(number, terms);
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
  conjunctions.seal();
  const matches = (number: number, event: MeshEvent): boolean => {
    const made = predicates[number];
    if (made !== undefined) return made(event);
    const verdict = conjunctions.has(number) ? conjunctions.test(number, event) : undefined;
    if (verdict !== undefined) return verdict;
    // A candidate for the first time: of many rules most never are, and all of their closures would take much memory.
    const predicate = compileCondition(routes[number] as MatchedRoute, () => onFilterError(number), reader);
    predicates[number] = predicate;
    return predicate(event);
  };
  return { matches, last, bySource };
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
