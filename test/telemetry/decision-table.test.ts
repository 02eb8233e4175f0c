import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DecisionTable, INT } from '../../src/telemetry/decision-table.ts';

test('keeps the order in which decisions were added, whatever is removed, and knows which handles still hold', () => {
  const step = fc.oneof(fc.constant('add' as const), fc.nat());
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
      const table = new DecisionTable(3, 300);
      const held: { slot: number; handle: number; tag: number }[] = [];
      const gone: number[] = [];
      for (const [tag, what] of steps.entries()) {
        if (what === 'add') {
          const slot = table.add();
          expect(slot < 0).toBe(held.length === 300);
          if (slot < 0) continue;
          table.setInt(slot, INT.bytes, tag);
          held.push({ slot, handle: table.handle(slot), tag });
        } else if (held.length > 0) {
          const [one] = held.splice(what % held.length, 1) as [(typeof held)[number]];
          table.remove(one.slot);
          gone.push(one.handle);
        }
      }
      const order: number[] = [];
      for (let slot = table.first; slot >= 0; slot = table.next(slot)) order.push(table.int(slot, INT.bytes));
      expect(order).toEqual(held.map(({ tag }) => tag));
      expect(table.count).toBe(held.length);
      for (const { slot, handle } of held) expect(table.slot(handle)).toBe(slot);
      for (const handle of gone) expect(table.slot(handle)).toBe(-1);
    }),
  );
});

test('a slot that is used again has no eligible target of the decision before', () => {
  const table = new DecisionTable(70, 1);
  const slot = table.add();
  table.setEligible(slot, [0, 31, 32, 69]);
  expect([0, 1, 31, 32, 33, 69].map((target) => table.isEligible(slot, target))).toEqual([
    true,
    false,
    true,
    true,
    false,
    true,
  ]);
  expect(table.add()).toBe(-1);
  table.remove(slot);
  expect(table.add()).toBe(slot);
  expect(table.isEligible(slot, 69)).toBe(false);
});

test('a handle that never was is none', () => {
  const table = new DecisionTable(1, 4);
  expect([-1, Number.NaN, 5, 2 ** 40].map((handle) => table.slot(handle))).toEqual([-1, -1, -1, -1]);
});
