import { expect, it } from 'vitest';
import { ratio } from '../../../bench/routing/compare.ts';
import type { Outcome } from '../../../bench/routing/evaluate.ts';
import type { Policy } from '../../../bench/routing/policies.ts';
import { holds, verdictsOf } from '../../../bench/routing/verdicts.ts';
import type { Figures } from '../../../src/simulation/figures.ts';

const policy = (by: Policy['by'], capacities: Policy['capacities'] = 'undeclared', gateways = 1): Policy => ({
  by,
  capacities,
  gateways,
});

function outcome(of: Policy, family: string, seed: number, j: number, failed = 0): Outcome {
  const figures = { j, p99Ms: j, failed } as Figures;
  return { policy: of, family, heldOut: family === 'antagonist', seed, figures };
}

it('compares seed by seed, so that hard seeds do not count for more', () => {
  const outcomes = [1, 2, 3, 4].flatMap((seed) => [
    outcome(policy('p2c-ewma'), 'steady', seed, 10 ** seed),
    outcome(policy('adaptive'), 'steady', seed, 10 ** seed / 2),
  ]);
  const estimate = ratio(outcomes, policy('adaptive'), policy('p2c-ewma'), 'j', () => true);
  expect(estimate?.value).toBeCloseTo(0.5);
  expect(estimate?.low).toBeCloseTo(0.5);
  expect(estimate?.high).toBeCloseTo(0.5);
});

it('has intervals that widen with the seeds', () => {
  const outcomes = Array.from({ length: 20 }, (_, seed) => [
    outcome(policy('p2c-ewma'), 'steady', seed, 1),
    outcome(policy('adaptive'), 'steady', seed, seed % 2 === 0 ? 0.5 : 2),
  ]).flat();
  const estimate = ratio(outcomes, policy('adaptive'), policy('p2c-ewma'), 'j', () => true);
  expect(estimate?.value).toBeCloseTo(1);
  expect(estimate?.low).toBeLessThan(0.85);
  expect(estimate?.high).toBeGreaterThan(1.15);
});

it('sums failures over the seeds of a family', () => {
  const outcomes = [0, 9].flatMap((failed, seed) => [
    outcome(policy('p2c-ewma'), 'slow', seed, 1, failed * 11),
    outcome(policy('adaptive'), 'slow', seed, 1, failed),
  ]);
  const estimate = ratio(outcomes, policy('adaptive'), policy('p2c-ewma'), 'failed', () => true);
  expect(estimate?.value).toBeCloseTo(0.1);
});

it('judges goals about the model only with the model', () => {
  const outcomes = [1, 2].flatMap((seed) =>
    ['steady', 'antagonist'].flatMap((family) => [
      outcome(policy('p2c-ewma'), family, seed, 10),
      outcome(policy('adaptive'), family, seed, 7),
    ]),
  );
  const first = (from: readonly Outcome[]) => verdictsOf(from)[0] as ReturnType<typeof verdictsOf>[number];
  expect(holds(first(outcomes))).toBeUndefined();
  expect(first(outcomes).withoutModel?.value).toBeCloseTo(0.7);
  const withModel = [
    ...outcomes,
    ...[1, 2].map((seed) => outcome(policy('predictive'), 'antagonist', seed, 7.9)),
    ...[1, 2].map((seed) => outcome(policy('predictive'), 'steady', seed, 1)),
  ];
  expect(holds(first(withModel))).toBe(true);
  expect(first(withModel).value?.value).toBeCloseTo(0.79);
});
