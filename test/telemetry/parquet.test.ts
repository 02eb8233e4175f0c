import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { expect, test } from 'vitest';
import type { TrainingRow } from '../../src/core/training-row.ts';
import { convertToParquet } from '../../src/telemetry/parquet-write.ts';
import { readTelemetry } from '../../src/telemetry/read.ts';
import { eventually } from '../setup/eventually.ts';
import { decision, directory, files, keepingLog, type Rig, rig, SCHEMA, stored, subject } from './rig.ts';

/** Two choices, one with scores; some decisions before the first tick. */
async function fill(the: Rig): Promise<void> {
  const one = the.choice('one', ['eu', 'us', 'ap']);
  const two = the.choice('two');
  const observers = [the.telemetry.observe(one), the.telemetry.observe(two)] as const;
  for (let n = 0; n < 400; n += 1) {
    await the.clock.advance(3);
    if (n % 7 === 5) one.selector.next(n % 2 === 0 ? Float32Array.from({ length: 18 }, (_, i) => i / 4) : undefined);
    if (n % 11 === 5) two.selector.next();
    const observer = observers[n % 2] as (typeof observers)[0];
    const outcome = (['ok', 'failed', 'recalled'] as const)[n % 3] as 'ok';
    const handle = observer.decided(
      subject(n, { bytes: n * 10 }),
      [0, 1],
      decision(n % 2, { explored: n % 9 === 0 }),
      n,
    );
    if (n % 50 !== 0) observer.settled(handle, outcome, n / 7);
  }
}

test('the records of Parquet files are those of the NDJSON file, which they replace', async () => {
  const the = await rig();
  await fill(the);
  await the.telemetry.close();
  const before = await stored(the.path);
  expect(before.decisions).toHaveLength(400);
  const [file] = (await files(the.path)) as [string];
  await convertToParquet(file);
  const stem = file.replace('.ndjson', '');
  expect(await files(the.path)).toEqual([`${stem}.decisions.parquet`, `${stem}.snapshots.parquet`]);
  const after = await stored(the.path);
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  expect(plain(after.headers)).toEqual(plain(before.headers));
  expect(plain(after.decisions)).toEqual(plain(before.decisions));
  expect(after.snapshots.length).toBe(before.snapshots.length);
  const byId = new Map(after.snapshots.map((snapshot) => [snapshot.snapshot, snapshot]));
  for (const snapshot of before.snapshots) expect(plain(byId.get(snapshot.snapshot))).toEqual(plain(snapshot));
});

test('a gateway that is told so leaves Parquet, with the same rows to train on', async () => {
  const rows: Record<string, TrainingRow[]> = {};
  for (const format of ['ndjson', 'parquet'] as const) {
    const the = await rig({ format, rotateMs: 600 });
    await fill(the);
    await the.telemetry.close();
    const names = await files(the.path);
    const endings = new Set(names.map((name) => name.slice(name.indexOf('.', name.lastIndexOf('/')))));
    expect(endings).toEqual(new Set(format === 'ndjson' ? ['.ndjson'] : ['.decisions.parquet', '.snapshots.parquet']));
    rows[format] = [];
    for await (const row of readTelemetry(the.path, { schemaHash: SCHEMA.hash })) rows[format].push(row);
    rows[format].sort((a, b) => a.ts - b.ts); // which choice is written first depends on the disk
  }
  expect(rows['parquet']?.length).toBeGreaterThan(250);
  expect(rows['parquet']).toEqual(rows['ndjson']);
});

test('columns have the types that other programs expect', async () => {
  const the = await rig({ format: 'parquet' });
  await fill(the);
  await the.telemetry.close();
  const [decisions, snapshots] = (await files(the.path)) as [string, string];
  const all = await parquetReadObjects({ file: await asyncBufferFromFile(decisions) });
  const first = all.find(({ decision: number }) => number === 1n);
  expect(first).toMatchObject({
    gateway: 'mesh',
    decision: 1n,
    choice: 'one',
    ts: 1_700_000_000_003,
    eligible: 'eu us',
    chosen: 'eu',
    explored: true,
    predictedMean: null,
    outcome: 'open',
    ackMs: null,
  });
  const [row] = await parquetReadObjects({ file: await asyncBufferFromFile(snapshots), rowEnd: 1 });
  expect(Object.keys(row as object)).toEqual([
    'snapshot',
    'choice',
    'tick',
    'at',
    'target',
    'size',
    'model',
    'lambda',
    'scoreMean',
    'scoreQ95',
    'scoreFailure',
    'first',
    'second',
  ]);
  const [start, end] = [await readFile(decisions), await readFile(snapshots)].map((bytes) =>
    bytes.subarray(0, 4).toString(),
  );
  expect([start, end]).toEqual(['PAR1', 'PAR1']);
});

test('where it cannot be made, NDJSON stays, and nothing half done', async () => {
  const where = await directory();
  const file = path.join(where, 'telemetry-20260101T000000000Z-00000000-000001.ndjson');
  await writeFile(file, '{"snapshot":1,"choice":"a","tick":1,"at":1,"classes":1,"targets":[],"features":""}\n');
  await expect(convertToParquet(file)).rejects.toMatchObject({ code: 'E_TELEMETRY_READ' });
  expect(await files(where)).toEqual([file]);
});

test('a file that vanished is told of, and the gateway stops all the same', async () => {
  const { log, said } = keepingLog();
  const the = await rig({ format: 'parquet', log, rotateMs: 100 });
  const observer = the.telemetry.observe(the.choice('one'));
  observer.settled(observer.decided(subject(1), [0], decision(0), 0), 'failed', 1);
  await eventually(async () => {
    await the.clock.advance(500);
    return the.telemetry.counters.written === 1;
  });
  // Written, not yet converted: conversions begin in a process of their own.
  await rm(the.path, { recursive: true });
  await the.telemetry.close();
  expect(said).toEqual(['telemetry stays NDJSON: it could not be made Parquet']);
});

test('what an interrupted conversion left is no record, and goes with the oldest files', async () => {
  const where = await directory();
  const left = path.join(where, 'telemetry-20260101T000000000Z-00000000-000001.snapshots.parquet.tmp');
  await writeFile(left, Buffer.alloc(3_000_000));
  expect(await stored(where)).toEqual({ headers: [], snapshots: [], decisions: [] });
  const the = await rig({ path: where, maxFileBytes: 2 ** 20, maxBytes: 3 * 2 ** 20 });
  const observer = the.telemetry.observe(the.choice('one'));
  observer.settled(observer.decided(subject(1), [0], decision(0), 0), 'failed', 1);
  await the.telemetry.close();
  expect(await files(where)).toHaveLength(1);
  expect(the.telemetry.deleted).toEqual({ files: 1, bytes: 3_000_000 });
});
