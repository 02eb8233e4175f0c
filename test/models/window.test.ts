import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decayed } from '../../src/models/decayed.ts';
import { SlidingMinimum } from '../../src/models/extreme.ts';
import { SlidingHistogram } from '../../src/models/histogram.ts';
import { Season } from '../../src/models/season.ts';
import { SizeClasses } from '../../src/models/size-classes.ts';
import { Window } from '../../src/models/window.ts';

describe('Decayed', () => {
  it('halves what is one half-life old', () => {
    const mean = new Decayed(1_000);
    mean.add(0, 10);
    mean.add(Math.LN2 * 1_000, 40);
    expect(mean.mean).toBeCloseTo((0.5 * 10 + 40) / 1.5, 9);
    expect(mean.weight).toBeCloseTo(1.5, 9);
    expect(mean.towards(0, 1.5)).toBeCloseTo((0.5 * 10 + 40) / 3, 9);
  });

  it('is NaN before the first value and after all have faded', () => {
    const mean = new Decayed(10);
    expect(mean.mean).toBeNaN();
    mean.add(0, 1);
    mean.fade(10_000);
    expect(mean.mean).toBeNaN();
  });
});

describe('SlidingHistogram', () => {
  const values = fc.array(fc.double({ min: 0.1, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 200 });

  it('knows quantiles to 5 %', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0.01, max: 1, noNaN: true }), (all, q) => {
        const histogram = new SlidingHistogram(1_000, 5);
        for (const value of all) histogram.record(5, value);
        const exact = [...all].sort((a, b) => a - b)[Math.max(0, Math.ceil(q * all.length) - 1)] as number;
        expect(histogram.quantile(q) / exact).toBeGreaterThan(0.95);
        expect(histogram.quantile(q) / exact).toBeLessThan(1.05);
      }),
    );
  });

  it('forgets what is older than its slices, and takes values out of range to its ends', () => {
    const histogram = new SlidingHistogram(1_000, 5);
    histogram.record(100, 1e9);
    histogram.record(100, 0);
    histogram.record(3_500, 10);
    expect(histogram.count).toBe(3);
    histogram.roll(6_000);
    expect(histogram.count).toBe(1);
    expect(histogram.quantile(0.95)).toBeCloseTo(10, -0.5);
    histogram.roll(60_000);
    expect(histogram.count).toBe(0);
    expect(histogram.quantile(0.5)).toBeNaN();
  });
});

describe('SlidingMinimum', () => {
  it('is the least of the recorded values that are young enough', () => {
    const record = fc.record({ after: fc.nat(400), value: fc.integer({ min: -50, max: 50 }) });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1 }), (records) => {
        const least = new SlidingMinimum(100, 4);
        const seen: { at: number; value: number }[] = [];
        let now = 0;
        for (const { after, value } of records) {
          now += after;
          least.record(now, value);
          seen.push({ at: now, value });
          // Between three and four slices are remembered.
          const surely = seen.filter(({ at }) => now - at < 300).map((one) => one.value);
          const atMost = seen.filter(({ at }) => now - at <= 400).map((one) => one.value);
          expect(least.value).toBeLessThanOrEqual(Math.min(...surely));
          expect(least.value).toBeGreaterThanOrEqual(Math.min(...atMost));
        }
      }),
    );
  });
});

describe('Window', () => {
  it('measures rates, latencies and errors of a steady load', () => {
    const window = new Window();
    for (let now = 0; now < 6_000; now += 1) {
      if (now % 10 === 0) window.sent(now);
      if (now % 10 === 5 && now > 20) window.settled(now, now % 100 === 5 ? 'failed' : 'ok', 15, now - 5);
      if (now % 20 === 0) window.roll(now);
    }
    expect(window.sendRate / 100).toBeCloseTo(1, 1);
    expect(window.ackRate / 90).toBeCloseTo(1, 0);
    expect(window.maxAckRate).toBeGreaterThanOrEqual(window.ackRate);
    expect(window.ack1sMs).toBeCloseTo(15, 6);
    expect(window.ack30sMs).toBeCloseTo(15, 6);
    expect(window.floorMs).toBe(15);
    expect(window.p95Ms / 15).toBeCloseTo(1, 1);
    expect(window.errors).toBeCloseTo(0.1, 1);
    expect(window.inFlight).toBe(2);
  });

  it('lets errors decay to a prior where nothing is sent, and the floor go after 30 s', () => {
    const window = new Window();
    for (let i = 0; i < 20; i += 1) {
      window.sent(i);
      window.settled(i + 1, i < 10 ? 'timeout' : 'ok', 3, Number.POSITIVE_INFINITY);
    }
    window.roll(100);
    expect(window.errors).toBeGreaterThan(0.4);
    expect(window.floorMs).toBe(3);
    for (let now = 100; now < 40_000; now += 20) window.roll(now);
    expect(window.errors).toBeLessThan(0.01);
    expect(window.floorMs).toBeNaN();
  });

  it('keeps the slope of a polled backlog', () => {
    const window = new Window();
    expect(window.backlog).toBeNaN();
    window.polled(1_000, 100, 0);
    expect(window.backlogSlope).toBe(0);
    window.polled(3_500, 300, 500);
    expect(window).toMatchObject({ backlog: 300, backlogSlope: 100, backlogAt: 3_000 });
  });
});

describe('Season', () => {
  it('tells what is usual at another phase', () => {
    const season = new Season();
    expect(season.residual(0.5, 0, 10)).toBe(0);
    for (let i = 0; i < 960; i += 1) season.record((i % 96) / 96, i % 96 < 48 ? 10 : 40);
    expect(season.residual(0.45, 0.1, 10)).toBeCloseTo(Math.log(4), 5);
    expect(season.residual(0.95, 0.1, 40)).toBeCloseTo(-Math.log(4), 5);
  });
});

describe('SizeClasses', () => {
  it('puts sizes into classes and learns what stands for each', () => {
    const classes = new SizeClasses([1_000, 10_000], 8);
    expect([0, 1_000, 1_001, 10_001].map((bytes) => classes.of(bytes))).toEqual([0, 0, 1, 2]);
    for (let i = 0; i < 2_000; i += 1) classes.saw(5_000);
    expect(classes.size(1)).toEqual({ sizeClass: 1, bytes: expect.closeTo(5_000, 0) });
  });

  it('has no more classes than are allowed', () => {
    expect(new SizeClasses([1, 2, 3], 2).count).toBe(2);
    expect(new SizeClasses([1, 2, 3], 1).count).toBe(1);
  });
});
