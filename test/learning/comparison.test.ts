import { expect, test } from 'vitest';
import { compare } from '../../src/learning/comparison.ts';

test('bounds of a difference as tables of Student have them', () => {
  // Means 2 and 5, variances 2 and 2 of four each: the error is 1, six degrees, t = 1.943 and 3.143.
  const first = [2 - Math.sqrt(1.5), 2 - Math.sqrt(1.5), 2 + Math.sqrt(1.5), 2 + Math.sqrt(1.5)];
  const second = first.map((value) => value + 3);
  const found = compare(first, second);
  expect(found?.difference).toBeCloseTo(3);
  expect(found?.upper).toBeCloseTo(3 + 1.943, 2);
  expect(found?.lower).toBeCloseTo(3 - 3.143, 1);
});

test('samples without spread, and samples that are too small', () => {
  expect(compare([1, 1], [2, 2])).toEqual({ difference: 1, lower: 1, upper: 1 });
  expect(compare([1], [2, 3])).toBeUndefined();
});
