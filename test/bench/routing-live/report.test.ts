import { expect, test } from 'vitest';
import type { Figures } from '../../../bench/routing-live/figures.ts';
import { estimate, type Outcome, reportOf, verdictsOf } from '../../../bench/routing-live/report.ts';

const FIGURES: Figures = {
  events: 1_000,
  failed: 5,
  p50: 12,
  p99: 100,
  p99Of: { 'slow-down': 90, 'brown-out': 120, 'black hole': 1_020 },
  unkeyedMs: 400,
  keyedMs: 1_100,
  throughputMs: 1_300,
  againMs: 900,
  lost: 0,
  duplicates: 3,
};

const outcome = (by: Outcome['by'], repetition: number, over: Partial<Figures> = {}): Outcome => {
  return { by, repetition, hit: 'kafka', figures: { ...FIGURES, ...over } };
};

test('an estimate is the median, with the range of a few values and the interval of many', () => {
  expect(estimate([3, 1, 2])).toEqual({ value: 2, low: 1, high: 3 });
  const many = estimate(Array.from({ length: 50 }, (_, n) => n));
  expect(many.value).toBe(24.5);
  expect(many.low).toBeGreaterThan(10);
  expect(many.high).toBeLessThan(40);
  expect(estimate([1, Infinity, Infinity, Infinity]).value).toBe(Infinity);
});

test('bounds hold for our policies only, by the median', () => {
  const outcomes = [
    outcome('round-robin', 0, { unkeyedMs: Infinity }),
    outcome('adaptive', 0),
    outcome('adaptive', 1, { unkeyedMs: 1_200 }),
    outcome('adaptive', 2),
  ];
  expect(verdictsOf(outcomes).map(({ value, atMost }) => [value, atMost])).toEqual([
    [400, 1_000],
    [1_100, 2_000],
    [1_300, 5_000],
  ]);
});

test('the report has a column for each policy and compares with the base of the same repetition', () => {
  const outcomes = [
    outcome('p2c-ewma', 0, { p99: 200 }),
    outcome('adaptive', 0, { unkeyedMs: Infinity }),
    outcome('p2c-ewma', 1),
    outcome('adaptive', 1, { p99: 60, unkeyedMs: Infinity }),
  ];
  const text = reportOf(outcomes, verdictsOf(outcomes));
  expect(text).toMatch(/^ +p2c-ewma +adaptive$/m);
  expect(text).toMatch(/^p99 ÷ p2c-ewma +1\.00 \[1\.00, 1\.00\] +0\.55 \[0\.50, 0\.60\]$/m);
  expect(text).toMatch(/^failed % +0\.500 \[0\.500, 0\.500\]/m);
  expect(text).toContain('DOES NOT HOLD  adaptive: unkeyed events leave a black hole: never ms');
});
