import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { TrainingRow } from '../../src/core/training-row.ts';
import { readTelemetry } from '../../src/telemetry/read.ts';
import { seeded } from '../setup/seeded.ts';
import { COLUMNS, decision, directory, files, type Rig, rig, SCHEMA, subject } from './rig.ts';

const schemaHash = SCHEMA.hash;

async function rowsOf(where: string | readonly string[], ahead = false): Promise<TrainingRow[]> {
  const rows: TrainingRow[] = [];
  for await (const row of readTelemetry(where, { schemaHash, ahead })) rows.push(row);
  return rows;
}

/** Sends one event per tick of 20 ms to each target in turn, for `ticks` ticks. */
async function run(the: Rig, ticks: number, name = 'regions'): Promise<void> {
  const choice = the.choice(name);
  const observer = the.telemetry.observe(choice);
  for (let n = 0; n < ticks; n += 1) {
    await the.clock.advance(20);
    choice.selector.next();
    const target = n % 2;
    const handle = observer.decided(subject(n, { bytes: n % 3 === 0 ? 5_000 : 10 }), [0, 1], decision(target), 0);
    observer.settled(handle, n % 5 === 0 ? 'failed' : 'ok', 3 + n);
  }
}

describe('rows', () => {
  test('have the features of the target and size as of the decision, and what became of it', async () => {
    const the = await rig();
    await run(the, 30);
    await the.telemetry.close();
    const rows = await rowsOf(the.path);
    expect(rows).toHaveLength(30);
    for (const [n, row] of rows.entries()) {
      const feature = (n + 1) * 1_000 + (n % 2) * 2 + (n % 3 === 0 ? 1 : 0);
      const ts = 1_700_000_000_000 + (n + 1) * 20;
      expect(row.features).toHaveLength(COLUMNS);
      expect(row.features[0]).toBe(feature);
      expect(row).toMatchObject({ ts, target: n % 2 === 0 ? 'eu' : 'us', ms: 3 + n, weight: 1, known: ts + 3 + n });
      expect(row.failed).toBe(n % 5 === 0);
    }
  });

  test('come twice with `ahead`: as of the send, and as of a second or two before', async () => {
    const the = await rig();
    await run(the, 200);
    await the.telemetry.close();
    const rows = await rowsOf(the.path, true);
    const byTime = new Map<number, TrainingRow[]>();
    for (const row of rows) byTime.set(row.ts, [...(byTime.get(row.ts) ?? []), row]);
    expect(byTime.size).toBe(200);
    expect(new Set(rows.map(({ weight }) => weight))).toEqual(new Set([0.5]));
    const spans: number[] = [];
    for (const [ts, [now, before, ...rest]] of byTime) {
      expect(rest).toEqual([]);
      const since = ts - 1_700_000_000_000;
      if (since > 2_040) expect(before).toBeDefined();
      if (before === undefined) continue;
      const tickNow = Math.floor((now?.features[0] as number) / 1_000);
      const tickBefore = Math.floor((before.features[0] as number) / 1_000);
      expect((before.features[0] as number) % 1_000).toBe((now?.features[0] as number) % 1_000);
      spans.push((tickNow - tickBefore) * 20);
      expect(before).toMatchObject({ ms: now?.ms, failed: now?.failed, target: now?.target });
    }
    expect(Math.min(...spans)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...spans)).toBeLessThanOrEqual(2_000);
    expect(new Set(spans).size).toBeGreaterThan(10);
  });

  test('are of sends whose outcome says something of the target', async () => {
    const the = await rig();
    const choice = the.choice('regions');
    const observer = the.telemetry.observe(choice);
    choice.selector.next();
    const outcomes = ['ok', 'failed', 'timeout', 'refused', 'unknown', 'recalled', 'breaker'] as const;
    for (const [n, outcome] of outcomes.entries()) {
      observer.settled(observer.decided(subject(n), [0], decision(0), 0), outcome, n);
    }
    observer.decided(subject(9), [0], decision(0), 0); // never settled
    await the.telemetry.close();
    const reading = readTelemetry(the.path, { schemaHash, ahead: false });
    const failed: boolean[] = [];
    for await (const row of reading) failed.push(row.failed);
    expect(failed).toEqual([false, true, true, true, true]);
    expect(reading.counts).toEqual({
      files: 1,
      gone: 0,
      decisions: 8,
      snapshots: 1,
      rows: 5,
      unlabelled: 3,
      unjoined: 0,
      badLines: 0,
    });
  });

  test('join across files and over several choices', async () => {
    const the = await rig({ maxFileBytes: 2 ** 20, maxBytes: 2 ** 25, rotateMs: 1_000 });
    await Promise.all([run(the, 40, 'one'), run(the, 40, 'two')]);
    await the.clock.advance(5_000);
    await run(the, 40, 'three');
    await the.telemetry.close();
    const reading = readTelemetry(await files(the.path), { schemaHash });
    let rows = 0;
    for await (const { features } of reading) rows += features.length > 0 ? 1 : 0;
    expect(reading.counts).toMatchObject({ decisions: 120, unjoined: 0, rows });
  });
});

describe('a file', () => {
  test('that a crash cut off gives all but its last line', async () => {
    const the = await rig();
    await run(the, 10);
    await the.telemetry.close();
    const [file] = (await files(the.path)) as [string];
    const text = await readFile(file, 'utf8');
    for (const cut of [1, 40, 200]) {
      await writeFile(file, text.slice(0, -cut));
      const reading = readTelemetry(the.path, { schemaHash, ahead: false });
      let rows = 0;
      for await (const _ of reading) rows += 1;
      expect([rows, reading.counts.badLines]).toEqual(cut === 1 ? [10, 0] : [9, 1]);
    }
  });

  test('with other lines is read around them', async () => {
    const the = await rig();
    await run(the, 3);
    await the.telemetry.close();
    const [file] = (await files(the.path)) as [string];
    await appendFile(file, '{"decision":1}\nnull\n[]\n{"snapshot":9,"choice":"regions"}\nnonsense\n');
    const reading = readTelemetry(file, { schemaHash });
    for await (const { target } of reading) expect(target).toMatch(/eu|us/);
    expect(reading.counts).toMatchObject({ decisions: 3, badLines: 5 });
  });

  test('of other features is refused', async () => {
    const the = await rig();
    await run(the, 3);
    await the.telemetry.close();
    const reading = readTelemetry(the.path, { schemaHash: 'other' });
    await expect(reading[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'E_TELEMETRY_SCHEMA' });
  });

  test('that is not there is an error', async () => {
    const missing = path.join(await directory(), 'none');
    const reading = readTelemetry(missing, { schemaHash });
    await expect(reading[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'E_TELEMETRY_READ' });
  });

  test('of a directory that is deleted before its turn is counted', async () => {
    const the = await rig();
    await run(the, 30);
    await the.telemetry.close();
    const later = await rig({ path: the.path, random: seeded(2) });
    await run(later, 30);
    await later.telemetry.close();
    const names = await files(the.path);
    expect(names).toHaveLength(2);
    const reading = readTelemetry(the.path, { schemaHash, ahead: false });
    let rows = 0;
    for await (const _ of reading) {
      if (rows === 0) await rm(names.at(-1) as string);
      rows += 1;
    }
    expect(reading.counts).toMatchObject({ files: 1, gone: 1, rows: 30 });
    await expect(rowsOf(names)).rejects.toMatchObject({ code: 'E_TELEMETRY_READ' });
  });
});
