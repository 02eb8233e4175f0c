import { describe, expect, it } from 'vitest';
import { CubicRate } from '../../../src/policies/selectors/cubic-rate.ts';

/** Answers evenly spaced: so many per interval of 20 ms, from `from` to `to`. */
function answers(rate: CubicRate, perInterval: number, from: number, to: number): void {
  for (let now = from; now < to; now += 20 / perInterval) rate.settled(now, true);
}

describe('CubicRate', () => {
  it('begins with ten per 20 ms, or with what is declared', () => {
    expect(new CubicRate().limit).toBe(10);
    expect(new CubicRate(2_000).limit).toBe(40);
  });

  it('lets ten through at once and then as many as its rate', () => {
    const rate = new CubicRate(500);
    const through = (now: number): number => {
      let count = 0;
      while (rate.allows(now)) {
        rate.sent(now);
        count += 1;
      }
      return count;
    };
    expect(through(0)).toBe(10);
    expect(through(1)).toBe(0);
    expect(through(6)).toBe(3);
    expect(through(10_000)).toBe(10);
    rate.recalled();
    expect(through(10_000)).toBe(1);
  });

  it('falls to a fifth when less comes back than may be sent, not before 40 ms have passed', () => {
    const rate = new CubicRate();
    answers(rate, 5, 0, 40);
    expect(rate.limit).toBe(10);
    rate.settled(41, true);
    expect(rate.limit).toBeCloseTo(2, 9);
  });

  it('grows along 4e-6 (t − ∛(0.2 R / 4e-6))³ + R, by at most ten at a time', () => {
    const rate = new CubicRate();
    let last = rate.limit;
    let from = last;
    let fellAt = 0;
    let grown = 0;
    // Few answers, and then many.
    for (let now = 0; now < 1_000; now += now < 60 ? 4 : 0.2) {
      rate.settled(now, true);
      if (rate.limit < last && Math.abs(rate.limit - last / 5) < 1e-9) {
        from = last;
        fellAt = now;
      } else if (rate.limit !== last) {
        const curve = 4e-6 * (now - fellAt - Math.cbrt((0.2 * from) / 4e-6)) ** 3 + from;
        expect(rate.limit).toBeCloseTo(Math.min(last + 10, curve), 9);
        grown += 1;
      }
      last = rate.limit;
    }
    expect(fellAt).toBeGreaterThan(0);
    expect(grown).toBeGreaterThan(100);
    // A hundred answers come back per interval.
    expect(last).toBeGreaterThan(50);
  });

  it('does not move while nothing comes back', () => {
    const rate = new CubicRate();
    for (let now = 0; now < 1_000; now += 10) rate.settled(now, false);
    expect(rate.limit).toBe(10);
  });
});
