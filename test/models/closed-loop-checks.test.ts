import { expect, test } from 'vitest';
import type { ClosedLoopReport } from '../../src/core/closed-loop.ts';
import { closedLoopChecks } from '../../src/models/closed-loop-checks.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'];

function failed(ratios: readonly number[], change: Partial<ClosedLoopReport> = {}): string[] {
  const families = Object.fromEntries(NAMES.map((name, at) => [name, { modelOff: ratios[at] ?? 1 }]));
  const modelOff = Math.exp(Object.values(families).reduce((sum, one) => sum + Math.log(one.modelOff), 0) / 12);
  const checks = closedLoopChecks({ scenarios: 3, modelOff, families, cpuMs: 1, ...change });
  return checks.filter(({ passed }) => !passed).map(({ name }) => name);
}

test('what chance and unlike targets do to a good model passes', () => {
  expect(failed([1.2, 0.95, 1.08, 0.99])).toEqual([]);
  expect(failed([], { incumbent: 1.03 })).toEqual([]);
});

test('one bad family is enough, and so is a bit of bad everywhere; each that fails is told', () => {
  expect(failed([1.5])).toEqual(["simulated ms per event over the model off's, a"]);
  expect(failed([0.7, 1.45, 0.7, 1.6])).toEqual([
    "simulated ms per event over the model off's, d",
    "simulated ms per event over the model off's, b",
  ]);
  expect(failed(NAMES.map(() => 1.12))).toEqual(["simulated ms per event over the model off's"]);
});

test('better than no model is not enough where another is in force', () => {
  expect(
    failed(
      NAMES.map(() => 0.9),
      { incumbent: 1.12 },
    ),
  ).toEqual(["simulated ms per event over the incumbent's"]);
});

test('fewer scenarios leave more to chance', () => {
  expect(failed([1.3], { scenarios: 1 })).toEqual([]);
  expect(failed([1.3])).toHaveLength(1);
});
