import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Conformal } from '../../src/models/conformal.ts';
import { seeded } from '../policies/selectors/driver.ts';

/** Share of log-normal latencies within a corrected forecast of `q95Ms`; `median` is that of the nth. */
function coverage(q95Ms: number, median: (n: number) => number, from: number, to: number, seed = 1): number {
  const random = seeded(seed);
  const conformal = new Conformal(1);
  let within = 0;
  for (let n = 0; n < to; n += 1) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const ms = median(n) * Math.exp(0.5 * normal);
    const missed = ms > q95Ms * conformal.factor(0);
    conformal.saw(0, missed);
    conformal.roll();
    if (n >= from && !missed) within += 1;
  }
  return within / (to - from);
}

describe('the conformal correction', () => {
  it.each([3, 5, 22.8, 60])('covers 95 % with a forecast of %d ms where 22.8 is right', (q95Ms) => {
    expect(coverage(q95Ms, () => 10, 2_000, 10_000)).toBeCloseTo(0.95, 2);
  });

  it('covers 95 % of a series that drifts, steps and swings', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.double({ min: 0.5, max: 2, noNaN: true }), (seed, step) => {
        const median = (n: number): number =>
          10 * (1 + n / 10_000) * (n > 5_000 ? step : 1) * (1 + Math.sin(n / 900) / 2);
        expect(Math.abs(coverage(40, median, 1_000, 12_000, seed) - 0.95)).toBeLessThan(0.01);
      }),
      { numRuns: 20 },
    );
  });

  it('is bounded, and of one target alone', () => {
    const conformal = new Conformal(2);
    for (let n = 0; n < 10_000; n += 1) conformal.saw(0, true);
    conformal.roll();
    expect(conformal.factor(0)).toBeCloseTo(10, 9);
    expect(conformal.factor(1)).toBe(1);
    for (let n = 0; n < 100_000; n += 1) conformal.saw(0, false);
    conformal.roll();
    expect(conformal.factor(0)).toBeCloseTo(0.1, 9);
    conformal.reset();
    expect(conformal.factor(0)).toBe(1);
  });
});
