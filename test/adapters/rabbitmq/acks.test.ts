import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AckWindow } from '../../../src/adapters/rabbitmq/acks.ts';

function windowOf(count: number): AckWindow {
  const window = new AckWindow();
  for (let tag = 1; tag <= count; tag += 1) window.deliver(tag);
  return window;
}

describe('AckWindow', () => {
  test('everything below the lowest unsettled tag goes out as one', () => {
    const window = windowOf(5);
    for (const tag of [3, 1, 2, 5]) window.ack(tag);
    expect(window.take(false)).toEqual({ upTo: 3, each: [] });
    expect(window.waiting).toBe(1);
    expect(window.take(true)).toEqual({ upTo: undefined, each: [5] });
    window.ack(4);
    expect(window.take(false)).toEqual({ upTo: 4, each: [] });
  });

  test('a multiple-ack never names a tag that is no longer outstanding', () => {
    const window = windowOf(3);
    window.ack(1);
    window.drop(2);
    expect(window.take(false)).toEqual({ upTo: 1, each: [] });
    window.drop(3);
    expect(window.take(true)).toEqual({ upTo: undefined, each: [] });
  });

  test('a tag settled before, or never delivered, is refused', () => {
    const window = windowOf(1);
    expect(window.ack(1)).toBe(true);
    expect(window.ack(1)).toBe(false);
    expect(window.drop(1)).toBe(false);
    expect(window.ack(9)).toBe(false);
  });

  /** The broker's side: an unknown tag is a channel error, a multiple-ack takes all outstanding up to its tag. */
  class Broker {
    readonly outstanding = new Set<number>();
    readonly acked = new Set<number>();

    ack(tag: number, multiple: boolean): void {
      if (!this.outstanding.has(tag)) throw new Error(`406: unknown delivery tag ${tag}`);
      for (const other of multiple ? [...this.outstanding].filter((each) => each <= tag) : [tag]) {
        this.outstanding.delete(other);
        this.acked.add(other);
      }
    }
  }

  test('in any order of deliveries, settlements and flushes: exactly what was settled is acknowledged, once', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('deliver' as const) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('ack' as const, 'drop' as const), at: fc.nat() }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('flush' as const), all: fc.boolean() }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const window = new AckWindow();
        const broker = new Broker();
        const open: number[] = [];
        const settled = new Set<number>();
        let tag = 0;
        const flush = (all: boolean): void => {
          const { upTo, each } = window.take(all);
          if (upTo !== undefined) broker.ack(upTo, true);
          for (const one of each) broker.ack(one, false);
        };
        for (const action of steps) {
          if (action.kind === 'deliver') {
            tag += 1;
            window.deliver(tag);
            broker.outstanding.add(tag);
            open.push(tag);
          } else if (action.kind === 'flush') {
            flush(action.all);
          } else if (open.length > 0) {
            const [one = 0] = open.splice(action.at % open.length, 1);
            if (action.kind === 'ack') {
              window.ack(one);
              settled.add(one);
            } else {
              window.drop(one);
              broker.outstanding.delete(one);
            }
          }
        }
        flush(true);
        expect([...broker.acked].sort((a, b) => a - b)).toEqual([...settled].sort((a, b) => a - b));
        expect([...broker.outstanding]).toEqual(open.sort((a, b) => a - b));
      }),
    );
  });
});
