import fc from 'fast-check';
import type { IPublishPacket } from 'mqtt';
import { describe, expect, test } from 'vitest';
import { type Carried, Ledger } from '../../../src/adapters/mqtt/ledger.ts';

function packet(messageId: number | undefined, over: Partial<IPublishPacket> = {}): IPublishPacket {
  const base = { cmd: 'publish', topic: 't', payload: Buffer.from(`${messageId}`), qos: 1, dup: false, retain: false };
  return { ...base, ...(messageId === undefined ? { qos: 0 } : { messageId }), ...over } as IPublishPacket;
}

function carried(ledger: Ledger): Map<number, Carried> {
  const into = new Map<number, Carried>();
  ledger.carry(into);
  return into;
}

describe('the ledger of one connection', () => {
  test('packet ids leave in order of receipt, whatever the order of settlement', () => {
    const ledger = new Ledger(8);
    const slots = [11, 12, 13].map((id) => ledger.deliver(packet(id)));
    ledger.settle(slots[2] as number, true);
    ledger.settle(slots[1] as number, true);
    expect(ledger.collect()).toEqual([]);
    ledger.settle(slots[0] as number, true);
    expect(ledger.collect()).toEqual([11, 12, 13]);
    expect(ledger.window).toBe(0);
  });

  test('at the end of a connection the settled ones behind an unsettled one are acknowledged too', () => {
    const ledger = new Ledger(8);
    const slots = [11, 12, 13, 14].map((id) => ledger.deliver(packet(id)));
    for (const index of [3, 1]) ledger.settle(slots[index] as number, true);
    expect(ledger.collectAll()).toEqual([12, 14]);
    expect([...carried(ledger).keys()]).toEqual([11, 13]);
  });

  test('QoS 0 needs no PUBACK, what is given back gets none', () => {
    const ledger = new Ledger(8);
    const slots = [ledger.deliver(packet(undefined)), ledger.deliver(packet(12)), ledger.deliver(packet(13))];
    ledger.settle(slots[0] as number, true);
    ledger.settle(slots[1] as number, false);
    ledger.settle(slots[2] as number, true);
    ledger.settle(slots[2] as number, false);
    expect(ledger.collect()).toEqual([13]);
  });

  test('for any order of settlement every id leaves once and in order', () => {
    const order = fc.shuffledSubarray(
      Array.from({ length: 300 }, (_, n) => n),
      { minLength: 300 },
    );
    fc.assert(
      fc.property(order, fc.integer({ min: 1, max: 64 }), (settlement, burst) => {
        const ledger = new Ledger(300);
        for (let n = 0; n < 300; n += 1) ledger.deliver(packet(n + 1));
        const left: number[] = [];
        settlement.forEach((slot, n) => {
          ledger.settle(slot, true);
          if (n % burst === 0) left.push(...ledger.collect());
        });
        left.push(...ledger.collect());
        expect(left).toEqual(Array.from({ length: 300 }, (_, n) => n + 1));
      }),
      { numRuns: 50 },
    );
  });
});

describe('from one connection to the next', () => {
  test('a repeated packet joins the delivery that is under way', () => {
    const before = new Ledger(4);
    const slot = before.deliver(packet(5));
    const after = new Ledger(4);
    const again = packet(5, { dup: true });
    const heir = after.deliver(again);
    expect(Ledger.handOver(carried(before).get(5) as Carried, again, after, heir)).toBe(true);
    expect(after.collect()).toEqual([]);
    before.settle(slot, true);
    expect(after.collect()).toEqual([5]);
  });

  test('one that was settled too late is acknowledged at once', () => {
    const before = new Ledger(4);
    before.settle(before.deliver(packet(5)), true);
    const after = new Ledger(4);
    const again = packet(5, { dup: true });
    expect(Ledger.handOver(carried(before).get(5) as Carried, again, after, after.deliver(again))).toBe(true);
    expect(after.collect()).toEqual([5]);
  });

  test('joining holds over several connections', () => {
    const ledgers = [new Ledger(4), new Ledger(4), new Ledger(4)] as const;
    const slot = ledgers[0].deliver(packet(5));
    for (const [at, next] of [
      [ledgers[0], ledgers[1]],
      [ledgers[1], ledgers[2]],
    ] as const) {
      const again = packet(5, { dup: true });
      expect(Ledger.handOver(carried(at).get(5) as Carried, again, next, next.deliver(again))).toBe(true);
    }
    ledgers[0].settle(slot, true);
    expect(ledgers[2].collect()).toEqual([5]);
  });

  test.each([
    ['without the duplicate flag', packet(5)],
    ['on another topic', packet(5, { dup: true, topic: 'u' })],
    ['with other bytes', packet(5, { dup: true, payload: Buffer.from('other') })],
  ])('an id used again %s is another event', (_, again) => {
    const before = new Ledger(4);
    before.deliver(packet(5));
    const after = new Ledger(4);
    expect(Ledger.handOver(carried(before).get(5) as Carried, again, after, after.deliver(again))).toBe(false);
  });

  test('what was given back is delivered again', () => {
    const before = new Ledger(4);
    before.settle(before.deliver(packet(5)), false);
    expect(carried(before).size).toBe(0);
  });
});
