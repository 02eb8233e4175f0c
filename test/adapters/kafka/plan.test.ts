import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { halves, Plan } from '../../../src/adapters/kafka/plan.ts';

interface Item {
  partition: number;
  bytes: number;
}

/** The legs of every chunk, by partition. */
function planOf(items: readonly Item[], maxBytes: number): number[][][] {
  const plan = new Plan(maxBytes);
  items.forEach(({ partition, bytes }, i) => {
    plan.add(i, 't', partition, { value: null }, bytes);
  });
  return plan.queues.map((queue) => queue.map(({ legs }) => legs));
}

describe('planning a send', () => {
  test('one chunk per partition in the usual case', () => {
    const items = [0, 1, 0, 1, 0].map((partition) => ({ partition, bytes: 1 }));
    expect(planOf(items, 100)).toEqual([[[0, 2, 4]], [[1, 3]]]);
  });

  test('a chunk does not grow over its bytes', () => {
    const items = [60, 60, 30].map((bytes) => ({ partition: 0, bytes }));
    expect(planOf(items, 100)).toEqual([[[0], [1, 2]]]);
  });

  test('every leg once, in order per partition, no chunk over its bytes but for a single leg', () => {
    const item = fc.record({ partition: fc.nat(3), bytes: fc.integer({ min: 1, max: 120 }) });
    fc.assert(
      fc.property(fc.array(item, { maxLength: 60 }), (items) => {
        const queues = planOf(items, 100);
        expect(queues.flat(2).sort((a, b) => a - b)).toEqual(items.map((_, i) => i));
        for (const queue of queues) {
          const legs = queue.flat();
          expect(legs).toEqual([...legs].sort((a, b) => a - b));
          expect(new Set(legs.map((leg) => items[leg]?.partition)).size).toBe(1);
        }
        for (const legs of queues.flat()) {
          const bytes = legs.reduce((sum, leg) => sum + (items[leg] as Item).bytes, 0);
          expect(bytes <= 100 || legs.length === 1).toBe(true);
        }
      }),
    );
  });

  test('halves keep the order', () => {
    const plan = new Plan(100);
    for (const leg of [4, 5, 6]) plan.add(leg, 't', 0, { value: null }, 1);
    const [chunk] = plan.queues[0] ?? [];
    expect(halves(chunk as NonNullable<typeof chunk>).map(({ legs }) => legs)).toEqual([[4], [5, 6]]);
  });
});
