import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DepthLatency } from '../../src/models/depth-latency.ts';
import { seeded } from '../setup/seeded.ts';

describe('DepthLatency', () => {
  it('knows nothing of a few answers', () => {
    const queueing = new DepthLatency();
    for (let n = 0; n < 4; n += 1) queueing.add(n, n, 10 * n);
    expect([queueing.depthSd, queueing.latencySdMs, queueing.slopeMs, queueing.correlation]).toEqual(
      Array(4).fill(Number.NaN),
    );
  });

  it('finds what one more in flight adds, and forgets what was', () => {
    const random = seeded(3);
    const queueing = new DepthLatency();
    const series = (fromMs: number, perEvent: number): void => {
      for (let now = fromMs; now < fromMs + 30_000; now += 10) {
        const depth = Math.floor(random() * 20);
        queueing.add(now, depth, 50 + perEvent * depth + 4 * random());
      }
    };
    series(0, 3);
    expect(queueing.slopeMs).toBeCloseTo(3, 0);
    expect(queueing.depthSd).toBeCloseTo(Math.sqrt((20 ** 2 - 1) / 12), 0);
    expect(queueing.correlation).toBeGreaterThan(0.98);
    series(30_000, 0);
    expect(Math.abs(queueing.slopeMs)).toBeLessThan(0.2);
    expect(Math.abs(queueing.correlation)).toBeLessThan(0.3);
    queueing.fade(1e6);
    expect(queueing.slopeMs).toBeNaN();
  });

  it('stays within bounds whatever comes', () => {
    const answers = fc.array(fc.tuple(fc.nat(5_000), fc.nat(1_000), fc.nat(60_000)), { minLength: 5, maxLength: 50 });
    fc.assert(
      fc.property(answers, (all) => {
        const queueing = new DepthLatency();
        let now = 0;
        for (const [after, depth, latency] of all) {
          now += after;
          queueing.add(now, depth, latency);
        }
        for (const sd of [queueing.depthSd, queueing.latencySdMs]) expect(sd < 0).toBe(false);
        expect(Math.abs(queueing.correlation) > 1).toBe(false);
        expect(Math.abs(queueing.slopeMs)).not.toBe(Number.POSITIVE_INFINITY);
      }),
    );
  });
});
