import { describe, expect, it } from 'vitest';
import { bench, run, targets } from './driver.ts';

const keyed = { key: 'k', bytes: 10 };

describe('leases', () => {
  it('hold while something is in flight, and then let go', () => {
    const { selector } = bench('round-robin', { targets: targets(3) });
    const first = selector.sent(selector.choose(keyed).target, keyed);
    const second = selector.sent(selector.choose(keyed).target, keyed);
    expect(selector.choose(keyed)).toMatchObject({ target: 0, by: 'lease' });
    selector.settled(first, 'ok');
    expect(selector.choose(keyed)).toMatchObject({ target: 0, by: 'lease' });
    selector.settled(second, 'timeout');
    expect(selector.choose(keyed)).toMatchObject({ target: 1, by: 'rule' });
  });

  it('make a key wait where its target is gone, not eligible or silent', () => {
    const made = bench('adaptive', { targets: targets(3) });
    const { selector } = made;
    const ticket = selector.sent(0, keyed);
    expect(selector.choose(keyed, [1, 2])).toMatchObject({ target: -1, by: 'none', reason: 'lease-not-eligible' });
    selector.available(0, false);
    expect(selector.choose(keyed)).toMatchObject({ target: -1, reason: 'lease-unavailable' });
    selector.available(0, true);
    expect(selector.choose(keyed).target).toBe(0);
    made.now += 1_500;
    expect(selector.choose(keyed)).toMatchObject({ target: -1, reason: 'lease-unavailable' });
    selector.settled(ticket, 'timeout');
    expect(selector.choose(keyed)).toMatchObject({ by: 'analytic' });
  });

  it('are bounded', () => {
    const { selector } = bench('random', { targets: targets(2), maxLeases: 2 });
    selector.sent(0, { key: 'a', bytes: 1 });
    selector.sent(0, { key: 'b', bytes: 1 });
    expect(selector.choose({ key: 'c', bytes: 1 })).toMatchObject({ target: -1, reason: 'leases-full' });
    expect(selector.choose({ key: 'a', bytes: 1 }).target).toBe(0);
    expect(selector.choose({ bytes: 1 }).target).toBeGreaterThanOrEqual(0);
  });

  it('show in explanations', () => {
    const { selector } = bench('adaptive', { targets: targets(2) });
    selector.sent(1, keyed);
    expect(selector.explain(keyed)).toMatchObject({ by: 'lease', lease: 't1' });
    expect(selector.explain({ key: 'other', bytes: 1 })).toMatchObject({ by: 'analytic', lease: undefined });
  });

  it('keep a key at one target at a time under load', () => {
    const made = bench('p2c-ewma', { targets: targets(4) });
    const flying = new Map<string, { target: number; until: number }[]>();
    run(made, {
      ms: 5_000,
      rate: 2,
      key: (n) => `k${n % 7}`,
      behave: (target) => ({ latencyMs: 3 + 2 * target }),
      onChosen: (target, now, n) => {
        const key = `k${n % 7}`;
        const others = (flying.get(key) ?? []).filter(({ until }) => until > now);
        for (const other of others) expect(other.target).toBe(target);
        flying.set(key, [...others, { target, until: now + 3 + 2 * target }]);
      },
    });
  });
});
