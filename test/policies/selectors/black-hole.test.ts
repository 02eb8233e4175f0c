import { describe, expect, it } from 'vitest';
import { bench, run, targets } from './driver.ts';

const HOLE_AT = 5_000;
const never = 1e9;

describe('a target that swallows everything', () => {
  it.each(['adaptive', 'predictive', 'p2c-ewma'] as const)(
    '%s: events without a key leave it within a second',
    (by) => {
      for (const seed of [1, 2, 3]) {
        for (const rate of [0.2, 1]) {
          const made = bench(by, { targets: targets(4), timeoutMs: 2_000 }, { seed });
          const start = made.now;
          let within = 0;
          let after = 0;
          run(made, {
            ms: 9_000,
            rate,
            behave: (target, now) => ({ latencyMs: target === 0 && now >= start + HOLE_AT ? never : 6 + 2 * target }),
            onChosen: (target, now) => {
              if (target !== 0 || now < start + HOLE_AT) return;
              if (now < start + HOLE_AT + 1_000) within += 1;
              else after += 1;
            },
          });
          // Some must go there, or nobody would see it; then one now and then, to see it come back.
          expect(within).toBeGreaterThan(0);
          expect(after).toBeLessThan(4);
        }
      }
    },
  );

  it('costs who sends one event after the other a timeout now and then, with a rest after each', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const made = bench('adaptive', { targets: targets(3), timeoutMs: 2_000, sloMs: 50 }, { seed });
      const tried: number[] = [];
      for (let n = 0; n < 1_600; n += 1) {
        const { target } = made.selector.choose({ bytes: 1_000 });
        const hole = target === 0 && n >= 100;
        if (hole) tried.push(made.now);
        const ticket = made.selector.sent(target, { bytes: 1_000 });
        const end = made.now + (hole ? 2_000 : 8);
        for (; made.now < end; made.now += 1) if (made.now % 20 === 0) made.selector.tick();
        made.selector.settled(ticket, hole ? 'timeout' : 'ok');
      }
      expect(tried.length).toBeGreaterThan(0);
      // 1,500 events take 12 s beside those.
      expect(tried.length).toBeLessThanOrEqual(6);
      const restMs = tried.slice(1).map((at, i) => at - (tried[i] as number));
      expect(Math.min(...restMs, 1e9)).toBeGreaterThan(3_000);
    }
  });

  it.each(['adaptive', 'p2c-ewma'] as const)(
    '%s: a key waits there until all of it is settled, and goes on elsewhere',
    (by) => {
      const made = bench(by, { targets: targets(3), timeoutMs: 2_000 });
      const { selector } = made;
      const keyed = { key: 'order-7', bytes: 100 };
      for (const target of [0, 1, 2]) selector.settled(selector.sent(target, { bytes: 100 }), 'ok', 5);
      selector.tick();
      const from = selector.choose(keyed).target;
      const first = selector.sent(from, keyed);
      made.now += 50;
      const second = selector.sent(selector.choose(keyed).target, keyed);
      made.now += 1_000;
      selector.tick();
      expect(selector.choose(keyed)).toMatchObject({ target: -1, reason: 'lease-unavailable' });
      expect(selector.choose({ bytes: 100 }).target).not.toBe(from);
      made.now += 950;
      selector.settled(first, 'timeout');
      expect(selector.choose(keyed)).toMatchObject({ target: -1, reason: 'lease-unavailable' });
      made.now += 50;
      selector.settled(second, 'timeout');
      const { target } = selector.choose(keyed);
      expect(target).toBeGreaterThanOrEqual(0);
      expect(target).not.toBe(from);
    },
  );
});
