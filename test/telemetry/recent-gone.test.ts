import { rmSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { recentRecords } from '../../src/telemetry/recent.ts';
import { decision, directory, files, flushed, rig, subject } from './rig.ts';

/** Deleted when the files have been listed and none has been read. */
const gone = vi.hoisted((): string[] => []);

vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof import('node:fs/promises')>();
  const stat: typeof fs.stat = (async (...args: Parameters<typeof fs.stat>) => {
    const found = await fs.stat(...args);
    for (const file of gone.splice(0)) rmSync(file);
    return found;
  }) as typeof fs.stat;
  return { ...fs, stat };
});

test('a file that is deleted before it was its turn does not take the others with it', async () => {
  const the = await rig({ rotateMs: 1_000 });
  const observer = the.telemetry.observe(the.choice('any'));
  for (let n = 1; n <= 3; n += 1) {
    observer.settled(observer.decided(subject(n), [0, 1], decision(0), 0), 'ok', 5);
    await flushed(the, n);
    await the.clock.advance(1_100);
  }
  await the.telemetry.close();
  const oldest = (await files(the.path))[0] as string;
  gone.push(oldest);
  const found = await recentRecords(the.path, { spanMs: 60_000, most: 100 });
  expect(gone).toEqual([]);
  expect(found?.choices.get('any')?.decisions).toHaveLength(2);
});

test('a directory that is none is told', async () => {
  const path = `${await directory()}/none`;
  await expect(recentRecords(path, { spanMs: 1, most: 1 })).rejects.toMatchObject({ code: 'E_TELEMETRY_READ' });
});
