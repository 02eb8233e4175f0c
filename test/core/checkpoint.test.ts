import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Checkpoint } from '../../src/core/checkpoint.ts';

describe('the contiguous watermark', () => {
  test('moves over settled positions only', () => {
    const checkpoint = new Checkpoint();
    const [a, b, c] = [checkpoint.deliver(10), checkpoint.deliver(11), checkpoint.deliver(15)];
    expect(checkpoint.watermark).toBeUndefined();
    expect(checkpoint.settle(b)).toBe(false);
    expect(checkpoint.watermark).toBeUndefined();
    expect(checkpoint.settle(a)).toBe(true);
    expect(checkpoint.watermark).toBe(11);
    expect(checkpoint.settle(c)).toBe(true);
    expect(checkpoint.watermark).toBe(15);
    expect([checkpoint.unsettled, checkpoint.window]).toEqual([0, 0]);
  });

  test('a slot settles once', () => {
    const checkpoint = new Checkpoint();
    const slot = checkpoint.deliver(1);
    checkpoint.settle(slot);
    expect(() => checkpoint.settle(slot)).toThrow('already settled');
  });

  test('equals the naive model for any order of settlements, across compactions', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), fc.infiniteStream(fc.nat()), (count, choices) => {
        const checkpoint = new Checkpoint();
        const slots = Array.from({ length: count }, (_, n) => checkpoint.deliver(n));
        const settled = new Set<number>();
        const open = slots.map((_, n) => n);
        let naive = -1;
        while (open.length > 0) {
          // Mostly near the front, as in life, so that the watermark moves and compacts.
          const at = (choices.next().value as number) % Math.min(open.length, 8);
          const [n] = open.splice(at, 1) as [number];
          checkpoint.settle(slots[n] as number);
          settled.add(n);
          while (settled.has(naive + 1)) naive += 1;
          if (naive >= 0 && checkpoint.watermark !== naive) return false;
          if (checkpoint.window !== count - 1 - naive) return false;
        }
        return checkpoint.unsettled === 0;
      }),
      { numRuns: 50 },
    );
  });
});
