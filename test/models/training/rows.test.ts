import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readRows } from '../../../src/models/training/read.ts';
import { RowCollector } from '../../../src/models/training/rows.ts';
import { plainSchema } from '../synthetic.ts';

const schema = plainSchema(2);

function collect(lines: readonly unknown[], maxRows = 100) {
  const collector = new RowCollector(schema, maxRows);
  for (const [i, line] of lines.entries())
    collector.add(typeof line === 'string' ? line : JSON.stringify(line), `rows.ndjson:${i + 1}`);
  return collector.finish();
}

const row = { ts: 1_000, target: 'a', features: [0.5, null], ms: Math.E };

test('rows by list and by name, successes and failures', () => {
  const { data, seen, bad } = collect([
    { schema: { hash: schema.hash } },
    row,
    { ...row, target: 'b', features: { f1: 0.25 }, failed: true, ms: 2_000, weight: 3 },
    { ...row, failed: 0.5, known: 9_000 },
    { ...row, failed: true, ms: null },
    '',
  ]);
  expect([seen, bad, data.rows]).toEqual([4, 0, 4]);
  expect([...data.features]).toEqual([0.5, Number.NaN, -1, 0.25, 0.5, Number.NaN, 0.5, Number.NaN]);
  expect([...data.logMs]).toEqual([1, Number.NaN, 1, Number.NaN].map(Math.fround));
  expect([...data.failed]).toEqual([0, 1, 0.5, 1]);
  expect([...data.weight]).toEqual([1, 3, 1, 1]);
  expect(data.targets).toEqual(['a', 'b']);
  expect([...data.target]).toEqual([0, 1, 0, 0]);
  expect([...data.known]).toEqual([1_000 + Math.E, 3_000, 9_000, 1_000]);
});

test.each([
  ['{', 'not JSON'],
  ['[1]', 'not an object'],
  [{ ...row, ts: 'now' }, '`ts` is no time in ms'],
  [{ ...row, target: '' }, '`target` is no name'],
  [{ ...row, features: [1] }, '`features` has 1 columns, not 2'],
  [{ ...row, features: { f9: 1 } }, 'there is no feature "f9"'],
  [{ ...row, features: [1, 'x'] }, '`features` holds what is no number'],
  [{ ...row, failed: 2 }, '`failed` is neither a boolean nor a share'],
  [{ ...row, ms: -1 }, '`ms` is no time in ms'],
  [{ ...row, ms: null }, '`ms` is missing, and the send did not fail'],
  [{ ...row, weight: 0 }, '`weight` is not above 0'],
])('a bad line is told: %j', (line, why) => {
  expect(() => collect([row, line])).toThrow(`1 of 2 lines are no rows; the first: rows.ndjson:2: ${why}`);
});

test('a few bad lines, as a crash leaves them, are counted', () => {
  const { bad, firstBad, seen } = collect([...new Array(200).fill(row), '{"ts":1']);
  expect([bad, firstBad, seen]).toEqual([1, 'rows.ndjson:201: not JSON', 200]);
});

test('memory is bounded: the last rows are kept', () => {
  const { data, seen } = collect(
    Array.from({ length: 25 }, (_, i) => ({ ...row, ts: i })),
    10,
  );
  expect([seen, data.rows]).toEqual([25, 10]);
  expect([...data.ts].sort((a, b) => a - b)).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23, 24]);
  const many = collect(
    Array.from({ length: 10_000 }, (_, i) => ({ ...row, ts: i })),
    9_000,
  );
  expect([many.data.rows, Math.min(...many.data.ts), Math.max(...many.data.ts)]).toEqual([9_000, 1_000, 9_999]);
});

test('rows of other features are refused', () => {
  expect(() => collect([{ schema: { hash: 'other' } }])).toThrow(expect.objectContaining({ code: 'E_MODEL_SCHEMA' }));
});

test('files and folders are read across the pieces they come in', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-rows-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const lines = Array.from({ length: 3_000 }, (_, i) => JSON.stringify({ ...row, ts: i, target: `t${i % 7}` }));
  writeFileSync(join(folder, 'b.ndjson'), lines.slice(2_000).join('\n'));
  writeFileSync(join(folder, 'a.jsonl'), `${lines.slice(0, 2_000).join('\n')}\n`);
  writeFileSync(join(folder, 'other.txt'), 'nothing');
  const { data } = await readRows([folder], schema, 10_000);
  expect([...data.ts]).toEqual([...new Array(3_000).keys()]);
  await expect(readRows([join(folder, 'none')], schema, 10)).rejects.toMatchObject({ code: 'E_MODEL_DATA' });
  writeFileSync(join(folder, 'long.ndjson'), 'x'.repeat(200_000));
  await expect(readRows([join(folder, 'long.ndjson')], schema, 10)).rejects.toThrow(/longer than 65536 bytes/);
});
