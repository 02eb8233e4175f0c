import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { halves, Plan } from '../../../src/adapters/kafka/plan.ts';

const message = { value: null };

interface Item {
  key: string | undefined;
  partition: number;
  bytes: number;
}

function planOf(items: readonly Item[], maxBytes: number): Plan {
  const plan = new Plan(maxBytes);
  items.forEach(({ key, partition, bytes }, i) => {
    plan.add(i, key, 't', partition, message, bytes);
  });
  return plan;
}

describe('planning a send', () => {
  test('one stage with one chunk per partition in the usual case', () => {
    const items = [0, 1, 0, 1, 0].map((partition) => ({ key: `k${partition}`, partition, bytes: 1 }));
    expect(planOf(items, 100).stages.map((stage) => stage.map(({ legs }) => legs))).toEqual([
      [
        [0, 2, 4],
        [1, 3],
      ],
    ]);
  });

  test('a key whose legs go to several partitions is sent in stages', () => {
    const items = [0, 1, 0].map((partition) => ({ key: 'k', partition, bytes: 1 }));
    expect(planOf(items, 100).stages.map((stage) => stage.map(({ legs }) => legs))).toEqual([[[0]], [[1]], [[2]]]);
  });

  test('a chunk does not grow over its bytes', () => {
    const items = [60, 60, 30].map((bytes) => ({ key: undefined, partition: 0, bytes }));
    expect(planOf(items, 100).stages.map((stage) => stage.map(({ legs }) => legs))).toEqual([[[0]], [[1, 2]]]);
  });

  test('every leg once, in order per partition and per key, a key in one chunk per stage', () => {
    const item = fc.record({
      key: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
      partition: fc.integer({ min: 0, max: 2 }),
      bytes: fc.integer({ min: 1, max: 120 }),
    });
    fc.assert(
      fc.property(fc.array(item, { maxLength: 40 }), (items) => {
        const { stages } = planOf(items, 100);
        const sent = stages.flatMap((stage, at) =>
          stage.flatMap((chunk) => chunk.legs.map((leg) => ({ leg, at, chunk }))),
        );
        expect(sent.map(({ leg }) => leg).sort((a, b) => a - b)).toEqual(items.map((_, i) => i));
        for (const a of sent) {
          const [x, key] = [items[a.leg] as Item, items[a.leg]?.key];
          for (const b of sent) {
            if (b.leg <= a.leg) continue;
            const y = items[b.leg] as Item;
            const isOrdered =
              a.at < b.at || (a.chunk === b.chunk && a.chunk.legs.indexOf(a.leg) < b.chunk.legs.indexOf(b.leg));
            if (x.partition === y.partition || (key !== undefined && key === y.key)) expect(isOrdered).toBe(true);
          }
        }
        for (const { chunk } of sent) {
          const bytes = chunk.legs.reduce((sum, leg) => sum + (items[leg] as Item).bytes, 0);
          expect(bytes <= 100 || chunk.legs.length === 1).toBe(true);
        }
      }),
    );
  });

  test('halves keep the order', () => {
    const [chunk] =
      planOf(
        [1, 2, 3].map(() => ({ key: undefined, partition: 0, bytes: 1 })),
        100,
      ).stages[0] ?? [];
    expect(halves(chunk as NonNullable<typeof chunk>).map(({ legs }) => legs)).toEqual([[0], [1, 2]]);
  });
});
