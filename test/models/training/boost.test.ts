import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { binBounds, binned, MISSING_BIN } from '../../../src/models/training/bins.ts';
import { BOOST_DEFAULTS, boost } from '../../../src/models/training/boost.ts';
import { logistic, meanLoss, pinball, sigmoid, squared } from '../../../src/models/training/loss.ts';
import { weightedQuantile } from '../../../src/models/training/quantile.ts';
import { addBinned, predict } from '../../../src/models/training/tree.ts';
import { seeded } from '../../setup/seeded.ts';

const COLUMNS = 5;

function curve(rows: number, seed: number) {
  const random = seeded(seed);
  const features = Float32Array.from({ length: rows * COLUMNS }, () => random());
  const labels = Float32Array.from({ length: rows }, (_, row) => {
    const x = (column: number): number => features[row * COLUMNS + column] as number;
    return Math.sin(6 * x(0)) + (x(1) > 0.5 ? 2 * x(2) : -x(3)) + 0.1 * (random() - 0.5);
  });
  return { features, labels, weights: new Float32Array(rows).fill(1) };
}

/** Least squares with an intercept, by coordinate descent. */
function linearFit(data: ReturnType<typeof curve>): (features: Float32Array) => number[] {
  const rows = data.labels.length;
  const slopes = new Float64Array(COLUMNS + 1);
  const value = (features: Float32Array, row: number, j: number): number =>
    j === COLUMNS ? 1 : (features[row * COLUMNS + j] as number);
  const rest = Float64Array.from(data.labels);
  for (let pass = 0; pass < 200; pass += 1) {
    for (let j = 0; j <= COLUMNS; j += 1) {
      let [above, below] = [0, 0];
      for (let row = 0; row < rows; row += 1) {
        above += value(data.features, row, j) * (rest[row] as number);
        below += value(data.features, row, j) ** 2;
      }
      slopes[j] = (slopes[j] as number) + above / below;
      for (let row = 0; row < rows; row += 1)
        rest[row] = (rest[row] as number) - (above / below) * value(data.features, row, j);
    }
  }
  return (features) =>
    Array.from({ length: features.length / COLUMNS }, (_, row) =>
      slopes.reduce((sum, slope, j) => sum + slope * value(features, row, j), 0),
    );
}

describe('boost', () => {
  const train = curve(4_000, 1);
  const test_ = curve(2_000, 2);

  test('beats a constant and a linear fit where the data are not linear', () => {
    const model = boost(train, undefined, COLUMNS, squared, BOOST_DEFAULTS);
    const loss = meanLoss(squared, test_.labels, test_.weights, predict(model, test_.features, COLUMNS));
    const constant = squared.base(train.labels, train.weights);
    const ofConstant = meanLoss(squared, test_.labels, test_.weights, new Array(2_000).fill(constant));
    const ofLinear = meanLoss(squared, test_.labels, test_.weights, linearFit(train)(test_.features));
    expect(loss).toBeLessThan(0.05 * ofConstant);
    expect(loss).toBeLessThan(0.1 * ofLinear);
  });

  test.each([squared, logistic])('$name: every tree lowers the loss of the rows it saw', (loss) => {
    const labels = loss === logistic ? train.labels.map((y) => (y > 1 ? 1 : 0)) : train.labels;
    const losses: number[] = [];
    const options = { ...BOOST_DEFAULTS, subsample: 1 };
    boost({ ...train, labels }, undefined, COLUMNS, loss, options, (progress) => losses.push(progress.trainLoss));
    expect(losses).toHaveLength(60);
    for (const [i, after] of losses.slice(1).entries()) expect(after).toBeLessThanOrEqual(losses[i] as number);
  });

  test('the pinball head covers its quantile, also where the spread differs', () => {
    const random = seeded(4);
    const features = Float32Array.from({ length: 20_000 * COLUMNS }, () => random());
    const labels = Float32Array.from({ length: 20_000 }, (_, row) => random() * (features[row * COLUMNS] as number));
    const model = boost(
      { features, labels, weights: new Float32Array(20_000).fill(1) },
      undefined,
      COLUMNS,
      pinball(0.95),
      BOOST_DEFAULTS,
    );
    const predicted = predict(model, features, COLUMNS);
    for (const [low, high] of [
      [0, 0.5],
      [0.5, 1],
    ] as const) {
      const part = [...labels.keys()].filter((row) => {
        const x = features[row * COLUMNS] as number;
        return x >= low && x < high;
      });
      const covered = part.filter((row) => (labels[row] as number) <= (predicted[row] as number)).length;
      expect(covered / part.length).toBeGreaterThan(0.93);
      expect(covered / part.length).toBeLessThan(0.97);
    }
  });

  test('the same seed gives the same trees, another one others', () => {
    const grow = (seed: number) => boost(train, undefined, COLUMNS, squared, { ...BOOST_DEFAULTS, trees: 5, seed });
    expect(grow(7)).toEqual(grow(7));
    expect(grow(7)).not.toEqual(grow(8));
  });

  test('stops when later rows no longer profit, and keeps the best trees', () => {
    const random = seeded(9);
    const noise = { ...train, labels: train.labels.map(() => random()) };
    const valid = { ...test_, labels: test_.labels.map(() => random()) };
    const losses: number[] = [];
    const model = boost(noise, valid, COLUMNS, squared, { ...BOOST_DEFAULTS, patience: 3 }, (progress) =>
      losses.push(progress.validLoss as number),
    );
    expect(losses.length).toBeLessThan(60);
    expect(model.trees.length).toBeLessThanOrEqual(losses.length - 3);
  });

  test('weights count as so many rows', () => {
    const labels = Float32Array.from([0, 0, 10]);
    const features = new Float32Array(3 * COLUMNS);
    const model = boost({ features, labels, weights: Float32Array.from([1, 1, 2]) }, undefined, COLUMNS, squared, {
      ...BOOST_DEFAULTS,
      subsample: 1,
    });
    expect(predict(model, features, COLUMNS)[0]).toBeCloseTo(5, 5);
  });

  test('missing values take the direction that the rows taught', () => {
    const random = seeded(3);
    const features = new Float32Array(3_000 * COLUMNS);
    const labels = new Float32Array(3_000);
    for (let row = 0; row < 3_000; row += 1) {
      const missing = random() < 0.3;
      const x = random();
      features[row * COLUMNS] = missing ? Number.NaN : x;
      labels[row] = missing || x > 0.7 ? 1 : 0;
    }
    const weights = new Float32Array(3_000).fill(1);
    const model = boost({ features, labels, weights }, undefined, COLUMNS, logistic, BOOST_DEFAULTS);
    const probe = Float32Array.from([Number.NaN, 0, 0, 0, 0, 0.9, 0, 0, 0, 0, 0.2, 0, 0, 0, 0]);
    const [missing, high, low] = [...predict(model, probe, COLUMNS)].map(sigmoid) as [number, number, number];
    expect(missing).toBeGreaterThan(0.95);
    expect(high).toBeGreaterThan(0.95);
    expect(low).toBeLessThan(0.05);
  });
});

