import { expect, test } from 'vitest';
import { FEATURE_COUNT, FEATURES, scaled } from '../../src/models/features.ts';
import { Latch, outOfRange, shareOutOfRange } from '../../src/models/rails.ts';

const row = (raw: (column: number) => number): Float32Array =>
  Float32Array.from(FEATURES, (_, column) => scaled(column, raw(column)));

test('what is not known, what is usual and what is nothing at all are in range', () => {
  expect(
    outOfRange(
      row(() => Number.NaN),
      0,
    ),
  ).toBe(false);
  expect(
    outOfRange(
      row(() => 0),
      0,
    ),
  ).toBe(false);
  expect(
    outOfRange(
      row(() => 12),
      0,
    ),
  ).toBe(false);
});

test('a row is out of range once many of its values were cut', () => {
  expect(
    outOfRange(
      row(() => 1e12),
      0,
    ),
  ).toBe(true);
  // One that is: an idle target.
  expect(
    outOfRange(
      row((column) => (FEATURES[column]?.name === 'since_last_ack' ? 1e9 : 5)),
      0,
    ),
  ).toBe(false);
});

test('targets are told by the first of their rows', () => {
  const features = new Float32Array(4 * 2 * FEATURE_COUNT);
  features.set(
    row(() => 1e12),
    2 * FEATURE_COUNT,
  );
  expect(shareOutOfRange(features, 4, 2)).toBe(0.25);
});

test('a latch goes on when something has held for most for a while, and off when for few', () => {
  const latch = new Latch();
  const steps: [at: number, share: number, on: boolean][] = [
    [0, 0.6, false],
    [1_000, 0.4, false], // it has not lasted
    [1_020, 0.6, false],
    [3_000, 0.6, false],
    [3_020, 0.6, true],
    [3_040, 0.4, true],
    [10_000, 0.3, true],
    [10_020, 0, true],
    [11_000, Number.NaN, true],
    [11_020, 0, true],
    [13_020, 0, false],
  ];
  for (const [at, share, on] of steps) {
    latch.set(at, share);
    expect([at, latch.on]).toEqual([at, on]);
  }
});
