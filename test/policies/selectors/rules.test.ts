import { describe, expect, it } from 'vitest';
import { type Bench, bench, run, targets } from './driver.ts';

const event = { bytes: 1_000 };

/** Chooses without sending, so that nothing changes in between. */
function frequencies({ selector }: Bench, draws: number): number[] {
  const counts = selector.targets.map(() => 0);
  for (let i = 0; i < draws; i += 1) {
    const { target } = selector.choose(event);
    counts[target] = (counts[target] ?? 0) + 1;
  }
  return counts.map((count) => count / draws);
}

describe('weighted', () => {
  it('sends in proportion to the weights', () => {
    const made = bench('weighted', { targets: targets(3, (i) => ({ weight: [1, 2, 5][i] })) });
    const shares = frequencies(made, 40_000);
    for (const [i, share] of [0.125, 0.25, 0.625].entries()) expect(shares[i]).toBeCloseTo(share, 1.6);
  });
});

describe('round-robin', () => {
  it('takes turns among those that may be chosen', () => {
    const { selector } = bench('round-robin', { targets: targets(4) });
    selector.available(2, false);
    const chosen = Array.from({ length: 6 }, () => selector.choose(event).target);
    expect(chosen).toEqual([0, 1, 3, 0, 1, 3]);
    expect(selector.choose(event, [0, 1]).target).toBe(0);
  });
});

describe('least-inflight', () => {
  it('takes the least for its weight', () => {
    const { selector } = bench('least-inflight', { targets: targets(2, (i) => ({ weight: i === 0 ? 1 : 4 })) });
    const chosen = Array.from({ length: 5 }, () => {
      const { target } = selector.choose(event);
      selector.sent(target, event);
      return target;
    });
    expect(chosen.filter((target) => target === 1)).toHaveLength(4);
  });
});

describe('priority', () => {
  const three = targets(3, () => ({ capacity: { concurrent: 4 } }));

  it('stays with the first, and spills when that is full', () => {
    const { selector } = bench('priority', { targets: three });
    const chosen = Array.from({ length: 9 }, () => {
      const { target } = selector.choose(event);
      selector.sent(target, event);
      return target;
    });
    expect(chosen).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2]);
  });

  it('leaves what fails or does not answer, and comes back', () => {
    const made = bench('priority', { targets: three });
    run(made, { ms: 1_000, rate: 0.1, behave: (target) => ({ latencyMs: 3, status: target === 0 ? 'failed' : 'ok' }) });
    expect(made.selector.choose(event).target).toBe(1);
    run(made, { ms: 8_000, rate: 0.1, behave: () => ({ latencyMs: 3 }) });
    expect(made.selector.choose(event).target).toBe(0);
  });

  it('finds the limit of a target that declares none', () => {
    const made = bench('priority', { targets: targets(2), sloMs: 20 });
    const counts = run(made, {
      ms: 10_000,
      rate: 2,
      // The first slows down with what it has to do.
      behave: (target) => ({ latencyMs: target === 0 ? 2 + made.selector.inFlight(0) * 2 : 10 }),
    });
    expect(counts[0]).toBeGreaterThan(1_000);
    expect(counts[1]).toBeGreaterThan(1_000);
  });
});

describe('c3 and prequal', () => {
  it.each(['c3', 'prequal'] as const)('%s sends most to the fast target', (by) => {
    const made = bench(by, { targets: targets(3) });
    const counts = run(made, { ms: 5_000, rate: 0.2, behave: (target) => ({ latencyMs: target === 1 ? 4 : 40 }) });
    expect(counts[1]).toBeGreaterThan(500);
  });

  it.each(['c3', 'prequal'] as const)('%s uses declared capacities', (by) => {
    const told = targets(2, (i) => ({
      capacity: { perSecond: i === 0 ? 100 : 1_000, concurrent: i === 0 ? 10 : 100 },
    }));
    const made = bench(by, { targets: told });
    const counts = run(made, { ms: 5_000, rate: 1, behave: () => ({ latencyMs: 100 }) });
    // Ten times the capacity: the cube makes the queues, and so the shares, differ by its root (C3); the latencies are alike,
    // so that only a hot target is passed over (Prequal).
    expect(counts[1]).toBeGreaterThan(1.8 * (counts[0] as number));
  });
});
