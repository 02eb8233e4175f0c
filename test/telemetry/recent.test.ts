import { utimesSync } from 'node:fs';
import { expect, test } from 'vitest';
import { recentRecords } from '../../src/telemetry/recent.ts';
import { recordWorld } from '../models/recorded-world.ts';
import { decision, directory, files, flushed, rig, stored, subject } from './rig.ts';

test('the last records of the run that wrote last, as far back as is asked for', async () => {
  const path = await directory();
  expect(await recentRecords(path, { spanMs: 1_000, most: 100 })).toBeUndefined();
  await recordWorld(path, 4);
  await recordWorld(path, 2, 2);
  const [one, other] = await files(path);
  utimesSync(one as string, 2_000, 2_000);
  utimesSync(other as string, 1_000, 1_000);
  const before = await recentRecords(path, { spanMs: 60_000, most: 100_000 });
  utimesSync(other as string, 3_000, 3_000);
  const after = await recentRecords(path, { spanMs: 60_000, most: 100_000 });
  expect(before?.header.run).not.toBe(after?.header.run);
  const [all, rest] = [before, after].map((found) => found?.choices.get('regions')?.decisions.length ?? 0);
  expect([all, rest].sort()).toEqual([300, 600]);

  const { decisions = [], snapshots = [] } =
    (await recentRecords(path, { spanMs: 500, most: 100_000 }))?.choices.get('regions') ?? {};
  const last = decisions.at(-1)?.ts ?? 0;
  expect(decisions.length).toBeGreaterThan(50);
  expect(decisions.every(({ ts }) => ts >= last - 500)).toBe(true);
  const known = new Set(snapshots.map(({ snapshot }) => snapshot));
  expect(decisions.every(({ snapshot }) => known.has(snapshot))).toBe(true);
  const few = (await recentRecords(path, { spanMs: 60_000, most: 20 }))?.choices.get('regions');
  expect(few?.decisions.map(({ decision: id }) => id)).toEqual(decisions.slice(-20).map(({ decision: id }) => id));
});

test('it goes on to the files before where the last one is too short', async () => {
  const the = await rig({ rotateMs: 1_000 });
  const { path, telemetry } = the;
  const observer = telemetry.observe(the.choice('any'));
  for (let n = 1; n <= 8; n += 1) {
    observer.settled(observer.decided(subject(n), [0, 1], decision(0), 0), 'ok', 5);
    await flushed(the, n);
    await the.clock.advance(1_100);
  }
  await telemetry.close();
  const written = await stored(path);
  expect(written.headers).toHaveLength(8);
  const times = written.decisions.map(({ ts }) => ts);
  const spanMs = (times.at(-1) as number) - (times[3] as number);
  const found = (await recentRecords(path, { spanMs, most: 1_000 }))?.choices.get('any');
  expect(found?.decisions.map(({ ts }) => ts)).toEqual(times.slice(3));
});
