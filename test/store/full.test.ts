import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { FairleadError } from '../../src/core/errors.ts';
import { SegmentedLog } from '../../src/store/segmented-log.ts';
import { contents, directory, records } from './directory.ts';
import { FaultyDisk } from './faulty-disk.ts';

const SIZES = { segmentBytes: 32 << 10, maxBytes: 256 << 10 };

async function sizeOf(dir: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(dir)) {
    if (name !== 'lock') bytes += (await stat(path.join(dir, name))).size;
  }
  return bytes;
}

/** Appends until the log refuses; returns the first number that was refused and the error. */
async function fill(log: SegmentedLog, most = 10_000): Promise<{ next: number; error: FairleadError }> {
  for (let count = 0; count < most; count += 1) {
    const { next } = log.stats();
    try {
      await log.append(records(`n${next}`, 1));
    } catch (error) {
      return { next, error: error as FairleadError };
    }
  }
  throw new Error('never full');
}

describe('maxBytes', () => {
  test('block: refuses with a retryable error, keeps all, and takes more once records are removed', async () => {
    const dir = await directory();
    const log = await SegmentedLog.open({ directory: dir, ...SIZES });
    const { next, error } = await fill(log);
    expect(error).toMatchObject({ code: 'E_STORE_FULL', retryable: true });
    expect(await sizeOf(dir)).toBeLessThanOrEqual(SIZES.maxBytes);
    expect(next * 1024).toBeGreaterThan(SIZES.maxBytes * 0.7);
    expect((await contents(log)).size).toBe(next);
    await log.removeBefore(next / 2);
    expect(await log.append(records('again', 1))).toBe(next);
    expect(log.stats()).toMatchObject({ droppedRecords: 0, failed: undefined });
    await log.close();
  });

  test('drop-oldest: whole oldest segments go, counted, and the bound holds all the time', async () => {
    const dir = await directory();
    let dropped = 0;
    const log = await SegmentedLog.open({
      directory: dir,
      ...SIZES,
      whenFull: 'drop-oldest',
      onDropped: (count) => {
        dropped += count;
      },
    });
    for (let round = 0; round < 100; round += 1) {
      await log.append(records(`r${round}`, 10));
      expect(await sizeOf(dir)).toBeLessThanOrEqual(SIZES.maxBytes);
    }
    const { first, next, droppedRecords } = log.stats();
    expect(next).toBe(1000);
    expect(first).toBeGreaterThan(700);
    expect(droppedRecords).toBe(first);
    expect(dropped).toBe(first);
    expect((await contents(log)).size).toBe(next - first);
    await log.close();
    const again = await SegmentedLog.open({ directory: dir, ...SIZES });
    expect(again.stats()).toMatchObject({ first, next, damage: [] });
    await again.close();
  });

  test('what could never fit is refused for good', async () => {
    const log = await SegmentedLog.open({ directory: await directory(), ...SIZES });
    const error = await log.append([Buffer.alloc(300 << 10)]).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'E_STORE_TOO_LARGE', retryable: false });
    await log.close();
    await expect(SegmentedLog.open({ directory: await directory(), maxBytes: 1000 })).rejects.toMatchObject({
      code: 'E_STORE_BOUNDS',
    });
  });
});

