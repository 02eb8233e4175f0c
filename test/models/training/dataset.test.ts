import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ewmaScores } from '../../../src/models/baseline.ts';
import type { Dataset } from '../../../src/models/training/dataset.ts';
import { sortByTime, splitByTime } from '../../../src/models/training/dataset.ts';
import { syntheticRows } from '../synthetic.ts';

/** Rows of one feature, sent at these times; each takes 10 ms and its feature is its place in the list. */
function rowsAt(times: readonly number[]): Dataset {
  const at = Float64Array.from(times);
  const rows = times.length;
  return {
    rows,
    columns: 1,
    features: Float32Array.from(times.keys()),
    logMs: Float32Array.from(times, () => Math.log(10)),
    failed: new Float32Array(rows),
    weight: new Float32Array(rows).fill(1),
    target: new Int32Array(rows),
    targets: ['a'],
    at,
    known: at.map((ms) => ms + 10),
  };
}

test('a split goes forward in time, and leaves a gap', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 10, maxLength: 200 }),
      fc.integer({ min: 1, max: 500 }),
      (times, gap) => {
        const data = sortByTime(rowsAt(times));
        const { train, valid, test: last, testFrom } = splitByTime(data, { valid: 0.2, test: 0.3 }, gap);
        expect([...data.at]).toEqual([...times].sort((a, b) => a - b));
        for (const [i, place] of data.features.entries()) expect(data.at[i]).toBe(times[place]);
        expect(last.rows).toBe(data.rows - testFrom);
        for (const [before, after] of [
          [train, valid],
          [valid, last],
        ] as const) {
          if (before.rows > 0 && after.rows > 0)
            expect(before.at.at(-1)).toBeLessThanOrEqual((after.at[0] as number) - gap);
        }
      },
    ),
  );
});

test('the averages know only what was over by the time of the row', () => {
  const data = rowsAt([0, 5, 20, 1_000, 1_000]);
  data.logMs.set([1, 2, 3, 4, 5]);
  data.known.set([100, 110, 990, 1_010, 2_000]);
  const mean = (row: number): number => ewmaScores(data, 1e9)[row * 3] as number;
  expect([mean(0), mean(1), mean(2)]).toEqual([0, 0, 0]);
  // the third row was over at 990; the last two are not over at 1,000
  expect(mean(3)).toBeCloseTo(2, 5);
  expect(mean(4)).toBeCloseTo(2, 5);
});

test('the averages follow each target, and begin with all of them', () => {
  const data = { ...syntheticRows(300), targets: ['a', 'b', 'c'] };
  for (let row = 0; row < data.rows; row += 1) data.logMs[row] = (data.target[row] as number) + 1;
  data.failed.fill(0);
  const scores = ewmaScores(data, 30_000);
  for (let row = 30; row < data.rows; row += 1) {
    expect(scores[row * 3]).toBeCloseTo((data.target[row] as number) + 1, 4);
    expect(scores[row * 3 + 1]).toBeCloseTo((data.target[row] as number) + 1, 2);
    expect(scores[row * 3 + 2]).toBeLessThan(0.01);
  }
});
