import { expect, test } from 'vitest';
import { quantile, summaryLine, summaryTable, type Totals } from '../../src/cli/summary.ts';
import { paint, printable, table } from '../../src/cli/terminal.ts';
import { LATENCY_BOUNDS_MS, LegCounters } from '../../src/core/counters.ts';

function latency(...observed: number[]): number[] {
  const counters = new LegCounters();
  for (const ms of observed) counters.observe(ms);
  return counters.latency;
}

function totals(received: number, confirmed: number, observed: readonly number[]): Totals {
  const leg = { route: 'r', target: 't', confirmed, pending: 1, latency: latency(...observed) };
  return { received, inFlight: 2, deadLettered: 3, legs: [leg] };
}

test('quantiles lie within their bucket', () => {
  expect(quantile(latency(), 0.5)).toBeUndefined();
  expect(quantile(latency(3, 3, 3, 3), 0.5)).toBe(3.5); // the middle of (2, 5]
  expect(quantile(latency(...new Array(98).fill(0.5), 40, 40), 0.99)).toBe(35); // half of (20, 50]
  expect(quantile(latency(1e9), 0.5)).toBe(LATENCY_BOUNDS_MS.at(-1));
});

test('a line tells what happened since the last one', () => {
  const before = totals(100, 90, [1_000]);
  const line = summaryLine(before, totals(300, 95, [1_000, 3, 3]), 2);
  expect(line).toBe('in 100/s   out 2.5/s   in flight 2   dead letters 3   p50 ~3.5 ms   p99 ~5.0 ms');
  expect(summaryLine(before, before, 1)).toMatch(/p50 –/);
  expect(summaryTable(before, totals(300, 95, [1_000, 3]), 2)).toMatch(/^r +t +2\.5\/s +95 +1 +~3\.5 ms +~5\.0 ms$/m);
});

test('text from outside cannot steer a terminal', () => {
  expect(printable('a\u001b[31m\n\u202eb\u0085')).toBe('a\\u001b[31m\\u000a\\u202eb\\u0085');
  expect(printable('grün 😀')).toBe('grün 😀');
});

test('tables align; colours only on terminals that want them', () => {
  expect(
    table(
      [
        ['A', 'N'],
        ['long', '7'],
      ],
      [1],
    ),
  ).toBe('A     N\nlong  7\n');
  expect(paint({ isTTY: true }, {}).good('x')).toBe('\u001b[32mx\u001b[0m');
  expect(paint({ isTTY: true }, { NO_COLOR: '1' }).good('x')).toBe('x');
  expect(paint({ isTTY: false }, {}).good('x')).toBe('x');
});