test('binned and raw rows reach the same leaves', () => {
  const value = fc.oneof(
    fc.float({ noNaN: false }),
    fc.constantFrom(0, -0, 1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 8, maxLength: 200 }), fc.nat(1000), (values, seed) => {
      const rows = Math.floor(values.length / 2);
      const features = Float32Array.from(values.slice(0, rows * 2));
      const random = seeded(seed);
      const data = {
        features,
        labels: Float32Array.from({ length: rows }, random),
        weights: new Float32Array(rows).fill(1),
      };
      const model = boost(data, undefined, 2, squared, { ...BOOST_DEFAULTS, trees: 3, minLeaf: 1 });
      const bins = binned(features, rows, binBounds(features, rows, 2));
      const sums = new Float32Array(rows);
      for (const tree of model.trees) addBinned(tree, bins, 2, sums);
      expect(sums.map((sum) => sum + model.base)).toEqual(predict(model, features, 2));
      for (const [i, bin] of bins.entries()) expect(bin === MISSING_BIN).toBe(Number.isNaN(features[i] as number));
    }),
  );
});

test('the weighted quantile is that of the sorted rows', () => {
  const pair = fc.tuple(fc.double({ min: -50, max: 50, noNaN: true }), fc.integer({ min: 1, max: 5 }));
  fc.assert(
    fc.property(fc.array(pair, { minLength: 1, maxLength: 60 }), fc.constantFrom(0.05, 0.5, 0.95), (pairs, q) => {
      const rows = Uint32Array.from(pairs.keys());
      const values = Float64Array.from(pairs, ([value]) => value);
      const weights = Float32Array.from(pairs, ([, weight]) => weight);
      const sorted = [...pairs].sort(([a], [b]) => a - b);
      const wanted = q * sorted.reduce((sum, [, weight]) => sum + weight, 0);
      let seen = 0;
      const exact = sorted.find(([, weight]) => {
        seen += weight;
        return seen >= wanted - 1e-9;
      })?.[0] as number;
      const found = weightedQuantile(rows, values, weights, q);
      const range = (sorted.at(-1)?.[0] as number) - (sorted[0]?.[0] as number);
      expect(Math.abs(found - exact)).toBeLessThanOrEqual(range / 100_000 + 1e-9);
    }),
    // A value that rounding puts on the other side of a cell's bound.
    {
      examples: [
        [
          [
            [0, 1],
            [-49.99999999999995, 1],
            [0, 2],
            [49.99999999999995, 1],
            [-5e-324, 3],
            [0, 3],
            [0, 4],
            [0, 5],
          ],
          0.95,
        ],
      ],
    },
  );
});
