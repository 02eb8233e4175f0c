import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { TrainingRow } from '../../../src/core/training-row.ts';
import { RowCollector } from '../../../src/models/training/collect.ts';
import { parseRow, rowLine } from '../../../src/models/training/parse-row.ts';
import { readRows } from '../../../src/models/training/read.ts';
import { plainSchema } from '../synthetic.ts';

const schema = plainSchema(2);
const row = { ts: 1_000, target: 'a', features: [0.5, null], ms: Math.E };

function folderOf(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-rows-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

function read(lines: readonly unknown[], maxRows = 100): ReturnType<typeof readRows> {
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  return readRows({ paths: [join(folderOf({ 'rows.ndjson': text }), 'rows.ndjson')], schema }, maxRows);
}

test('rows by list and by name, successes and failures, from before the send', async () => {
  const { data, read: summary } = await read([
    { schema: { hash: schema.hash } },
    row,
    { ...row, target: 'b', features: { f1: 0.25 }, failed: true, ms: 2_000, weight: 3 },
    { ...row, at: 10, known: 9_000 },
    { ...row, failed: true, ms: null },
    '',
  ]);
  expect(summary).toEqual({ rows: 4, seen: 4, bad: 0, firstBad: undefined });
  expect([...data.features]).toEqual([0.5, Number.NaN, -1, 0.25, 0.5, Number.NaN, 0.5, Number.NaN]);
  expect([...data.logMs]).toEqual([1, Number.NaN, 1, Number.NaN].map(Math.fround));
  expect([...data.failed]).toEqual([0, 1, 0, 1]);
  expect([...data.weight]).toEqual([1, 3, 1, 1]);
  expect(data.targets).toEqual(['a', 'b']);
  expect([...data.target]).toEqual([0, 1, 0, 0]);
  expect([...data.at]).toEqual([1_000, 1_000, 10, 1_000]);
  expect([...data.known]).toEqual([1_000 + Math.E, 3_000, 9_000, 1_000]);
});

test.each([
  ['{', 'not JSON'],
  ['[1]', 'not an object'],
  [{ ...row, ts: 'now' }, '`ts` is no time in ms'],
  [{ ...row, at: 1_001 }, '`at` is no time in ms, or after `ts`'],
  [{ ...row, known: 999 }, '`known` is no time in ms, or before `ts`'],
  [{ ...row, target: '' }, '`target` is no name'],
  [{ ...row, features: [1] }, '`features` has 1 columns, not 2'],
  [{ ...row, features: { f9: 1 } }, 'there is no feature "f9"'],
  [{ ...row, features: [1, 'x'] }, '`features` holds what is no number'],
  [{ ...row, failed: 1 }, '`failed` is no boolean'],
  [{ ...row, ms: -1 }, '`ms` is no time in ms'],
  [{ ...row, ms: null }, '`ms` is missing, and the send did not fail'],
  [{ ...row, weight: 0 }, '`weight` is not above 0'],
])('a bad line is told: %j', async (line, why) => {
  await expect(read([row, line])).rejects.toMatchObject({
    code: 'E_MODEL_DATA',
    message: `1 of 2 lines of rows.ndjson are no rows; the first: rows.ndjson:2: ${why}`,
  });
});

test('a few bad lines, as a crash leaves them, are counted', async () => {
  const { read: summary } = await read([...new Array(200).fill(row), '{"ts":1'], 1_000);
  expect(summary).toEqual({ rows: 200, seen: 200, bad: 1, firstBad: 'rows.ndjson:201: not JSON' });
});

test('a row that is written is read as it was', () => {
  const one: TrainingRow = {
    ts: 1_700_000_000_000.25,
    at: 1_699_999_998_700,
    target: 'a "b"',
    features: Float32Array.of(Math.fround(0.1), Number.NaN),
    ms: 12.5,
    failed: true,
    weight: 0.5,
    known: 1_700_000_000_012.75,
  };
  expect(parseRow(rowLine(one), schema)).toEqual(one);
});

test('memory is bounded: the last rows are kept', () => {
  const collect = (count: number, maxRows: number): RowCollector => {
    const collector = new RowCollector(2, maxRows);
    const one = { target: 'a', features: new Float32Array(2), ms: 1, failed: false, weight: 1 };
    for (let i = 0; i < count; i += 1) collector.add({ ...one, ts: i, at: i, known: i + 1 });
    return collector;
  };
  const few = collect(25, 10);
  expect(few.seen).toBe(25);
  expect([...few.finish().at].sort((a, b) => a - b)).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23, 24]);
  const { rows, at } = collect(10_000, 9_000).finish();
  expect([rows, Math.min(...at), Math.max(...at)]).toEqual([9_000, 1_000, 9_999]);
});

test('rows of other features are refused', async () => {
  await expect(read([{ schema: { hash: 'other' } }])).rejects.toMatchObject({ code: 'E_MODEL_SCHEMA' });
});

test('files and folders are read across the pieces they come in', async () => {
  const lines = Array.from({ length: 9_000 }, (_, i) => JSON.stringify({ ...row, ts: i, target: `t${i % 7}` }));
  const folder = folderOf({
    'b.ndjson': lines.slice(6_000).join('\n'),
    'a.jsonl': `${lines.slice(0, 6_000).join('\n')}\n`,
    'other.txt': 'nothing',
  });
  const { data } = await readRows({ paths: [folder], schema }, 10_000);
  expect([...data.at]).toEqual([...new Array(9_000).keys()]);
  const newest = await readRows({ paths: [folder], schema, since: 8_000 }, 10_000);
  expect([newest.data.rows, newest.read.seen]).toEqual([1_000, 1_000]);
  const failing = (paths: readonly string[]) => expect(readRows({ paths, schema }, 10)).rejects;
  await failing([join(folder, 'none')]).toMatchObject({ code: 'E_MODEL_DATA' });
  await failing([folderOf({ 'other.txt': '' })]).toMatchObject({ code: 'E_MODEL_DATA' });
  const long = folderOf({ 'long.ndjson': 'x'.repeat(300_000) });
  await failing([long]).toMatchObject({ message: 'long.ndjson has a line of more than 65536 bytes' });
});
