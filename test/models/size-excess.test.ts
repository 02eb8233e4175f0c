import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { usualOfSizeMs, workOf } from '../../src/core/capacity.ts';
import type { FeatureSnapshot } from '../../src/core/selector.ts';
import { FEATURES } from '../../src/models/features.ts';
import { SizeExcess } from '../../src/models/size-excess.ts';
import { Window } from '../../src/models/window.ts';
import { createSelector } from '../../src/selecting.ts';
import { seeded } from '../setup/seeded.ts';

const target = { name: 'a' };

/** Answers of two sizes in turns, a way of 10 ms included. */
function seen(smallMs: number, largeMs: number): Window {
  const window = new Window();
  for (let n = 0; n < 600; n += 1) {
    const now = 5 * n;
    window.sent(now);
    window.settled(now, 'ok', 10 + (n % 2 === 0 ? smallMs : largeMs), Number.POSITIVE_INFINITY, 0, n % 2);
    if (n % 4 === 0) window.roll(now);
  }
  return window;
}

describe('SizeExcess', () => {
  it('is 0 while nothing is known, and nothing is learned without a mean', () => {
    const sizes = new SizeExcess();
    sizes.record(0, 1, 50, Number.NaN);
    expect([sizes.of(0), sizes.of(1), sizes.of(7)]).toEqual([0, 0, 0]);
  });

  it('tells how much longer a class takes, and forgets', () => {
    const sizes = new SizeExcess();
    for (let now = 0; now < 1_000; now += 10) sizes.record(now, 1, 50, 20);
    expect(sizes.of(1)).toBeCloseTo(30, -1);
    expect(sizes.of(0)).toBe(0);
    for (let now = 100_000; now < 101_000; now += 10) sizes.record(now, 1, 15, 20);
    expect(sizes.of(1)).toBeLessThan(0);
  });
});

describe('what a size means', () => {
  it('is nothing where sizes are not told apart, also where answers come in bursts, each behind the one before', () => {
    const burst = (window: Window): Window => {
      for (let n = 0; n < 100; n += 1) {
        for (let k = 0; k < 10; k += 1) window.sent(1_000 * n);
        for (let k = 1; k <= 10; k += 1) window.settled(1_000 * n + 10 * k, 'ok', 10 * k, 1_000 * n, 10, 0);
        window.roll(1_000 * n + 200);
      }
      return window;
    };
    expect(burst(new Window(3)).excessMs(0)).toBeGreaterThan(5);
    expect(burst(new Window(1)).excessMs(0)).toBe(0);
    expect(workOf(target, burst(new Window(1)), 0)).toBe(1);
  });

  it.each([
    [2, 3],
    [40, 1],
  ])('is told apart at %i targets in %i classes', (targets, classes) => {
    let now = 0;
    const selector = createSelector(
      { by: 'adaptive', telemetry: true, targets: Array.from({ length: targets }, (_, i) => ({ name: `t${i}` })) },
      { now: () => now, random: seeded(1) },
    );
    for (let n = 0; n < 200; n += 1) {
      const bytes = n % 2 === 0 ? 100 : 10_000;
      now = 20 * n;
      const ticket = selector.sent(0, { bytes });
      selector.settled(ticket, 'ok', bytes === 100 ? 10 : 40 + n / 10);
      selector.tick();
    }
    const { features, classes: told } = selector.snapshot() as FeatureSnapshot;
    const excess = features[FEATURES.findIndex(({ name }) => name === 'size_excess')] as number;
    expect(told).toBe(classes);
    if (classes === 1) expect(excess).toBe(0);
    else expect(excess).toBeLessThan(-1);
  });

  it('is no difference where nothing was seen', () => {
    expect(workOf(target, new Window(), 2)).toBe(1);
    expect(usualOfSizeMs(target, new Window(), 2)).toBe(20);
  });

  it('is more time and more work for the large ones', () => {
    const window = seen(10, 50);
    expect(window.excessMs(0)).toBeCloseTo(-20, -1);
    expect(window.excessMs(1)).toBeCloseTo(20, -1);
    expect(workOf(target, window, 1)).toBeGreaterThan(1.5);
    expect(workOf(target, window, 0)).toBeLessThan(0.5);
    expect(usualOfSizeMs(target, window, 1) - usualOfSizeMs(target, window, 0)).toBeCloseTo(40, -1);
  });

  it('stays within bounds whatever was seen', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e5, noNaN: true }),
        fc.double({ min: 0, max: 1e5, noNaN: true }),
        (a, b) => {
          const window = seen(a, b);
          for (const sizeClass of [0, 1, 2]) {
            expect(workOf(target, window, sizeClass)).toBeGreaterThanOrEqual(1 / 6);
            expect(workOf(target, window, sizeClass)).toBeLessThanOrEqual(6);
            expect(usualOfSizeMs(target, window, sizeClass)).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});
