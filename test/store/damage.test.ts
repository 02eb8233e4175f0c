import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Damage } from '../../src/store/damage.ts';
import { SegmentedLog } from '../../src/store/segmented-log.ts';
import { contents, directory, records } from './directory.ts';

const SIZES = { segmentBytes: 32 << 10, maxBytes: 16 << 20 };
const HEADER = 4096;

/** A closed log of several segments, and what was acknowledged. */
async function written(dir: string, count = 120): Promise<Map<number, Buffer>> {
  const log = await SegmentedLog.open({ directory: dir, ...SIZES });
  for (let number = 0; number < count; number += 4)
    await log.append(records(`w${number}`, 4, 200 + (number % 7) * 150));
  const all = await contents(log);
  await log.close();
  expect(all.size).toBe(count);
  return all;
}

async function segmentFiles(dir: string): Promise<string[]> {
  const names = (await readdir(dir)).filter((name) => name.endsWith('.seg')).sort();
  return names.map((name) => path.join(dir, name));
}

/** Opens a damaged log twice and beside that read-only; everything found must be what was written. */
async function reopened(dir: string, all: Map<number, Buffer>): Promise<{ found: Set<number>; damage: Damage[] }> {
  const damage: Damage[] = [];
  const reader = await SegmentedLog.open({ directory: dir, readOnly: true });
  const beside = await contents(reader);
  await reader.close();
  const log = await SegmentedLog.open({ directory: dir, ...SIZES, onDamage: (place) => damage.push(place) });
  const found = await contents(log);
  for (const [number, payload] of found) expect(payload.equals(all.get(number) ?? Buffer.of())).toBe(true);
  expect([...beside.keys()]).toEqual([...found.keys()]);
  const next = await log.append(records('after', 2));
  expect(found.has(next)).toBe(false);
  await log.close();
  const again = await SegmentedLog.open({ directory: dir, ...SIZES });
  expect((await contents(again)).size).toBe(found.size + 2);
  await again.close();
  return { found: new Set(found.keys()), damage };
}

describe('damaged files', () => {
  test('a torn tail is cut off and reported; what was before it stays', async () => {
    const dir = await directory();
    const all = await written(dir);
    const last = (await segmentFiles(dir)).at(-1) as string;
    const bytes = await readFile(last);
    const end = bytes.length - [...bytes].reverse().findIndex((byte) => byte !== 0);
    await truncate(last, end - 40);
    const { found, damage } = await reopened(dir, all);
    expect(found.size).toBe(all.size - 1);
    expect(damage).toMatchObject([{ code: 'E_STORE_TORN', segment: path.basename(last) }]);
  });

  test('a damaged record in the middle is reported with segment and offset, and only it is lost', async () => {
    const dir = await directory();
    const all = await written(dir);
    const first = (await segmentFiles(dir))[0] as string;
    const bytes = await readFile(first);
    const at = bytes.indexOf('w8-2;', HEADER);
    bytes[at + 30] = (bytes[at + 30] as number) ^ 0x10;
    await writeFile(first, bytes);
    const { found, damage } = await reopened(dir, all);
    expect([...all.keys()].filter((number) => !found.has(number))).toEqual([10]);
    expect(damage).toMatchObject([
      { code: 'E_STORE_CORRUPT', segment: path.basename(first), offset: at - 16, records: 1 },
    ]);
  });

  test('a zeroed sector in the middle does not pass for the end', async () => {
    const dir = await directory();
    const all = await written(dir);
    const last = (await segmentFiles(dir)).at(-1) as string;
    const bytes = await readFile(last);
    bytes.fill(0, HEADER, HEADER + 512);
    await writeFile(last, bytes);
    const { found, damage } = await reopened(dir, all);
    expect(found.size).toBeLessThan(all.size);
    expect(found.size).toBeGreaterThanOrEqual(all.size - 3);
    expect(damage).toMatchObject([{ code: 'E_STORE_CORRUPT', offset: HEADER, records: all.size - found.size }]);
  });

  test('a header lost in both copies is made good from the other segments', async () => {
    const dir = await directory();
    const all = await written(dir);
    const [, second] = await segmentFiles(dir);
    const bytes = await readFile(second as string);
    bytes.fill(0xff, 0, HEADER);
    await writeFile(second as string, bytes);
    const { found } = await reopened(dir, all);
    expect(found.size).toBe(all.size);
  });

  test('the only segment without a readable header is reported, kept as it is, and its numbers are not given out again', async () => {
    const dir = await directory();
    const all = await written(dir, 8);
    const [only] = await segmentFiles(dir);
    const bytes = await readFile(only as string);
    bytes.fill(0xff, 0, HEADER);
    await writeFile(only as string, bytes);
    const { found, damage } = await reopened(dir, all);
    expect(found.size).toBe(0);
    expect(damage).toMatchObject([{ code: 'E_STORE_TORN', segment: path.basename(only as string) }]);
    expect((await readFile(only as string)).equals(bytes)).toBe(true);
  });

  test('bytes inside a payload never pass for a frame, even a copy of a real one', async () => {
    const dir = await directory();
    await written(dir, 8);
    const [only] = await segmentFiles(dir);
    const bytes = await readFile(only as string);
    const stolen = Buffer.from(bytes.subarray(HEADER));
    const other = await directory();
    const log = await SegmentedLog.open({ directory: other, ...SIZES });
    await log.append([stolen.subarray(0, 6000), Buffer.from('behind')]);
    await log.close();
    const [file] = await segmentFiles(other);
    const forged = await readFile(file as string);
    forged[HEADER + 4] = 0xff; // the length of the frame that holds the stolen ones
    await writeFile(file as string, forged);
    const again = await SegmentedLog.open({ directory: other, ...SIZES });
    expect([...(await contents(again))].map(([number, payload]) => `${number} ${payload}`)).toEqual(['1 behind']);
    await again.close();
  });

  test('flipped bits anywhere: never damaged data, every loss reported, the rest delivered (property)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(7)), { minLength: 1, maxLength: 12 }),
        fc.nat(),
        async (flips, pick) => {
          const dir = await directory();
          const all = await written(dir, 60);
          const files = await segmentFiles(dir);
          const file = files[pick % files.length] as string;
          const bytes = await readFile(file);
          for (const [where, bit] of flips) {
            const at = Math.min(bytes.length - 1, Math.floor(where * bytes.length));
            bytes[at] = (bytes[at] as number) ^ (1 << bit);
          }
          await writeFile(file, bytes);
          const { found, damage } = await reopened(dir, all);
          const lost = all.size - found.size;
          expect(lost).toBeLessThanOrEqual(flips.length);
          if (lost > 0) expect(damage.length).toBeGreaterThan(0);
        },
      ),
      { seed: 20250301, numRuns: 40 },
    );
  });

  test('truncation of any segment at any length: the rest delivered, the loss reported (property)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(), async (where, pick) => {
        const dir = await directory();
        const all = await written(dir, 60);
        const files = await segmentFiles(dir);
        const file = files[pick % files.length] as string;
        const { length } = await readFile(file);
        await truncate(file, Math.floor(where * length));
        const { found, damage } = await reopened(dir, all);
        const lost = [...all.keys()].filter((number) => !found.has(number));
        if (lost.length > 0) expect(damage.length).toBeGreaterThan(0);
        // what is lost is one run of numbers, up to the end of that segment
        expect(lost).toEqual(lost.map((_, index) => (lost[0] as number) + index));
      }),
      { seed: 20250302, numRuns: 40 },
    );
  });
});
