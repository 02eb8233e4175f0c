import { describe, expect, test } from 'vitest';
import type { Block, Span } from '../../../bench/routing-live/block.ts';
import { figuresOf } from '../../../bench/routing-live/figures.ts';
import { isKeyed, schedule } from '../../../bench/routing-live/schedule.ts';
import { phases } from '../../../bench/routing-live/script.ts';

const LATE = { unkeyedMs: 800, keyedMs: 250 };
const PER_SECOND = 400;

/** A block in which events take 10 ms, and what `took` says otherwise; NaN: never taken. */
function block(took: (at: number, n: number, spans: readonly Span[]) => number | undefined): Block {
  const spans: Span[] = [];
  for (const { name, ms } of phases(false)) {
    const from = spans.at(-1)?.to ?? 0;
    spans.push({ name, from, to: from + ms });
  }
  const due = schedule(PER_SECOND, spans.at(-1)?.to ?? 0, 1);
  const taken = due.map((at, n) => at + (took(at, n, spans) ?? 10));
  const passed = Array.from({ length: 2_000 }, (_, n) => ({ at: n * 50, bytes: n * 5_000 }));
  return { by: 'adaptive', seed: 1, hit: 'kafka', due, taken, spans, passed, lost: 0, duplicates: 0 };
}

const hole = (spans: readonly Span[]): Span => spans.find(({ name }) => name === 'black hole') as Span;

/** Every fourth event due within `ms` of the black hole takes `took`. */
function swallowing(ms: number, took: number, keyed: boolean): Block {
  return block((at, n, spans) => {
    const since = at - hole(spans).from;
    return since >= 0 && since < ms && isKeyed(n) === keyed && Math.floor(n / 2) % 4 === 0 ? took : undefined;
  });
}

describe('a live block', () => {
  test('without any trouble has nothing to tell', () => {
    const figures = figuresOf(
      block(() => undefined),
      LATE,
    );
    expect(figures).toMatchObject({ failed: 0, unkeyedMs: 0, keyedMs: 0, throughputMs: 0, againMs: 500 });
    expect(figures.p99).toBeCloseTo(10);
  });

  test('the warm-up is not counted, what is never taken counts as given up', () => {
    const figures = figuresOf(
      block((at) => (at < 5_000 ? 1_900 : at < 6_000 ? Number.NaN : undefined)),
      LATE,
    );
    expect(figures.failed / figures.events).toBeCloseTo(1 / 37, 2);
    expect([figures.p50, figures.p99].map(Math.round)).toEqual([10, 2_000]);
    expect(figures.p99Of).toMatchObject({ steady: 2_000, recovery: expect.closeTo(10) });
  });

  test('events leave when the last of those in the hole was due', () => {
    const figures = figuresOf(swallowing(700, 1_050, false), LATE);
    expect(figures.unkeyedMs).toBeGreaterThan(620);
    expect(figures.unkeyedMs).toBeLessThan(700);
    expect(figures.keyedMs).toBe(0);
  });

  test('keyed events that wait for one of their key count', () => {
    const figures = figuresOf(swallowing(1_200, 300, true), LATE);
    expect(figures.keyedMs).toBeGreaterThan(1_100);
    expect(figures.keyedMs).toBeLessThan(1_200);
    expect(figures.unkeyedMs).toBe(0);
  });

  test('stragglers, such as probes, do not keep it from having been left', () => {
    const straggler = block((at, n, spans) => {
      const since = at - hole(spans).from;
      return since >= 0 && !isKeyed(n) && (since < 500 ? n % 8 === 0 : n % 200 === 0) ? 1_100 : undefined;
    });
    expect(figuresOf(straggler, LATE).unkeyedMs).toBeLessThan(500);
  });

  test('never within the phase is infinite', () => {
    const figures = figuresOf(swallowing(8_000, Number.NaN, false), LATE);
    expect([figures.unkeyedMs, figures.throughputMs]).toEqual([Infinity, Infinity]);
  });

  test('throughput is back when events are taken in time', () => {
    const figures = figuresOf(
      block((at, _, spans) => {
        const since = at - hole(spans).from;
        return since >= 0 && since < 1_500 ? 2_500 - since : undefined;
      }),
      LATE,
    );
    expect(figures.throughputMs).toBeGreaterThanOrEqual(1_500);
    expect(figures.throughputMs).toBeLessThanOrEqual(2_000);
  });
});

test('the schedule has the rate asked for and is the same for the same seed', () => {
  const one = schedule(400, 60_000, 7);
  expect(one.length / 60).toBeGreaterThan(380);
  expect(one.length / 60).toBeLessThan(420);
  expect(schedule(400, 60_000, 7)).toEqual(one);
  expect([...one]).toEqual([...one].sort((a, b) => a - b));
});
