import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileGate } from '../../src/router/gate.ts';
import { LinearMatcher, type MatchedRoute } from '../../src/router/linear-matcher.ts';
import { samplePoint } from '../../src/router/sample.ts';
import { jsonEvent } from '../setup/events.ts';

const event = jsonEvent(1);

describe('window', () => {
  const at = (now: number, active: { fromMs?: number; toMs?: number }): boolean =>
    compileGate({ active }, () => now)?.(event) ?? true;

  test('from is inside, to is not', () => {
    const active = { fromMs: 100, toMs: 200 };
    expect([99, 100, 199, 200].map((now) => at(now, active))).toEqual([false, true, true, false]);
  });

  test('either end may be open', () => {
    expect([99, 100, 1e15].map((now) => at(now, { fromMs: 100 }))).toEqual([false, true, true]);
    expect([0, 199, 200].map((now) => at(now, { toMs: 200 }))).toEqual([true, true, false]);
  });

  test('opens and closes while the gateway runs', () => {
    let now = 0;
    const gate = compileGate({ active: { fromMs: 100, toMs: 200 }, sample: 1 }, () => now);
    const seen = [0, 150, 250].map((moment) => {
      now = moment;
      return gate?.(event);
    });
    expect(seen).toEqual([false, true, false]);
  });

  test('a route without window and sample has no gate', () => {
    expect(compileGate({}, () => 0)).toBeUndefined();
    expect(compileGate({ sample: 1 }, () => 0)).toBeUndefined();
  });
});

describe('sample', () => {
  const named = (source: string, id: string): number => samplePoint(jsonEvent(1, { source, id }));

  // Worked out apart from the code, with the constants of both hashes: other programs may have to draw the same sample.
  test.each([
    ['/plant/7', '1', 4_120_652_121],
    ['/plant/7', '2', 1_631_730_970],
    ['/grüße', '😀-1', 2_864_304_960],
    ['', '', 91_794_203],
  ])('%j %j stands at a fixed place', (source, id, point) => {
    expect(Math.round(named(source, id) * 2 ** 32)).toBe(point);
  });

  test('source and id do not run into one another', () => {
    expect(named('/a', 'bc')).not.toBe(named('/ab', 'c'));
  });

  test('takes the part it is asked for, of counters and of random ids alike', () => {
    const ids = Array.from({ length: 100_000 }, (_, n) => n);
    for (const sample of [0.01, 0.1, 0.5]) {
      for (const id of [(n: number) => String(n), (n: number) => `order-2026-08-01-${n * 17}`]) {
        const taken = ids.filter((n) => named('/plant/7', id(n)) < sample).length;
        // Six standard deviations of a fair draw.
        const slack = 6 * Math.sqrt(ids.length * sample * (1 - sample));
        expect(Math.abs(taken - ids.length * sample)).toBeLessThan(slack);
      }
    }
  });

  test('a smaller sample is a part of a larger one, and depends on nothing but source and id', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.string(),
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        (id, source, sample) => {
          const one = jsonEvent(1, { id, source });
          const other = jsonEvent(2, { id, source, type: 'other', time: undefined });
          const taken = compileGate({ sample }, () => 0)?.(one) ?? true;
          expect(compileGate({ sample }, () => 1)?.(other) ?? true).toBe(taken);
          if (taken) expect(compileGate({ sample: Math.min(1, sample * 2) }, () => 0)?.(one) ?? true).toBe(true);
        },
      ),
    );
  });
});

describe('in a matcher', () => {
  const route = (over: Partial<MatchedRoute>): MatchedRoute => ({
    from: [0],
    filters: [],
    continue: true,
    disabled: false,
    ...over,
  });
  const matched = (routes: readonly MatchedRoute[]): number[] => {
    const out: number[] = [];
    const count = new LinearMatcher(routes).match(event, 0, out);
    return out.slice(0, count);
  };

  test('a closed gate is no match, so it does not end the search either', () => {
    expect(matched([route({ only: () => false, continue: false }), route({})])).toEqual([1]);
    expect(matched([route({ only: () => true, continue: false }), route({})])).toEqual([0]);
  });

  test('the gate is asked last', () => {
    let asked = 0;
    const only = (): boolean => {
      asked += 1;
      return true;
    };
    expect(matched([route({ filters: [{ exact: { type: 'x' } }], only })])).toEqual([]);
    expect(asked).toBe(0);
  });
});
