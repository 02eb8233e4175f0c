import { rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventHash } from '../../src/telemetry/event-hash.ts';
import { eventually } from '../setup/eventually.ts';
import { decision, directory, files, flushed, keepingLog, rig, stored, subject } from './rig.ts';

describe('a record', () => {
  test('has what was decided, what it was based on, and what came of it', async () => {
    const the = await rig();
    const choice = the.choice('regions', ['eu', 'us', 'ap']);
    const observer = the.telemetry.observe(choice);
    await the.clock.advance(40);
    choice.selector.next(Float32Array.from({ length: 3 * 2 * 3 }, (_, i) => i / 2));
    await the.clock.advance(7);
    const handle = observer.decided(
      subject(1, { bytes: 5_000, attempt: 2, route: 'invoices' }),
      [0, 2],
      decision(2, { by: 'model', policy: 'predictive', propensity: 0.25, explored: true }),
      4,
    );
    await the.clock.advance(12);
    observer.settled(handle, 'ok');
    await the.telemetry.close();
    const { headers, snapshots, decisions } = await stored(the.path);
    expect(headers).toMatchObject([{ telemetry: 1, gateway: 'mesh', instance: 'one', schema: { hash: 'abc' } }]);
    expect(snapshots).toEqual([
      {
        snapshot: 1,
        choice: 'regions',
        tick: 1,
        at: 1_700_000_000_040,
        targets: ['eu', 'us', 'ap'],
        classes: 2,
        features: choice.selector.snapshot()?.features,
        scores: choice.selector.snapshot()?.scores,
        model: 'f00d',
      },
    ]);
    expect(decisions).toEqual([
      {
        decision: 1,
        choice: 'regions',
        ts: 1_700_000_000_047,
        event: eventHash('/tests', 'e1'),
        route: 'invoices',
        size: 1,
        bytes: 5_000,
        eligible: ['eu', 'ap'],
        chosen: 'ap',
        propensity: 0.25,
        explored: true,
        by: 'model',
        policy: 'predictive',
        snapshot: 1,
        age: 7,
        predicted: { mean: 7.5, q95: 8, failure: 8.5 },
        inFlight: 4,
        attempt: 2,
        outcome: 'ok',
        ackMs: 12,
        cost: 2,
        weight: 1,
      },
    ]);
  });

  test('refers to the features of its own tick, of which there is one copy', async () => {
    const the = await rig();
    const choice = the.choice('regions');
    const observer = the.telemetry.observe(choice);
    const handles: number[] = [];
    for (let tick = 1; tick <= 5; tick += 1) {
      await the.clock.advance(20);
      choice.selector.next();
      if (tick === 3) continue; // nothing is decided in this one
      handles.push(observer.decided(subject(tick), [0, 1], decision(0), 0));
      handles.push(observer.decided(subject(tick + 100), [0, 1], decision(1), 0));
    }
    for (const handle of handles) observer.settled(handle, 'ok', 1);
    await the.telemetry.close();
    const { snapshots, decisions } = await stored(the.path);
    expect(snapshots.map(({ tick }) => tick)).toEqual([1, 2, 4, 5]);
    for (const { tick, features } of snapshots) expect(features[0]).toBe(tick * 1_000);
    const ticks = new Map(snapshots.map(({ snapshot, tick }) => [snapshot, tick]));
    expect(decisions.map(({ snapshot }) => ticks.get(snapshot))).toEqual([1, 1, 2, 2, 4, 4, 5, 5]);
  });

  test('before the first tick refers to none', async () => {
    const the = await rig();
    const observer = the.telemetry.observe(the.choice('regions'));
    observer.settled(observer.decided(subject(1), [0], decision(0), 0), 'refused', 3);
    await the.telemetry.close();
    const [only] = (await stored(the.path)).decisions;
    expect(only).toMatchObject({ snapshot: 0, outcome: 'refused', ackMs: 3 });
    expect(only).not.toHaveProperty('predicted');
  });
});

