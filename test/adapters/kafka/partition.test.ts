import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PartitionWindow } from '../../../src/adapters/kafka/partition.ts';

const LIMITS = { maxEvents: 4, maxBytes: 1_000 };

/** A fetched batch as the source handles it; the offsets delivered for the first time with their slots. */
function fetched(
  window: PartitionWindow,
  offsets: number[],
  last: number = offsets.at(-1) as number,
): Map<number, number> {
  expect(window.accept(offsets[0] as number)).toBe(true);
  const slots = new Map<number, number>();
  for (const offset of offsets) if (window.isNew(offset)) slots.set(offset, window.deliver(offset));
  window.end(last, 10 * slots.size);
  return slots;
}
const settle = (window: PartitionWindow, slots: Map<number, number>, offset: number): boolean =>
  window.settle(slots.get(offset) as number);

describe('the window of a partition', () => {
  test('commits the contiguous watermark plus one, over gaps of the log', () => {
    const window = new PartitionWindow('t', 0, LIMITS);
    const slots = fetched(window, [10, 11, 15, 16]);
    settle(window, slots, 11);
    settle(window, slots, 15);
    expect(window.due).toBeUndefined();
    settle(window, slots, 10);
    expect(window.due).toBe(16);
    window.committed(16);
    expect(window.due).toBeUndefined();
    settle(window, slots, 16);
    expect(window.due).toBe(17);
  });

  test('a transaction marker at the end counts as settled', () => {
    const window = new PartitionWindow('t', 0, LIMITS);
    const slots = fetched(window, [0, 1], 2);
    settle(window, slots, 0);
    settle(window, slots, 1);
    expect(window.due).toBe(3);
  });

  test('after a rebalance what is in flight is fetched again and not delivered again', () => {
    const window = new PartitionWindow('t', 0, LIMITS);
    const slots = fetched(window, [0, 1, 2]);
    settle(window, slots, 0);
    window.committed(1);
    window.rejoined(false);
    expect([...fetched(window, [1, 2]).keys()]).toEqual([]);
    expect([...fetched(window, [3, 4]).keys()]).toEqual([3, 4]);
    settle(window, slots, 2);
    settle(window, slots, 1);
    expect(window.due).toBe(3);
  });

  test('after an absence nothing is committed before the group position is known, and never back', () => {
    const window = new PartitionWindow('t', 0, LIMITS);
    const slots = fetched(window, [0, 1, 2]);
    window.rejoined(true);
    settle(window, slots, 0);
    expect(window.due).toBeUndefined();
    fetched(window, [2, 3]); // another member has committed 2 meanwhile
    expect(window.due).toBeUndefined();
    settle(window, slots, 1);
    expect(window.due).toBeUndefined();
    settle(window, slots, 2);
    expect(window.due).toBe(3);
  });

  test('offsets that go back void the window', () => {
    const recreated = new PartitionWindow('t', 0, LIMITS);
    fetched(recreated, [50, 51]);
    expect(recreated.accept(0)).toBe(false);
    const reset = new PartitionWindow('t', 0, LIMITS);
    fetched(reset, [50, 51]);
    reset.rejoined(true);
    expect(reset.accept(10)).toBe(false);
  });

  test('full by events above the watermark, settled or not, and by bytes; roomy at half', () => {
    const window = new PartitionWindow('t', 0, LIMITS);
    const slots = fetched(window, [0, 1, 2, 3]);
    expect(window.full).toBe(true);
    for (const offset of [1, 2, 3]) settle(window, slots, offset);
    expect(window.full).toBe(true);
    settle(window, slots, 0);
    expect([window.full, window.roomy]).toEqual([false, true]);
    window.end(3, 2_000);
    expect([window.full, window.roomy]).toEqual([true, false]);
    window.release(2_000);
    expect(window.roomy).toBe(true);
  });

  test('in any order of settling and rejoining nothing unsettled is below what is due', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(99), { minLength: 1, maxLength: 60 }), fc.nat(20), (order, rejoinAt) => {
        const window = new PartitionWindow('t', 0, { maxEvents: 1_000, maxBytes: 1e9 });
        const offsets = Array.from({ length: 30 }, (_, i) => i * 2);
        const slots = fetched(window, offsets);
        const open = new Set(offsets);
        order.forEach((pick, step) => {
          const left = [...open];
          const offset = left[pick % Math.max(1, left.length)];
          if (offset === undefined) return;
          open.delete(offset);
          settle(window, slots, offset);
          const { due } = window;
          if (due !== undefined) {
            expect([...open].every((unsettled) => unsettled >= due)).toBe(true);
            window.committed(due);
          }
          if (step === rejoinAt) window.rejoined(pick % 2 === 0);
          if (step === rejoinAt + 1 && open.size > 0) fetched(window, [Math.min(...open)]);
        });
      }),
    );
  });
});
