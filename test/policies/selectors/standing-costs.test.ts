import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Scorer } from '../../../src/core/scorer.ts';
import { bench, targets } from './driver.ts';

const PARTS = ['latency', 'slo', 'failure', 'cost', 'congestion'] as const;

/** Scores that change with every answer. */
function restless(): Scorer {
  let n = 0;
  return {
    score: (_features, rows) => {
      const scores = new Float32Array(rows * 3);
      for (let row = 0; row < rows; row += 1) {
        n += 1;
        scores.set([Math.log(2 + (n % 50)), Math.log(10 + (n % 70)), (n % 9) / 20], row * 3);
      }
      return scores;
    },
  };
}

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('send' as const), target: fc.nat(3) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('settle' as const),
        at: fc.nat(50),
        status: fc.constantFrom('ok', 'failed', 'timeout', 'recalled'),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(400), tick: fc.boolean() }) },
  ),
  { minLength: 1, maxLength: 60 },
);

describe.each(['adaptive', 'predictive'] as const)('%s', (by) => {
  it('keeps costs that are those computed anew, whatever happens in between', () => {
    fc.assert(
      fc.property(
        steps,
        fc.array(fc.constantFrom(100, 9_000, 900_000), { minLength: 1 }),
        fc.nat(3),
        (script, sizes, rest) => {
          const config = { targets: targets(4, (i) => ({ cost: i / 10, ...(i === 0 && { floorMs: 3 }) })) };
          const made = bench(by, config, { scorer: restless() });
          const { selector } = made;
          const flying: number[] = [];
          for (const [n, step] of script.entries()) {
            const event = { bytes: sizes[n % sizes.length] as number };
            if (step.do === 'send') flying.push(selector.sent(step.target, event));
            else if (step.do === 'settle') {
              const [ticket] = flying.splice(step.at % Math.max(1, flying.length), 1);
              if (ticket !== undefined) selector.settled(ticket, step.status as 'ok');
            } else {
              made.now += step.ms;
              if (step.tick) selector.tick();
            }
            // Some of it happens without anybody looking.
            if (n % (rest + 1) !== 0) continue;
            selector.choose(event);
            const { candidates } = selector.explain(event);
            for (const { score, parts } of candidates) {
              const anew = PARTS.reduce((sum, name) => sum + (parts[name] as number), 0);
              expect(score / anew).toBeCloseTo(1, 9);
            }
            expect(candidates.reduce((sum, { propensity }) => sum + propensity, 0)).toBeCloseTo(1, 9);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});
