import { expect, it } from 'vitest';
import { runPolicy } from '../../../bench/routing/model.ts';
import type { Policy } from '../../../bench/routing/policies.ts';
import { EXPECTED, FEATURE_COUNT, FEATURES } from '../../../src/models/features.ts';
import { figuresOf } from '../../../src/simulation/figures.ts';
import { followed } from '../../../src/simulation/sim-model.ts';
import { FAMILIES, LENGTH, worldOf } from '../../../src/simulation/world/families.ts';

const COLUMN = FEATURES.findIndex(({ name }) => name === EXPECTED);
const adaptive: Policy = { by: 'adaptive', capacities: 'undeclared', gateways: 1 };
const predictive: Policy = { ...adaptive, by: 'predictive' };

const worlds = ['steady', 'slow', 'periodic'].flatMap((name) => {
  const family = FAMILIES.find((one) => one.name === name);
  if (family === undefined) throw new Error(`no family ${name}`);
  return [101, 102].map((seed) => worldOf(family, seed, LENGTH));
});
const without = Promise.all(worlds.map(async (world) => figuresOf(await runPolicy(world, adaptive, undefined)).j));

/** A model that makes something else of what averages expect. */
function model(ms: (expected: number, row: number) => number, failure: number): ReturnType<typeof followed> {
  return followed({
    sha: 'bad',
    score(features, rows) {
      const scores = new Float32Array(rows * 3);
      for (let row = 0; row < rows; row += 1) {
        const expected = Math.max(0.1, Math.expm1(features[row * FEATURE_COUNT + COLUMN] as number));
        const mean = ms(expected, row);
        scores.set([Math.log(mean), Math.log(1.5 * mean), failure], row * 3);
      }
      return scores;
    },
  });
}

it.each([
  ['takes everything for a fifth', model((ms) => ms / 5, 0.002)],
  ['takes everything for fivefold', model((ms) => 5 * ms, 0.002)],
  ['takes the slow for fast and the fast for slow', model((ms) => 400 / ms, 0.002)],
  ['takes every third row for a tenth', model((ms, row) => (row % 3 === 0 ? ms / 10 : ms), 0.002)],
  ['expects failures everywhere', model((ms) => ms, 0.95)],
])('a model that %s costs little more than none', async (_what, bad) => {
  const theirs = await without;
  let sum = 0;
  for (const [at, world] of worlds.entries()) {
    const { j } = figuresOf(await runPolicy(world, predictive, bad));
    sum += Math.log(j / (theirs[at] as number));
  }
  expect(Math.exp(sum / worlds.length)).toBeLessThan(1.05);
});
