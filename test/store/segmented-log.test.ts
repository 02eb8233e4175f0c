import { closeSync, openSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { nodeDisk } from '../../src/store/disk.ts';
import { SegmentedLog } from '../../src/store/segmented-log.ts';
import { contents, directory, records } from './directory.ts';
import { FaultyDisk } from './faulty-disk.ts';

const SMALL = { segmentBytes: 64 << 10, maxBytes: 16 << 20 };

describe('segmented log', () => {
  test('numbers records in the order of the appends and reads them back, also after a reopen', async () => {
    const dir = await directory();
    const log = await SegmentedLog.open({ directory: dir, ...SMALL });
    expect(await log.append(records('a', 3))).toBe(0);
    expect(await log.append([Buffer.alloc(0)])).toBe(3);
    expect(await log.append(records('b', 500, 700))).toBe(4);
    const before = await contents(log);
    expect([...before.keys()]).toEqual(Array.from({ length: 504 }, (_, number) => number));
    expect(before.get(3)).toHaveLength(0);
    await log.close();

    const again = await SegmentedLog.open({ directory: dir, ...SMALL });
    expect(again.stats()).toMatchObject({ first: 0, next: 504, damage: [], droppedRecords: 0 });
    expect(await contents(again)).toEqual(before);
    expect(await again.append(records('c', 2))).toBe(504);
    expect((await contents(again)).size).toBe(506);
    await again.close();
  });

  test('reads a range and single records across segments without reading all into memory', async () => {
    const log = await SegmentedLog.open({ directory: await directory(), ...SMALL });
    for (let round = 0; round < 20; round += 1) await log.append(records(`r${round}`, 32));
    expect(log.stats().segments).toBeGreaterThan(8);
    const numbers: number[] = [];
    for await (const chunk of log.read(150, 400)) {
      expect(chunk.reduce((sum, { payload }) => sum + payload.length, 0)).toBeLessThanOrEqual(256 << 10);
      numbers.push(...chunk.map(({ number }) => number));
    }
    expect(numbers).toEqual(Array.from({ length: 250 }, (_, index) => 150 + index));
    expect((await log.get(333))?.toString('latin1')).toMatch(/^r10-13;/);
    expect(await log.get(640)).toBeUndefined();
    await log.close();
  });

  test('records larger than a segment and than a chunk get a segment of their own', async () => {
    const dir = await directory();
    const log = await SegmentedLog.open({ directory: dir, ...SMALL });
    await log.append(records('small', 1));
    await log.append([Buffer.alloc(3 << 20, 'large')]);
    await log.append(records('after', 1));
    await log.close();
    const again = await SegmentedLog.open({ directory: dir, ...SMALL });
    expect([...(await contents(again)).values()].map(({ length }) => length)).toEqual([1024, 3 << 20, 1024]);
    expect(again.stats().damage).toEqual([]);
    await again.close();
  });

  test('appends that come while the disk is busy share one durable write', async () => {
    const disk = new FaultyDisk();
    const log = await SegmentedLog.open({ directory: await directory(), disk });
    await log.append(records('warm', 1));
    let open: () => void = () => {};
    disk.gate = new Promise((resolve) => {
      open = resolve;
    });
    disk.durable = 0;
    const head = log.append(records('head', 1));
    await Promise.resolve();
    await Promise.resolve();
    const rest = Array.from({ length: 200 }, (_, index) => log.append(records(`r${index}`, 2)));
    open();
    expect(await head).toBe(1);
    expect(await Promise.all(rest)).toEqual(rest.map((_, index) => 2 + index * 2));
    expect(disk.durable).toBe(2);
    await log.close();
  });

  test('an append resolves only after its durable write', async () => {
    const disk = new FaultyDisk();
    const log = await SegmentedLog.open({ directory: await directory(), disk });
    await log.append(records('warm', 1));
    let open: () => void = () => {};
    disk.gate = new Promise((resolve) => {
      open = resolve;
    });
    let settled = false;
    const appended = log.append(records('a', 1)).finally(() => {
      settled = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toBe(false);
    expect(log.stats().next).toBe(1);
    expect(await log.get(1)).toBeUndefined();
    open();
    await appended;
    expect(await log.get(1)).toHaveLength(1024);
    await log.close();
  });

  test.runIf(process.platform === 'linux')(
    'the descriptor that is written to syncs data with every write (O_DSYNC, Linux only)',
    async () => {
      const file = path.join(await directory(), 'f');
      closeSync(openSync(file, 'w'));
      const opened = await nodeDisk.open(file, 'append');
      const flags: number[] = [];
      for (const fd of await readdir('/proc/self/fdinfo')) {
        const link = await readFile(`/proc/self/fdinfo/${fd}`, 'utf8').catch(() => '');
        const mode = /flags:\s+(\d+)/.exec(link)?.[1];
        if (mode !== undefined) flags.push(Number.parseInt(mode, 8));
      }
      expect(flags.some((mode) => (mode & 0o10000) !== 0 && (mode & 0o3) === 2)).toBe(true);
      await opened.close();
    },
  );

  test('a read-only log sees what is durable beside the writer, and refuses appends', async () => {
    const dir = await directory();
    const writer = await SegmentedLog.open({ directory: dir, ...SMALL });
    await writer.append(records('a', 100));
    const reader = await SegmentedLog.open({ directory: dir, readOnly: true });
    expect(await contents(reader)).toEqual(await contents(writer));
    expect(reader.stats().damage).toEqual([]);
    await expect(reader.append(records('b', 1))).rejects.toMatchObject({ code: 'E_STORE_READ_ONLY' });
    await writer.append(records('c', 1));
    await reader.close();
    await writer.close();
    await expect(writer.append(records('d', 1))).rejects.toMatchObject({ code: 'E_STORE_CLOSED' });
  });

  test('removeBefore gives whole segments back and never the one being written', async () => {
    const dir = await directory();
    const log = await SegmentedLog.open({ directory: dir, ...SMALL });
    for (let round = 0; round < 10; round += 1) await log.append(records(`r${round}`, 30));
    const held = log.stats().segments;
    const gone = await log.removeBefore(150);
    expect(gone).toBeGreaterThan(0);
    expect(gone).toBeLessThanOrEqual(150);
    expect(log.stats()).toMatchObject({ first: gone, next: 300 });
    expect(await log.removeBefore(300)).toBeGreaterThan(0);
    expect(log.stats().segments).toBe(1);
    expect(held).toBeGreaterThan(2);
    expect(await log.append(records('more', 1))).toBe(300);
    await log.close();
    const again = await SegmentedLog.open({ directory: dir, ...SMALL });
    expect(again.stats()).toMatchObject({ next: 301, damage: [] });
    await again.close();
  });

  test('a segment that is given up becomes the next one; nobody takes its former records for records', async () => {
    const dir = await directory();
    const bounds = { segmentBytes: 32 << 10, maxBytes: 128 << 10, whenFull: 'drop-oldest' } as const;
    const log = await SegmentedLog.open({ directory: dir, ...bounds });
    const made = new Set<number>();
    for (let round = 0; round < 20; round += 1) {
      await log.append(records(`r${round}`, 14 + (round % 9), 900));
      for (const name of await readdir(dir)) if (name !== 'lock') made.add((await stat(path.join(dir, name))).ino);
      const held = await contents(log);
      const { first, next, damage } = log.stats();
      expect([...held.keys()]).toEqual(Array.from({ length: next - first }, (_, index) => first + index));
      expect(damage).toEqual([]);
      // what a restart at this moment would find
      const beside = await SegmentedLog.open({ directory: dir, readOnly: true, verify: true });
      expect(await contents(beside)).toEqual(held);
      expect(beside.stats().damage).toEqual([]);
      await beside.close();
    }
    expect(log.stats().droppedRecords).toBeGreaterThan(200);
    expect(made.size).toBeLessThanOrEqual(5);
    await log.close();
    const again = await SegmentedLog.open({ directory: dir, ...bounds });
    expect(again.stats().damage).toEqual([]);
    await again.close();
  }, 180_000);

  test('a reader that is overtaken by drop-oldest stops early and reports no damage', async () => {
    const dir = await directory();
    const bounds = { segmentBytes: 512 << 10, maxBytes: 2 << 20, whenFull: 'drop-oldest' } as const;
    const log = await SegmentedLog.open({ directory: dir, ...bounds });
    for (let round = 0; round < 12; round += 1) await log.append(records(`old${round}`, 100));
    for (const readOnly of [false, true]) {
      const reader = readOnly ? await SegmentedLog.open({ directory: dir, readOnly }) : log;
      const reading = reader.read();
      const seen = (await reading.next()).value ?? [];
      expect(seen.length).toBeGreaterThan(0);
      for (let round = 0; round < 40; round += 1) await log.append(records(`new${round}`, 100));
      const rest: number[] = [];
      for await (const chunk of reading) rest.push(...chunk.map(({ number }) => number));
      expect(rest).toEqual([...new Set(rest)].sort((a, b) => a - b));
      expect(reader.stats().damage).toEqual([]);
      if (readOnly) await reader.close();
    }
    await log.close();
  });

  test('a directory of a newer format version is refused, not touched', async () => {
    const dir = await directory();
    const log = await SegmentedLog.open({ directory: dir, ...SMALL });
    await log.append(records('a', 1));
    await log.close();
    const name = path.join(dir, '00000000000000000000.seg');
    const { decodeHeader, encodeHeader } = await import('../../src/store/segment-header.ts');
    const { crc32 } = await import('node:zlib');
    const file = await readFile(name);
    expect(decodeHeader(file)?.first).toBe(0);
    const block = encodeHeader({ logId: Buffer.alloc(16, 7), first: 0 });
    for (const at of [0, 2048]) {
      block.writeUInt32LE(2, at + 8);
      block.writeUInt32LE(crc32(block.subarray(at, at + 36)), at + 36);
    }
    const newer = Buffer.concat([block, file.subarray(4096)]);
    const { writeFile } = await import('node:fs/promises');
    await writeFile(name, newer);
    await expect(SegmentedLog.open({ directory: dir })).rejects.toMatchObject({ code: 'E_STORE_VERSION' });
    expect((await readFile(name)).equals(newer)).toBe(true);
    expect(await readdir(dir)).toEqual([path.basename(name)]);
  });
});
