import { describe, expect, test } from 'vitest';
import type { DecisionObserver } from '../../src/core/decision-observer.ts';
import type { Decision, FeatureSnapshot } from '../../src/core/selector.ts';
import { ChoiceTally } from '../../src/learning/choice-tally.ts';
import { CostBook } from '../../src/learning/cost-book.ts';
import { DRIFT_RULES, type DriftAlarm } from '../../src/models/drift.ts';
import { FakeClock } from '../setup/fake-clock.ts';

const subject = { event: { source: '/s', id: '1' }, route: 'r', bytes: 10, attempt: 1 };
const chosen = (target: number): Decision => ({
  target,
  by: 'model',
  policy: 'predictive',
  propensity: 1,
  explored: false,
  reason: undefined,
});

function rig(next?: DecisionObserver) {
  const clock = new FakeClock();
  const book = new CostBook();
  const alarms: DriftAlarm[] = [];
  const world = { predictedMs: 10, model: 'a' };
  const snapshot = (): FeatureSnapshot => {
    const scores = new Float32Array(6);
    scores.fill(Math.log(world.predictedMs));
    return {
      tick: 1,
      at: 0,
      rows: 2,
      classes: 1,
      columns: 1,
      features: new Float32Array(2),
      scores,
      model: world.model,
    };
  };
  const tally = new ChoiceTally({
    selector: { targets: [{ name: 'eu', cost: 2 }, { name: 'us' }], snapshot, sizeClass: () => 0 },
    timeoutMs: 500,
    costMs: 100,
    book,
    clock,
    drift: { ...DRIFT_RULES, warmUp: 5 },
    onDrift: (alarm) => alarms.push(alarm),
    next,
  });
  const decide = (target: number): number => tally.decided(subject, [0, 1], chosen(target), 0);
  return { clock, book, alarms, world, tally, decide };
}

describe('a tally', () => {
  test('counts latency and price, and a failure at the timeout, in the slice of the decision', async () => {
    const { clock, book, tally, decide } = rig();
    const first = book.begin(0);
    const [a, b, c] = [decide(0), decide(1), decide(1)];
    const second = book.begin(0);
    await clock.advance(20);
    tally.settled(a, 'ok');
    tally.settled(b, 'timeout');
    tally.settled(c, 'recalled');
    expect(book.figures(first)).toEqual({ events: 2, cost: (220 + 500) / 2, failures: 0.5 });
    expect(book.figures(second).events).toBe(0);
  });

  test('what is decided in the beginning of a slice, or in none, is not counted', async () => {
    const { clock, book, tally, decide } = rig();
    tally.settled(decide(1), 'ok', 5);
    const slice = book.begin(clock.now() + 100);
    tally.settled(decide(1), 'ok', 5);
    await clock.advance(100);
    tally.settled(decide(1), 'ok', 7);
    expect(book.figures(slice)).toEqual({ events: 1, cost: 7, failures: 0 });
    book.end();
    tally.settled(decide(1), 'ok', 9);
    expect(book.figures(slice).events).toBe(1);
  });

  test('tells the next observer the same, also when many are under way', () => {
    const heard: string[] = [];
    let handles = 100;
    const { tally, decide } = rig({
      decided: () => handles++,
      settled: (handle, outcome, ms) => heard.push(`${handle} ${outcome} ${ms}`),
    });
    const open = Array.from({ length: 1_000 }, () => decide(0));
    expect(new Set(open).size).toBe(1_000);
    for (const handle of open.reverse()) tally.settled(handle, 'ok', 3);
    expect(heard).toHaveLength(1_000);
    expect(heard[0]).toBe('1099 ok 3');
    expect(heard.at(-1)).toBe('100 ok 3');
    expect(tally.missed).toBe(0);
  });

  test('hears when forecasts get worse, and starts anew with another model', async () => {
    const { clock, tally, decide, world, alarms } = rig();
    const seconds = async (count: number, ms: number): Promise<void> => {
      for (let i = 0; i < count * 20; i += 1) {
        tally.settled(decide(1), 'ok', ms);
        await clock.advance(50);
      }
    };
    await seconds(30, 10);
    await seconds(20, 40);
    expect(alarms).toMatchObject([{ target: 1 }]);
    expect(Math.abs((alarms[0]?.since ?? 0) - 30_000)).toBeLessThan(5_000);
    world.model = 'b';
    world.predictedMs = 40;
    await seconds(20, 40);
    expect(alarms).toHaveLength(1);
  });
});
