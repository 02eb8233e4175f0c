import { afterEach, expect, test } from 'vitest';
import { BacklogPoller, type PolledTarget } from '../../src/telemetry/backlog-poller.ts';
import { FakeClock } from '../setup/fake-clock.ts';
import { seeded } from '../setup/seeded.ts';
import { keepingLog } from './rig.ts';

let poller: BacklogPoller | undefined;
afterEach(() => poller?.stop());

/** Polls targets that answer as told; what was heard, by name. */
function poll(targets: Readonly<Record<string, () => Promise<number | undefined>>>): {
  readonly clock: FakeClock;
  readonly heard: Record<string, [number, number][]>;
  readonly asked: Record<string, number>;
  readonly said: string[];
} {
  const clock = new FakeClock();
  const heard: Record<string, [number, number][]> = {};
  const asked: Record<string, number> = {};
  const polled = Object.entries(targets).map(([name, backlog]): PolledTarget => {
    heard[name] = [];
    asked[name] = 0;
    const counted = (): Promise<number | undefined> => {
      asked[name] = (asked[name] ?? 0) + 1;
      return backlog();
    };
    return { name, target: { backlog: counted }, onDepth: (depth, ageMs) => heard[name]?.push([depth, ageMs]) };
  });
  const { log, said } = keepingLog();
  poller = new BacklogPoller({ targets: polled, clock, random: seeded(3), log });
  return { clock, heard, asked, said };
}

test('asks each target about once a second, and tells how old the answer may be', async () => {
  let depth = 0;
  const { clock, heard, asked } = poll({
    kafka: async () => (depth += 1),
    slow: () => new Promise((resolve) => clock.after(300, () => resolve(7))),
  });
  await clock.advance(20_000);
  expect(asked['kafka']).toBeGreaterThanOrEqual(16);
  expect(asked['kafka']).toBeLessThanOrEqual(21);
  expect(heard['kafka']?.map(([value]) => value)).toEqual(heard['kafka']?.map((_, n) => n + 1));
  expect(new Set(heard['slow']?.map(String))).toEqual(new Set(['7,300']));
  expect(asked['slow']).toBeLessThanOrEqual(16);
});

test('one that never answers is not asked again, and holds up no other', async () => {
  const { clock, heard, asked } = poll({ dead: () => new Promise(() => undefined), fine: async () => 1 });
  await clock.advance(60_000);
  expect(asked['dead']).toBe(1);
  expect(heard['dead']).toEqual([]);
  expect(heard['fine']?.length).toBeGreaterThan(40);
});

test('one that cannot tell is asked ever more seldom, and often again once it can', async () => {
  let known: number | undefined;
  const { clock, heard, asked } = poll({ mqtt: async () => known });
  await clock.advance(600_000);
  expect(asked['mqtt']).toBeGreaterThan(15);
  expect(asked['mqtt']).toBeLessThan(30);
  known = 5;
  await clock.advance(60_000);
  expect(heard['mqtt']?.length).toBeGreaterThan(10);
});

test('answers that are late or no number are not told', async () => {
  const { clock, heard } = poll({
    late: () => new Promise((resolve) => clock.after(11_000, () => resolve(1))),
    odd: async () => Number.NaN,
    below: async () => -1,
  });
  await clock.advance(100_000);
  expect(heard).toEqual({ late: [], odd: [], below: [] });
});

test('a failure is logged once, and once more after it had worked', async () => {
  let works = false;
  const { clock, said } = poll({
    queue: () => (works ? Promise.resolve(1) : Promise.reject(Object.assign(new Error('no'), { code: 'E_X' }))),
  });
  await clock.advance(20_000);
  expect(said).toEqual(['E_X the backlog cannot be polled: no']);
  works = true;
  await clock.advance(40_000);
  works = false;
  await clock.advance(20_000);
  expect(said).toHaveLength(2);
});

test('nothing is asked or told after it was stopped', async () => {
  const { clock, heard, asked } = poll({
    slow: () => new Promise((resolve) => clock.after(300, () => resolve(7))),
  });
  await clock.advance(1_000);
  expect(asked['slow']).toBe(1);
  poller?.stop();
  await clock.advance(10_000);
  expect(asked['slow']).toBe(1);
  expect(heard['slow']?.length).toBeLessThanOrEqual(1);
  expect(clock.pending).toBe(0);
});
