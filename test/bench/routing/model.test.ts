import { expect, it } from 'vitest';
import { DEMO_MODEL, readModel, runPolicy } from '../../../bench/routing/model.ts';
import type { Policy } from '../../../bench/routing/policies.ts';
import { figuresOf } from '../../../src/simulation/figures.ts';
import type { SimModel } from '../../../src/simulation/sim-model.ts';
import { FAMILIES, type Family, worldOf } from '../../../src/simulation/world/families.ts';

const world = worldOf(FAMILIES[1] as Family, 1, { warmUpMs: 2_000, horizonMs: 8_000, rate: 300 });
const policy: Policy = { by: 'predictive', capacities: 'undeclared', gateways: 1 };

it('comes with the repository, fits the features, and decides otherwise than no model', async () => {
  // Where this fails after a change of the features: npm run bench -- routing-train
  const model = (await readModel(DEMO_MODEL)) as SimModel;
  const first = figuresOf(await runPolicy(world, policy, model));
  expect(figuresOf(await runPolicy(world, policy, model))).toEqual(first);
  expect(figuresOf(await runPolicy(world, policy, undefined))).not.toEqual(first);
});

it('is bounded by the truth', async () => {
  const { j } = figuresOf(await runPolicy(world, { ...policy, truth: 'forecast' }, undefined));
  const without = figuresOf(await runPolicy(world, { ...policy, by: 'adaptive' }, undefined));
  expect(j).toBeLessThan(1.1 * without.j);
  const all = figuresOf(await runPolicy(world, { ...policy, truth: 'everything' }, undefined));
  expect(all.j).toBeLessThan(without.j);
});