describe('when it is written', () => {
  test('a decision that is not settled holds back those after it, until its timeout is over', async () => {
    const the = await rig();
    const observer = the.telemetry.observe(the.choice('regions'));
    const slow = observer.decided(subject(1), [0, 1], decision(0), 0);
    await the.clock.advance(10);
    for (let n = 2; n < 5; n += 1) observer.settled(observer.decided(subject(n), [0, 1], decision(1), 0), 'ok', 1);
    await the.clock.advance(2_900);
    expect(the.telemetry.counters).toMatchObject({ recorded: 4, open: 4, written: 0 });
    await flushed(the, 4);
    observer.settled(slow, 'ok', 9_999); // too late
    await the.telemetry.close();
    const { decisions } = await stored(the.path);
    expect(decisions.map(({ decision: number, outcome }) => [number, outcome])).toEqual([
      [1, 'timeout'],
      [2, 'ok'],
      [3, 'ok'],
      [4, 'ok'],
    ]);
    expect(decisions[0]?.ackMs).toBeGreaterThan(2_000);
  });

  test('what is not settled at the end is written as open, and nothing is lost', async () => {
    const the = await rig();
    const observer = the.telemetry.observe(the.choice('regions'));
    const handles = Array.from({ length: 2_000 }, (_, n) => observer.decided(subject(n), [0, 1], decision(n % 2), n));
    for (const handle of handles.slice(500)) observer.settled(handle, 'failed', 5);
    await the.telemetry.close();
    const { decisions } = await stored(the.path);
    expect(decisions.map(({ decision: number }) => number)).toEqual(handles.map((_, n) => n + 1));
    expect(decisions.filter(({ outcome }) => outcome === 'open')).toHaveLength(500);
    expect(decisions.filter(({ outcome, ackMs }) => outcome === 'open' && ackMs !== undefined)).toEqual([]);
    expect(the.telemetry.counters).toMatchObject({ recorded: 2_000, written: 2_000, dropped: 0, open: 0 });
  });

  test('an observer that is closed lets those in memory end and takes no more', async () => {
    const the = await rig();
    const observer = the.telemetry.observe(the.choice('regions'));
    const handle = observer.decided(subject(1), [0], decision(0), 0);
    observer.close();
    expect(observer.decided(subject(2), [0], decision(0), 0)).toBe(-1);
    observer.settled(handle, 'failed', 1);
    await flushed(the, 1);
    await the.telemetry.close();
    expect(the.telemetry.counters).toMatchObject({ recorded: 2, written: 1, dropped: 1, open: 0 });
  });
});

describe('sampling', () => {
  test('keeps what did not succeed, and successes with the weight that makes up for it', async () => {
    const the = await rig({ sample: 0.1 });
    const observer = the.telemetry.observe(the.choice('regions'));
    for (let n = 0; n < 5_000; n += 1) {
      const outcome = (['ok', 'ok', 'ok', 'failed', 'timeout'] as const)[n % 5] as 'ok';
      observer.settled(observer.decided(subject(n), [0, 1], decision(0), 0), outcome, n % 50);
    }
    await the.telemetry.close();
    const { decisions } = await stored(the.path);
    const { counters } = the.telemetry;
    const kept = decisions.filter(({ outcome }) => outcome === 'ok');
    expect(decisions.filter(({ outcome }) => outcome !== 'ok')).toHaveLength(2_000);
    expect(kept.length).toBeGreaterThan(200);
    expect(kept.length).toBeLessThan(400);
    expect(new Set(kept.map(({ weight }) => weight))).toEqual(new Set([10]));
    expect(new Set(decisions.filter(({ outcome }) => outcome !== 'ok').map(({ weight }) => weight))).toEqual(
      new Set([1]),
    );
    expect(counters.sampledOut).toBe(3_000 - kept.length);
    expect(counters.recorded).toBe(counters.written + counters.sampledOut + counters.dropped + counters.open);
  });
});

