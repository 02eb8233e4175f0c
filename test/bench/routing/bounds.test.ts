import { describe, expect, it } from 'vitest';
import { fluidBound, noQueueBound } from '../../../bench/routing/bounds.ts';
import { type Policy, selectorOf } from '../../../bench/routing/policies.ts';
import { figuresOf } from '../../../src/simulation/figures.ts';
import { simulate } from '../../../src/simulation/simulation.ts';
import { FAMILIES, worldOf } from '../../../src/simulation/world/families.ts';
import { plainWorld } from '../../simulation/worlds.ts';

const SHORT = { warmUpMs: 3_000, horizonMs: 15_000, rate: 300 };
const POLICIES: readonly Policy[] = [
  { by: 'p2c-ewma', capacities: 'undeclared', gateways: 1 },
  { by: 'c3', capacities: 'declared', gateways: 1 },
  { by: 'adaptive', capacities: 'declared', gateways: 1 },
];

describe.each(FAMILIES)('$name', (family) => {
  it('has bounds that no policy beats', () => {
    for (const seed of [1, 2]) {
      const world = worldOf(family, seed, SHORT);
      const fluid = fluidBound(world, 60);
      const noQueue = noQueueBound(world);
      expect(noQueue).toBeGreaterThan(0);
      for (const policy of POLICIES) {
        const { j } = figuresOf(simulate({ world, selectorOf: selectorOf(policy), gateways: 1 }));
        expect(j).toBeGreaterThan(noQueue);
        expect(j).toBeGreaterThan(fluid);
      }
    }
  });
});

describe('the fluid bound', () => {
  it('is the latency alone where there is room for all', () => {
    const world = plainWorld({ seed: 1, events: 20_000, perSecond: 400, targets: [{ sigma: 0.5 }] });
    expect(fluidBound(world, 50)).toBeGreaterThan(1.95);
    expect(fluidBound(world, 50)).toBeLessThan(2.05);
    expect(noQueueBound(world)).toBeLessThan(2.05);
  });

  it('sends the rest to the dearer target where the nearer is full', () => {
    // 1,500 a second: 1,000 fit into the near one (2 ms), 500 have to go to the far one (21 ms):
    // 8.3 ms, less what may be put off until after the last arrival.
    const targets = [{ sigma: 0.3 }, { sigma: 0.3, rttMs: 20 }];
    const world = plainWorld({ seed: 2, events: 60_000, perSecond: 1_500, targets });
    expect(fluidBound(world, 400)).toBeGreaterThan(7);
    expect(fluidBound(world, 400)).toBeLessThan(8.5);
    expect(noQueueBound(world)).toBeLessThan(2.1);
  });
});