describe('a disk that is full', () => {
  const tiny = mountTmpfs();
  afterAll(() => {
    if (tiny === undefined) return;
    execFileSync('umount', [tiny]);
    rmSync(tiny, { recursive: true });
  });

  // The reason is part of the name, so that the summary prints it.
  test.skipIf(tiny === undefined)(
    `a full tmpfs${tiny === undefined ? ' (skipped: mounting a tmpfs is not permitted)' : ''}: refused, nothing lost, goes on without a reopen when space is back`,
    async () => {
      const root = tiny as string;
      const ballast = path.join(root, 'ballast');
      writeFileSync(ballast, Buffer.alloc(512 << 10));
      const dir = path.join(root, 'log');
      const log = await SegmentedLog.open({ directory: dir, segmentBytes: 128 << 10, maxBytes: 1 << 30 });
      const { next, error } = await fill(log);
      expect(error).toMatchObject({ code: 'E_STORE_FULL', retryable: true });
      expect((await readdir(dir)).filter((name) => name.endsWith('.new'))).toEqual([]);
      await expect(log.append(records('still', 1))).rejects.toMatchObject({ code: 'E_STORE_FULL' });
      expect((await contents(log)).size).toBe(next);
      rmSync(ballast);
      expect(await log.append(records('again', 1))).toBe(next);
      const more = await fill(log);
      await log.close();

      const again = await SegmentedLog.open({ directory: dir, segmentBytes: 128 << 10, maxBytes: 1 << 30 });
      expect(again.stats()).toMatchObject({ next: more.next, damage: [], failed: undefined });
      const all = await contents(again);
      for (let number = 0; number < more.next; number += 1) {
        expect(all.get(number)?.toString('latin1', 0, 12)).toContain(number === next ? 'again-0' : `n${number}-0;`);
      }
      await again.close();
    },
  );

  test('a refused write leaves nothing behind: not in the log, not after a reopen', async () => {
    const dir = await directory();
    const disk = new FaultyDisk();
    const log = await SegmentedLog.open({ directory: dir, disk, ...SIZES });
    await log.append(records('a', 3));
    disk.fail = (operation) => (operation === 'writeDurable' ? 'ENOSPC' : undefined);
    await expect(log.append(records('refused', 8))).rejects.toMatchObject({ code: 'E_STORE_FULL', retryable: true });
    expect((await contents(log)).size).toBe(3);
    disk.fail = () => undefined;
    expect(await log.append(records('b', 1))).toBe(3);
    await log.close();
    const again = await SegmentedLog.open({ directory: dir, ...SIZES });
    const names = [...(await contents(again)).values()].map((payload) => payload.toString('latin1', 0, 3));
    expect(names).toEqual(['a-0', 'a-1', 'a-2', 'b-0']);
    expect(again.stats().damage).toEqual([]);
    await again.close();
  });

  test('nor when the next append begins a new segment', async () => {
    const dir = await directory();
    const disk = new FaultyDisk();
    const log = await SegmentedLog.open({ directory: dir, disk, ...SIZES });
    await log.append(records('a', 3));
    disk.fail = (operation) => (operation === 'writeDurable' ? 'EDQUOT' : undefined);
    await expect(log.append(records('refused', 8))).rejects.toMatchObject({ code: 'E_STORE_FULL' });
    disk.fail = () => undefined;
    await log.append(records('b', 26));
    expect(log.stats().segments).toBe(2);
    await log.close();
    const again = await SegmentedLog.open({ directory: dir, ...SIZES });
    expect(again.stats()).toMatchObject({ next: 29, damage: [] });
    const found: string[] = [];
    for await (const chunk of again.read())
      for (const { payload } of chunk) found.push(payload.toString('latin1', 0, 2));
    expect(found).toEqual([...Array(3).fill('a-'), ...Array(26).fill('b-')]);
    await again.close();
  });

  test('no new segment can be made (ENOSPC, EMFILE): refused, then made on a later append', async () => {
    const disk = new FaultyDisk();
    const log = await SegmentedLog.open({ directory: await directory(), disk, ...SIZES });
    for (const [code, expected] of [
      ['ENOSPC', 'E_STORE_FULL'],
      ['EMFILE', 'E_STORE_IO'],
    ]) {
      disk.fail = (operation) => (operation === 'open' ? code : undefined);
      const error = await log.append(records('a', 1)).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: expected, retryable: true });
    }
    disk.fail = () => undefined;
    expect(await log.append(records('a', 1))).toBe(0);
    await log.close();
  });
});

test('a segment made from a former one and never written to holds nothing, after a crash as well', async () => {
  const dir = await directory();
  const disk = new FaultyDisk();
  const log = await SegmentedLog.open({ directory: dir, disk, segmentBytes: 32 << 10, maxBytes: 128 << 10 });
  for (let round = 0; round < 3; round += 1) await log.append(records('a', 25));
  await log.removeBefore(50);
  disk.fail = (operation, file) => (operation === 'open' && file.endsWith('75.seg') ? 'EMFILE' : undefined);
  await expect(log.append(records('b', 25))).rejects.toMatchObject({ code: 'E_STORE_IO', retryable: true });
  expect(await readdir(dir)).toContain('00000000000000000075.seg');
  disk.fail = () => undefined;
  await log.close();
  const again = await SegmentedLog.open({ directory: dir, segmentBytes: 32 << 10, maxBytes: 128 << 10 });
  expect(again.stats()).toMatchObject({ first: 50, next: 75, damage: [] });
  expect(await again.append(records('b', 25))).toBe(75);
  await again.close();
});

describe('a disk that fails', () => {
  for (const operation of ['writeDurable', 'sync', 'syncDirectory'] as const) {
    test(`EIO from ${operation}: the log takes no more, nothing waiting is acknowledged, and it is told once`, async () => {
      const dir = await directory();
      const disk = new FaultyDisk();
      const told: string[] = [];
      const log = await SegmentedLog.open({
        directory: dir,
        disk,
        ...SIZES,
        onFailed: (error) => told.push(error.code),
      });
      await log.append(records('a', 20));
      disk.fail = (name) => (name === operation ? 'EIO' : undefined);
      const results = await Promise.allSettled(Array.from({ length: 5 }, () => log.append(records('b', 12))));
      for (const result of results) {
        expect(result).toMatchObject({ status: 'rejected', reason: { code: 'E_STORE_FSYNC', retryable: false } });
      }
      disk.fail = () => undefined;
      await expect(log.append(records('c', 1))).rejects.toMatchObject({ code: 'E_STORE_FSYNC' });
      expect(told).toEqual(['E_STORE_FSYNC']);
      expect(log.stats().failed?.code).toBe('E_STORE_FSYNC');
      expect((await contents(log)).size).toBe(20);
      await log.close();
    });
  }
});

/** A tmpfs of 1 MiB for this file's tests; undefined where mounting is not permitted. */
function mountTmpfs(): string | undefined {
  const root = path.join('/tmp', `fairlead-tiny-${process.pid}`);
  try {
    mkdirSync(root);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', root], { stdio: 'ignore' });
    return root;
  } catch {
    rmSync(root, { recursive: true, force: true });
    return undefined;
  }
}
