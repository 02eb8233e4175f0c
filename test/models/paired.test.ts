import { expect, test } from 'vitest';
import { type Evaluation, evaluate, type Metrics } from '../../src/models/metrics.ts';
import { pairedErrors } from '../../src/models/paired.ts';
import { seeded } from '../setup/seeded.ts';
import { syntheticRows } from './synthetic.ts';

/** Scores that are off by chance, each row's on its own. */
function scoresOf(rows: number, seed: number, bias = 0): Float32Array {
  const random = seeded(seed);
  return Float32Array.from({ length: rows * 3 }, (_, i) => (i % 3 === 2 ? 0.1 + 0.05 * random() : 2 + bias + random()));
}

test('the error is what the difference of two forecasts varies by from one set of rows to another', () => {
  const rows = 900;
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const differences: number[][] = [];
  const errors: number[][] = [];
  for (let seed = 1; seed <= 60; seed += 1) {
    const data = syntheticRows(rows, 6, seed);
    const [own, other] = [scoresOf(rows, 100 + seed), scoresOf(rows, 200 + seed)];
    const name = data.targets[0] as string;
    const found = pairedErrors(data, own, other);
    const [of, than] = [evaluate(data, own), evaluate(data, other)];
    const difference = (part: (of: Evaluation) => Metrics | undefined): number =>
      (part(of)?.logMae ?? Number.NaN) - (part(than)?.logMae ?? Number.NaN);
    differences.push([difference(({ byTarget }) => byTarget[name]), difference(({ overall }) => overall)]);
    errors.push([found.byTarget[name]?.logMae ?? Number.NaN, found.overall.logMae]);
  }
  for (const part of [0, 1]) {
    const deviation = Math.sqrt(mean(differences.map((of) => (of[part] as number) ** 2)));
    const typical = mean(errors.map((of) => of[part] as number));
    expect(typical / deviation).toBeGreaterThan(0.75);
    expect(typical / deviation).toBeLessThan(1.33);
  }
});

test('the same scores differ by nothing, whatever the rows; few rows say nothing', () => {
  const data = syntheticRows(300);
  const scores = scoresOf(300, 1);
  const { overall, byTarget } = pairedErrors(data, scores, scores);
  for (const losses of [overall, ...Object.values(byTarget)])
    expect(losses).toEqual({ logMae: 0, pinball: 0, logLoss: 0 });
  const one = syntheticRows(1);
  expect(pairedErrors(one, scoresOf(1, 1), scoresOf(1, 2)).overall).toEqual({
    logMae: Number.NaN,
    pinball: Number.NaN,
    logLoss: Number.NaN,
  });
});
