import { describe, expect, it } from 'vitest';
import { figuresOf } from '../../src/simulation/figures.ts';
import { simulate } from '../../src/simulation/simulation.ts';
import { atRandom, plainWorld } from './worlds.ts';

/** Mean ms that the two ways take: half the RTT each, with a jitter of mean 3 %. */
const WAY_MS = 1.03;

describe('targets against queueing theory', () => {
  it.each([0.3, 0.6, 0.8])('waits as Pollaczek and Khinchine say at load %f', (load) => {
    const world = plainWorld({ seed: 3, events: 400_000, perSecond: 1_000 * load, targets: [{ sigma: 0.8 }] });
    const { meanMs } = figuresOf(simulate({ world, selectorOf: atRandom, gateways: 1 }));
    const secondMoment = Math.exp(0.8 ** 2);
    const wait = (load * secondMoment) / (2 * (1 - load));
    expect(meanMs - WAY_MS - 1).toBeGreaterThan(wait * 0.92);
    expect(meanMs - WAY_MS - 1).toBeLessThan(wait * 1.08);
  });

  it('has as many under way as arrive in the time that one takes (Little)', () => {
    const world = plainWorld({
      seed: 4,
      events: 200_000,
      perSecond: 1_400,
      targets: [{}, { servers: 2, serviceMs: [2] }],
    });
    let underWay = 0;
    let ticks = 0;
    const observer = {
      ticked: (_: number, selector: { inFlight(target: number): number }, atMs: number): void => {
        if (atMs > world.horizonMs) return;
        underWay += selector.inFlight(0) + selector.inFlight(1);
        ticks += 1;
      },
    };
    const { meanMs } = figuresOf(simulate({ world, selectorOf: atRandom, gateways: 1, observer }));
    expect(underWay / ticks / ((1_400 / 1_000) * meanMs)).toBeCloseTo(1, 1);
  });

  it('takes servers from our events for cross-traffic', () => {
    const crossed = (share: number): number => {
      const world = plainWorld({ seed: 5, events: 200_000, perSecond: 400, targets: [{}] });
      world.targets[0]?.cross.fill(share);
      return figuresOf(simulate({ world, selectorOf: atRandom, gateways: 1 })).meanMs;
    };
    // Cross-traffic has a variation of its own (sigma 0.6): the mean of both second moments.
    const secondMoment = (0.4 * Math.exp(1) + 0.3 * Math.exp(0.36)) / 0.7;
    const wait = (0.7 * secondMoment) / (2 * 0.3);
    expect(crossed(0)).toBeLessThan(4);
    expect((crossed(0.3) - WAY_MS - 1) / wait).toBeCloseTo(1, 1);
  });
});
