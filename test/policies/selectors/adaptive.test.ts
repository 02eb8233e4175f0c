import { describe, expect, it } from 'vitest';
import { bench, run, targets } from './driver.ts';

describe('adaptive', () => {
  it('comes back to a target that has recovered', () => {
    const made = bench('adaptive', { targets: targets(3) });
    run(made, { ms: 4_000, behave: (target) => ({ latencyMs: target === 0 ? 1e9 : 30 }) });
    let late = 0;
    run(made, {
      ms: 10_000,
      behave: (target) => ({ latencyMs: target === 0 ? 3 : 30 }),
      onChosen: (target, now) => {
        if (target === 0 && now > 10_000) late += 1;
      },
    });
    expect(late).toBeGreaterThan(500);
  });

  it('explores bad targets at about the rate it was told, and says so', () => {
    const made = bench('adaptive', { targets: targets(2, () => ({ capacity: { concurrent: 50 } })), explore: 0.01 });
    let explored = 0;
    const counts = run(made, {
      ms: 20_000,
      rate: 1,
      behave: (target) => ({ latencyMs: target === 0 ? 4 : 8 }),
      onChosen: () => {
        if (made.selector.choose({ bytes: 1 }).explored) explored += 1;
      },
    });
    const total = counts.reduce((sum, count) => sum + count);
    expect(explored / total).toBeGreaterThan(0.002);
    expect(explored / total).toBeLessThan(0.05);
    expect((counts[1] as number) / total).toBeGreaterThan(0.002);
  });

  it('never explores when told not to', () => {
    const still = bench('adaptive', { targets: targets(3), explore: 0 });
    run(still, {
      ms: 2_000,
      behave: (target) => ({ latencyMs: 5 * (target + 1) }),
      onChosen: () => expect(still.selector.choose({ bytes: 1 }).explored).toBe(false),
    });
  });

  it('prefers the cheap target where cost is all that differs', () => {
    const made = bench('adaptive', { targets: targets(2, (i) => ({ cost: i, capacity: { concurrent: 50 } })) });
    const counts = run(made, { ms: 4_000, behave: () => ({ latencyMs: 5 }) });
    expect(counts[0]).toBeGreaterThan(9 * (counts[1] as number));
  });

  it('spreads load by declared capacity', () => {
    const made = bench('adaptive', { targets: targets(2, (i) => ({ capacity: { concurrent: i === 0 ? 30 : 10 } })) });
    const counts = run(made, { ms: 4_000, rate: 2, behave: () => ({ latencyMs: 15 }) });
    const share = (counts[0] as number) / ((counts[0] as number) + (counts[1] as number));
    expect(share).toBeGreaterThan(0.65);
    expect(share).toBeLessThan(0.85);
  });

  it('sends large events to where they take little longer', () => {
    const made = bench('adaptive', { targets: targets(2, () => ({ capacity: { concurrent: 50 } })) });
    const bytes = (n: number): number => (n % 4 === 0 ? 200_000 : 500);
    const large = [0, 0];
    const small = [0, 0];
    run(made, {
      ms: 6_000,
      bytes,
      behave: (target, _now, size) => ({
        latencyMs: size < 1_000 ? ([5, 8][target] as number) : ([60, 12][target] as number),
      }),
      onChosen: (target, now, n) => {
        if (now < 3_000) return;
        const counts = bytes(n) > 1_000 ? large : small;
        counts[target] = (counts[target] as number) + 1;
      },
    });
    expect(large[1]).toBeGreaterThan(5 * (large[0] as number));
    expect(small[0]).toBeGreaterThan(5 * (small[1] as number));
  });

  it('explains what it weighs', () => {
    const made = bench('adaptive', { targets: targets(2) });
    run(made, { ms: 500, behave: () => ({ latencyMs: 5 }) });
    made.selector.available(1, false);
    const [first, second] = made.selector.explain({ bytes: 1 }).candidates;
    const parts = ['latency', 'slo', 'failure', 'cost', 'congestion'].map((name) => first?.parts[name] ?? Number.NaN);
    expect(parts.reduce((sum, part) => sum + part)).toBeCloseTo(first?.score ?? 0, 9);
    expect(first?.parts).toMatchObject({ failureShare: expect.closeTo(0, 1), silent: 0 });
    expect(second).toMatchObject({ available: false, propensity: 0 });
  });
});
