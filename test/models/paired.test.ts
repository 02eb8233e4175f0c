import { expect, test } from 'vitest';
import { evaluate } from '../../src/models/metrics.ts';
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
  const differences: number[] = [];
  const errors: number[] = [];
  for (let seed = 1; seed <= 60; seed += 1) {
    const data = syntheticRows(rows, 6, seed);
    const [own, other] = [scoresOf(rows, 100 + seed), scoresOf(rows, 200 + seed)];
    const name = data.targets[0] as string;
    const of = (scores: Float32Array): number => evaluate(data, scores).byTarget[name]?.logMae as number;
    differences.push(of(own) - of(other));
    errors.push(pairedErrors(data, own, other)[name]?.logMae as number);
  }
  const deviation = Math.sqrt(differences.reduce((sum, value) => sum + value * value, 0) / differences.length);
  const typical = errors.reduce((sum, value) => sum + value, 0) / errors.length;
  expect(typical / deviation).toBeGreaterThan(0.75);
  expect(typical / deviation).toBeLessThan(1.33);
});

test('the same scores differ by nothing, whatever the rows; few rows say nothing', () => {
  const data = syntheticRows(300);
  const scores = scoresOf(300, 1);
  for (const losses of Object.values(pairedErrors(data, scores, scores)))
    expect(losses).toEqual({ logMae: 0, pinball: 0, logLoss: 0 });
  const one = syntheticRows(1);
  const [only] = Object.values(pairedErrors(one, scoresOf(1, 1), scoresOf(1, 2)));
  expect(only).toEqual({ logMae: Number.NaN, pinball: Number.NaN, logLoss: Number.NaN });
});
