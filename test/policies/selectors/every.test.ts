import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SELECTORS, type SelectorName } from '../../../src/core/selector.ts';
import { type Bench, bench, run, targets } from './driver.ts';

const steps = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('send'),
      key: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
      mask: fc.nat(15),
    }),
    fc.record({
      do: fc.constant('settle'),
      at: fc.nat(50),
      status: fc.constantFrom('ok', 'failed', 'timeout', 'unknown'),
    }),
    fc.record({ do: fc.constant('up'), target: fc.nat(3), up: fc.boolean() }),
    fc.record({ do: fc.constant('wait'), ms: fc.nat(300) }),
  ),
  { maxLength: 120 },
);

describe.each(SELECTORS)('%s', (by: SelectorName) => {
  it('chooses only what is eligible and available, keeps the keys of what is in flight, and counts right', () => {
    fc.assert(
      fc.property(steps, fc.nat(), (script, seed) => {
        const made = bench(by, { targets: targets(4, (i) => ({ weight: i + 1, cost: i })) }, { seed });
        const { selector } = made;
        const up = [true, true, true, true];
        const flying: { ticket: number; target: number; key: string | undefined }[] = [];
        for (const step of script) {
          if (step.do === 'wait') {
            made.now += step.ms;
            selector.tick();
          } else if (step.do === 'up') {
            up[step.target] = step.up;
            selector.available(step.target, step.up);
          } else if (step.do === 'settle') {
            const [send] = flying.splice(step.at % Math.max(1, flying.length), 1);
            if (send !== undefined) selector.settled(send.ticket, step.status as 'ok');
          } else {
            const eligible = [0, 1, 2, 3].filter((i) => (step.mask & (1 << i)) !== 0);
            const event = { key: step.key, bytes: 100 };
            const { target, propensity, reason } = selector.choose(event, eligible);
            const leased = flying.find(({ key }) => key !== undefined && key === step.key)?.target;
            if (target < 0) {
              expect(reason).toBeDefined();
              // Without a lease there is a target whenever one may be chosen.
              if (leased === undefined) expect(eligible.filter((i) => up[i])).toEqual([]);
              continue;
            }
            expect(reason).toBeUndefined();
            expect(eligible).toContain(target);
            expect(up[target]).toBe(true);
            if (leased !== undefined) expect(target).toBe(leased);
            if (by !== 'c3' && by !== 'prequal') expect(propensity).toBeGreaterThan(0);
            expect(propensity).toBeLessThanOrEqual(1 + 1e-9);
            flying.push({ ticket: selector.sent(target, event), target, key: step.key });
          }
          for (const i of [0, 1, 2, 3]) {
            expect(selector.inFlight(i)).toBe(flying.filter(({ target }) => target === i).length);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('comes to the same with the time told as with the time read', () => {
    const [reads, told] = [0, 1].map(() => bench(by, { targets: targets(3), telemetry: true })) as [Bench, Bench];
    const event = { bytes: 100 };
    const drive = ({ selector }: Bench, now: number, time: number | undefined): void => {
      const { target } = selector.choose(event, [0, 1, 2], time);
      selector.settled(selector.sent(target, event, time), 'ok', now % 7, time);
    };
    for (let now = 1_001; now < 1_400; now += 1) {
      reads.now = now;
      drive(reads, now, undefined);
      drive(told, now, now);
      if (now % 20 !== 0) continue;
      told.now = now;
      for (const { selector } of [reads, told]) selector.tick();
    }
    told.now = reads.now;
    expect(told.selector.explain(event)).toEqual(reads.selector.explain(event));
    expect(told.selector.snapshot()).toEqual(reads.selector.snapshot());
  });

  it('refuses a ticket that is settled twice', () => {
    const { selector } = bench(by, { targets: targets(2) });
    const ticket = selector.sent(0, { bytes: 1 });
    selector.settled(ticket, 'ok');
    expect(() => selector.settled(ticket, 'ok')).toThrow(expect.objectContaining({ code: 'E_SELECTOR_TICKET' }));
  });

  it('sends everything and has nothing left in flight', () => {
    const made = bench(by, { targets: targets(3, () => ({ weight: 1 })) });
    const counts = run(made, { ms: 2_000, behave: (target) => ({ latencyMs: 5 + target }) });
    expect(counts.reduce((sum, count) => sum + count)).toBe(2_000);
    for (const i of [0, 1, 2]) expect(made.selector.inFlight(i)).toBe(0);
  });
});