describe('bounds', () => {
  test('what there is no room for in memory is counted and nothing waits', async () => {
    const the = await rig({ maxOpen: 100 });
    const observer = the.telemetry.observe(the.choice('regions'));
    const handles = Array.from({ length: 150 }, (_, n) => observer.decided(subject(n), [0], decision(0), 0));
    expect(handles.filter((handle) => handle < 0)).toHaveLength(50);
    for (const handle of handles) observer.settled(handle, 'failed', 1);
    await the.telemetry.close();
    expect(the.telemetry.counters).toMatchObject({ recorded: 150, dropped: 50, written: 100, open: 0 });
  });

  test('files stay below their size, all of them below theirs, the oldest go, and each can be read alone', async () => {
    const maxFileBytes = 2 ** 20;
    const the = await rig({ maxFileBytes, maxBytes: 3 * maxFileBytes });
    const choice = the.choice('regions');
    const observer = the.telemetry.observe(choice);
    for (let round = 1; round <= 30; round += 1) {
      choice.selector.next();
      for (let n = 0; n < 500; n += 1) observer.settled(observer.decided(subject(n), [0], decision(0), 0), 'failed', 1);
      await flushed(the, round * 500);
    }
    await the.telemetry.close();
    const left = await files(the.path);
    const sizes = await Promise.all(left.map(async (file) => (await stat(file)).size));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(maxFileBytes);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(3 * maxFileBytes);
    expect(the.telemetry.deleted.files).toBeGreaterThan(0);
    expect(left.length).toBeGreaterThan(1);
    for (const file of left) {
      const { snapshots, decisions } = await stored(file);
      const known = new Set(snapshots.map(({ snapshot }) => snapshot));
      expect(decisions.length).toBeGreaterThan(0);
      expect(decisions.every(({ snapshot }) => known.has(snapshot))).toBe(true);
    }
  });

  test('a file is ended when it is old; without records there is none', async () => {
    const the = await rig({ rotateMs: 10_000 });
    const observer = the.telemetry.observe(the.choice('regions'));
    await the.clock.advance(30_000);
    expect(await files(the.path)).toEqual([]);
    for (let round = 1; round <= 3; round += 1) {
      observer.settled(observer.decided(subject(round), [0], decision(0), 0), 'failed', 1);
      await flushed(the, round);
      await the.clock.advance(11_000);
    }
    await the.telemetry.close();
    expect(await files(the.path)).toHaveLength(3);
  });

  test('other files in the directory are left alone', async () => {
    const where = await directory();
    const other = path.join(where, 'notes.txt');
    await writeFile(other, Buffer.alloc(5_000_000));
    const the = await rig({ path: where, maxFileBytes: 2 ** 20, maxBytes: 2 ** 20 });
    const observer = the.telemetry.observe(the.choice('regions'));
    observer.settled(observer.decided(subject(1), [0], decision(0), 0), 'failed', 1);
    await the.telemetry.close();
    expect(await files(where)).toHaveLength(2);
  });
});

describe('a disk that fails', () => {
  test('is told of once, tried again, and nothing is lost that has room in memory', async () => {
    const where = path.join(await directory(), 'telemetry');
    await writeFile(where, 'no directory');
    const { log, said } = keepingLog();
    const the = await rig({ path: where, log });
    const observer = the.telemetry.observe(the.choice('regions'));
    for (let n = 0; n < 10; n += 1) observer.settled(observer.decided(subject(n), [0], decision(0), 0), 'failed', 1);
    await the.clock.advance(500);
    await eventually(() => said.length > 0);
    await the.clock.advance(5_000);
    await rm(where);
    await eventually(async () => {
      await the.clock.advance(30_000);
      return the.telemetry.counters.written === 10;
    });
    await the.telemetry.close();
    expect(said).toEqual([
      expect.stringMatching(/^E_TELEMETRY_WRITE telemetry cannot be written to .*: EEXIST/),
      'telemetry is written again',
    ]);
    expect((await stored(where)).decisions).toHaveLength(10);
  });

  test('at the end, what is left is counted as dropped', async () => {
    const where = path.join(await directory(), 'telemetry');
    await writeFile(where, 'no directory');
    const the = await rig({ path: where });
    const observer = the.telemetry.observe(the.choice('regions'));
    observer.decided(subject(1), [0], decision(0), 0);
    await the.telemetry.close();
    expect(the.telemetry.counters).toMatchObject({ recorded: 1, written: 0, dropped: 1, open: 0 });
  });
});
