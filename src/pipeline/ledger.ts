import { LegCounters, RouteCounters, SourceCounters } from '../core/counters.ts';

/** What was counted under names that the configuration no longer has. */
export interface Retired {
  readonly legs: LegCounters;
  readonly routes: RouteCounters;
  readonly sources: SourceCounters;
}

/** Names that a configuration counts under. A leg's name is {@link legName}. */
export interface CountedNames {
  readonly legs: ReadonlySet<string>;
  readonly routes: ReadonlySet<string>;
  readonly sources: ReadonlySet<string>;
}

/** The name of the counters of one entry of a route's `to`. */
export function legName(route: string, target: string): string {
  return `${route} → ${target}`;
}

/**
 * Counters by name: a reload finds those of the configuration before it and counts on. What a reload took away is added
 * to one sum as soon as nothing of it is under way, so that the accounting identities hold over the life of the process
 * and no number of reloads makes this grow.
 */
export class Ledger {
  readonly #retired: Retired = noCounts();
  readonly #legs = new Map<string, LegCounters>();
  readonly #routes = new Map<string, RouteCounters>();
  readonly #sources = new Map<string, SourceCounters>();

  leg(route: string, target: string): LegCounters {
    return entry(this.#legs, legName(route, target), () => new LegCounters());
  }

  route(name: string): RouteCounters {
    return entry(this.#routes, name, () => new RouteCounters());
  }

  source(name: string): SourceCounters {
    return entry(this.#sources, name, () => new SourceCounters());
  }

  /** Everything that was counted and is not among the names. */
  sum(names: CountedNames): Retired {
    const sum = noCounts();
    sum.legs.add(this.#retired.legs);
    sum.routes.add(this.#retired.routes);
    sum.sources.add(this.#retired.sources);
    sumMap(this.#legs, names.legs, sum.legs);
    sumMap(this.#routes, names.routes, sum.routes);
    sumMap(this.#sources, names.sources, sum.sources);
    return sum;
  }

  /** Folds what is not among the names and has nothing under way into one sum; the rest waits for the next call. */
  fold(names: CountedNames): void {
    const { legs, routes, sources } = this.#retired;
    foldMap(this.#legs, names.legs, legs, (counters) => counters.pending === 0);
    foldMap(this.#routes, names.routes, routes, () => true);
    foldMap(this.#sources, names.sources, sources, (counters) => counters.inFlight === 0);
  }

  /** True while both identities hold for everything that was ever counted. */
  balanced(): boolean {
    for (const counters of this.#legs.values()) if (!counters.balanced()) return false;
    for (const counters of this.#sources.values()) if (!counters.balanced()) return false;
    return this.#retired.legs.balanced() && this.#retired.sources.balanced();
  }
}

function noCounts(): Retired {
  return { legs: new LegCounters(), routes: new RouteCounters(), sources: new SourceCounters() };
}

interface Counts<T> {
  add(other: T): void;
}

function sumMap<T extends Counts<T>>(map: ReadonlyMap<string, T>, names: ReadonlySet<string>, sum: T): void {
  for (const [name, counters] of map) if (!names.has(name)) sum.add(counters);
}

function entry<T>(map: Map<string, T>, name: string, make: () => T): T {
  let found = map.get(name);
  if (found === undefined) {
    found = make();
    map.set(name, found);
  }
  return found;
}

function foldMap<T extends Counts<T>>(
  map: Map<string, T>,
  names: ReadonlySet<string>,
  sum: T,
  isOver: (counters: T) => boolean,
): void {
  for (const [name, counters] of map) {
    if (names.has(name) || !isOver(counters)) continue;
    sum.add(counters);
    map.delete(name);
  }
}
