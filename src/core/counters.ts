import type { DecisionBy } from './selector.ts';

/** Upper bounds of the delivery latency histogram, in milliseconds; the last bucket is +Inf. */
export const LATENCY_BOUNDS_MS: readonly number[] = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000,
];

/** Plain counters of one source, bumped in place on the hot path and read by metrics and the live summary. */
export class SourceCounters {
  received = 0;
  acknowledged = 0;
  returned = 0;
  rejected = 0;
  /** Counted on its own, not derived, so that the accounting identity can fail. */
  inFlight = 0;
  inFlightBytes = 0;
  poison = 0;
  unmatched = 0;

  /** Adds another's counts to these. */
  add(other: SourceCounters): void {
    this.received += other.received;
    this.acknowledged += other.acknowledged;
    this.returned += other.returned;
    this.rejected += other.rejected;
    this.inFlight += other.inFlight;
    this.inFlightBytes += other.inFlightBytes;
    this.poison += other.poison;
    this.unmatched += other.unmatched;
  }

  /** `received = acknowledged + returned + rejected + in-flight`. */
  balanced(): boolean {
    return this.received === this.acknowledged + this.returned + this.rejected + this.inFlight;
  }
}

/** Plain counters of one route as a whole. */
export class RouteCounters {
  /** How often a `sql` filter failed (a missing attribute, a cast, …) or gave no Boolean: no match. */
  filterErrors = 0;

  add(other: RouteCounters): void {
    this.filterErrors += other.filterErrors;
  }
}

/** Plain counters of one (route, entry of `to`). */
export class LegCounters {
  planned = 0;
  confirmed = 0;
  deadLettered = 0;
  dropped = 0;
  spooled = 0;
  /** Not sent any more because the delivery went back to its broker, from where it comes again. */
  returned = 0;
  /** Counted on its own, not derived. */
  pending = 0;
  retries = 0;
  unknown = 0;
  latencySumMs = 0;
  /** One more than {@link LATENCY_BOUNDS_MS}. */
  readonly latency: number[] = new Array(LATENCY_BOUNDS_MS.length + 1).fill(0);

  /** Adds another's counts to these. */
  add(other: LegCounters): void {
    this.planned += other.planned;
    this.confirmed += other.confirmed;
    this.deadLettered += other.deadLettered;
    this.dropped += other.dropped;
    this.spooled += other.spooled;
    this.returned += other.returned;
    this.pending += other.pending;
    this.retries += other.retries;
    this.unknown += other.unknown;
    this.latencySumMs += other.latencySumMs;
    for (const [bucket, count] of other.latency.entries())
      this.latency[bucket] = (this.latency[bucket] as number) + count;
  }

  /** `planned = confirmed + dead-lettered + dropped + spooled + returned + pending`. */
  balanced(): boolean {
    const ended = this.confirmed + this.deadLettered + this.dropped + this.spooled + this.returned;
    return this.planned === ended + this.pending;
  }

  observe(ms: number): void {
    this.latencySumMs += ms;
    let bucket = 0;
    while (bucket < LATENCY_BOUNDS_MS.length && ms > (LATENCY_BOUNDS_MS[bucket] as number)) bucket += 1;
    this.latency[bucket] = (this.latency[bucket] as number) + 1;
  }
}

/** Attempts that a choice gave to one of its targets. `chosen = confirmed + failed + recalled + under way`. */
export class CandidateCounters {
  chosen = 0;
  confirmed = 0;
  /** Without a confirmation, for whatever reason. */
  failed = 0;
  /** Taken back before they were sent. */
  recalled = 0;
  /** Of `chosen`: to learn something, not because it seemed best. */
  explored = 0;
}

/** How often a choice decided, by what decided. */
export type DecisionCounters = Record<Exclude<DecisionBy, 'none'>, number>;
