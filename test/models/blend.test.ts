import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Blend, type BlendRules } from '../../src/models/blend.ts';

const RULES: BlendRules = { prior: [0.8, 0.15, 0.05], tauMs: 10_000, rate: 20, most: 3, pooled: 10 };

function feed(blend: Blend, target: number, losses: readonly number[], times: number): void {
  for (let n = 0; n < times; n += 1) {
    blend.counted(target);
    for (const [k, loss] of losses.entries()) blend.lost(target, k, loss);
    blend.roll(20);
  }
}

describe('weights of forecasters', () => {
  it('are the prior without evidence', () => {
    const blend = new Blend(2, RULES);
    blend.roll(20);
    for (const [k, weight] of RULES.prior.entries()) expect(blend.weight(1, k)).toBeCloseTo(weight, 9);
  });

  it.each([0, 1, 2])('go to forecaster %i where that is the best, and on to another that becomes it', (best) => {
    const blend = new Blend(1, RULES);
    const losses = (k: number): number[] => [0, 1, 2].map((other) => (other === k ? 0.3 : 0.8));
    feed(blend, 0, losses(best), 300);
    expect(blend.weight(0, best)).toBeGreaterThan(0.95);
    const next = (best + 1) % 3;
    feed(blend, 0, losses(next), 3_000);
    expect(blend.weight(0, next)).toBeGreaterThan(0.95);
  });

  it('differ by target, and a target with few sends is judged by all', () => {
    const blend = new Blend(3, RULES);
    for (let n = 0; n < 200; n += 1) {
      feed(blend, 0, [1.5, 0.2, 1], 1);
      feed(blend, 1, [0.2, 1, 1], 1);
    }
    expect(blend.weight(0, 1)).toBeGreaterThan(0.9);
    expect(blend.weight(1, 0)).toBeGreaterThan(0.9);
    // Of both together the average was the better one.
    expect(blend.weight(2, 0)).toBeLessThan(RULES.prior[0] as number);
  });

  it('return to the prior where nothing is sent, and on a reset', () => {
    const blend = new Blend(1, RULES);
    feed(blend, 0, [3, 0, 0], 100);
    expect(blend.weight(0, 0)).toBeLessThan(0.01);
    blend.roll(600_000);
    expect(blend.weight(0, 0)).toBeCloseTo(0.8, 3);
    feed(blend, 0, [3, 0, 0], 100);
    blend.reset();
    expect(blend.weight(0, 0)).toBe(0.8);
    expect(blend.evidence(0)).toBe(0);
  });

  it('are finite, not negative, and have a sum of 1, whatever they are told', () => {
    const odd = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1));
    const step = fc.record({
      target: fc.nat(2),
      losses: fc.tuple(odd, odd, odd),
      ms: fc.integer({ min: 0, max: 1e7 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const blend = new Blend(3, RULES);
        for (const { target, losses, ms } of steps) {
          blend.counted(target);
          for (const [k, loss] of losses.entries()) blend.lost(target, k, loss);
          blend.roll(ms);
          for (let t = 0; t < 3; t += 1) {
            const weights = [0, 1, 2].map((k) => blend.weight(t, k));
            expect(weights.every((weight) => weight >= 0 && weight <= 1)).toBe(true);
            expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 9);
          }
        }
      }),
    );
  });
});
