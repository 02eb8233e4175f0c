import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SelectorName } from '../../../src/core/selector.ts';
import { type Bench, bench, seeded, targets } from './driver.ts';

const event = { bytes: 1_000 };
/** All but those of which the propensity is told only by trying. */
const exact: readonly SelectorName[] = [
  'priority',
  'weighted',
  'round-robin',
  'random',
  'least-inflight',
  'p2c-least-inflight',
  'p2c-ewma',
  'adaptive',
  'predictive',
];
const drawn = exact.filter((by) => by !== 'priority' && by !== 'round-robin');

/** A state in which the targets differ: some slow, some failing, some busy, one idle. */
function busy(by: SelectorName, seed: number): Bench {
  const random = seeded(seed);
  const spec = (i: number): object => ({ weight: i + 1, cost: random() / 10, capacity: { concurrent: 20 } });
  const made = bench(by, { targets: targets(5, spec), explore: 0.01 }, { seed });
  const { selector } = made;
  for (let round = 0; round < 40; round += 1) {
    for (const target of [0, 1, 2, 3]) {
      const ticket = selector.sent(target, event);
      selector.settled(ticket, random() < target / 20 ? 'failed' : 'ok', 4 + target + 3 * random());
    }
    made.now += 30;
    selector.tick();
  }
  for (const target of [0, 1, 2, 3]) for (let n = random() * 8; n > 1; n -= 1) selector.sent(target, event);
  return made;
}

function told({ selector }: Bench, eligible: readonly number[]): Map<number, number> {
  const { candidates } = selector.explain(event, eligible);
  return new Map(eligible.map((target, i) => [target, candidates[i]?.propensity ?? Number.NaN]));
}

const subsets = fc.subarray([0, 1, 2, 3, 4], { minLength: 1 });

describe.each(exact)('%s', (by) => {
  it('tells propensities that sum to 1, and decides with the one it told', () => {
    fc.assert(
      fc.property(fc.nat(), subsets, fc.nat(4), (seed, eligible, down) => {
        const made = busy(by, seed);
        if (eligible.length > 1) made.selector.available(down, false);
        const propensities = told(made, eligible);
        expect([...propensities.values()].reduce((sum, one) => sum + one)).toBeCloseTo(1, 9);
        if (eligible.length > 1 && eligible.includes(down)) expect(propensities.get(down)).toBe(0);
        const { target, propensity } = made.selector.choose(event, eligible);
        expect(propensity).toBeCloseTo(propensities.get(target) as number, 9);
      }),
      { numRuns: 60 },
    );
  });
});

describe.each(drawn)('%s', (by) => {
  it.each([1, 2, 3])('chooses as often as it tells (state %i)', (seed) => {
    const made = busy(by, seed);
    const draws = 20_000;
    const counts = new Map<number, number>();
    const all = [0, 1, 2, 3, 4];
    const propensities = told(made, all);
    for (let i = 0; i < draws; i += 1) {
      const { target } = made.selector.choose(event);
      counts.set(target, (counts.get(target) ?? 0) + 1);
    }
    for (const target of all) {
      const p = propensities.get(target) as number;
      const deviation = Math.sqrt((p * (1 - p)) / draws);
      expect(Math.abs((counts.get(target) ?? 0) / draws - p)).toBeLessThanOrEqual(5 * deviation + 1e-9);
    }
  });
});

describe('propensities', () => {
  it('are 1 for the only candidate and for a lease', () => {
    const { selector } = busy('adaptive', 1);
    expect(selector.choose(event, [2])).toMatchObject({ target: 2, propensity: 1, explored: false });
    selector.sent(3, { key: 'k', bytes: 1 });
    expect(selector.choose({ key: 'k', bytes: 1 })).toMatchObject({ target: 3, by: 'lease', propensity: 1 });
  });
});
