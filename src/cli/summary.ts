import { LATENCY_BOUNDS_MS, type LegCounters } from '../core/counters.ts';
import type { GatewayStatus } from '../status.ts';
import { table } from './terminal.ts';

/** Counters of one moment, to be compared with another. */
export interface Totals {
  readonly received: number;
  readonly inFlight: number;
  readonly deadLettered: number;
  readonly legs: readonly LegTotals[];
}

export interface LegTotals {
  readonly route: string;
  readonly target: string;
  readonly confirmed: number;
  readonly pending: number;
  readonly latency: readonly number[];
}

export function totalsOf(status: GatewayStatus): Totals {
  const legs = status.routes.flatMap((route) => route.legs.map((leg) => ({ route: route.name, ...leg })));
  const all: LegCounters[] = [...legs.map(({ counters }) => counters), status.aside.poison, status.aside.unmatched];
  return {
    received: sum(status.sources.map(({ counters }) => counters.received)),
    inFlight: sum(status.sources.map(({ counters }) => counters.inFlight)),
    deadLettered: sum(all.map(({ deadLettered }) => deadLettered)),
    legs: legs.map(({ route, target, counters: { confirmed, pending, latency } }) => {
      return { route, target, confirmed, pending, latency: [...latency] };
    }),
  };
}

/** One line: what happened between two moments. */
export function summaryLine(before: Totals, after: Totals, seconds: number): string {
  const latency = difference(
    before.legs.map((leg) => leg.latency),
    after.legs.map((leg) => leg.latency),
  );
  const confirmed = sum(after.legs.map((leg) => leg.confirmed)) - sum(before.legs.map((leg) => leg.confirmed));
  return [
    `in ${rate(after.received - before.received, seconds)}`,
    `out ${rate(confirmed, seconds)}`,
    `in flight ${after.inFlight}`,
    `dead letters ${after.deadLettered}`,
    `p50 ${ms(quantile(latency, 0.5))}`,
    `p99 ${ms(quantile(latency, 0.99))}`,
  ].join('   ');
}

/** A table of the legs between two moments. */
export function summaryTable(before: Totals, after: Totals, seconds: number): string {
  const rows = after.legs.map((leg, i) => {
    const then = before.legs[i] as LegTotals;
    const latency = difference([then.latency], [leg.latency]);
    return [
      leg.route,
      leg.target,
      rate(leg.confirmed - then.confirmed, seconds),
      String(leg.confirmed),
      String(leg.pending),
      ms(quantile(latency, 0.5)),
      ms(quantile(latency, 0.99)),
    ];
  });
  return table([['ROUTE', 'TARGET', 'RATE', 'CONFIRMED', 'PENDING', 'P50', 'P99'], ...rows], [2, 3, 4, 5, 6]);
}

/**
 * Approximate quantile in milliseconds of a histogram with {@link LATENCY_BOUNDS_MS}, linear within its bucket; undefined
 * where nothing was observed. Beyond the last bound it is that bound.
 */
export function quantile(histogram: readonly number[], q: number): number | undefined {
  const total = sum(histogram);
  if (total === 0) return undefined;
  let left = q * total;
  for (const [i, count] of histogram.entries()) {
    const upper = LATENCY_BOUNDS_MS[i];
    if (upper === undefined) break;
    if (left <= count && count > 0) {
      const lower = LATENCY_BOUNDS_MS[i - 1] ?? 0;
      return lower + ((upper - lower) * left) / count;
    }
    left -= count;
  }
  return LATENCY_BOUNDS_MS.at(-1);
}

/** The histogram of what happened between two moments, over several legs. */
function difference(before: readonly (readonly number[])[], after: readonly (readonly number[])[]): readonly number[] {
  return Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, (_, i) => {
    return sum(after.map((leg) => leg[i] ?? 0)) - sum(before.map((leg) => leg[i] ?? 0));
  });
}

function rate(count: number, seconds: number): string {
  return `${(count / seconds).toFixed(count / seconds < 10 ? 1 : 0)}/s`;
}

function ms(value: number | undefined): string {
  return value === undefined ? '–' : `~${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
