import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { acquireLock } from '../../src/store/lock.ts';
import { SegmentedLog } from '../../src/store/segmented-log.ts';
import { directory } from './directory.ts';

describe('one writer per directory', () => {
  test('a second one is refused while the first lives, and let in after its close', async () => {
    const dir = await directory();
    const log = await SegmentedLog.open({ directory: dir });
    await expect(SegmentedLog.open({ directory: dir })).rejects.toMatchObject({ code: 'E_STORE_LOCKED' });
    await log.close();
    const next = await SegmentedLog.open({ directory: dir });
    await next.close();
  });

  test('the lock of a dead process is taken over', async () => {
    const dir = await directory();
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    const unlock = await acquireLock(dir);
    const own = readlinkSync(path.join(dir, 'lock'));
    await unlock();
    symlinkSync(own.replace(/pid=\d+/, `pid=${pid}`), path.join(dir, 'lock'));
    await (await acquireLock(dir))();
  });

  test.runIf(process.platform === 'linux')(
    'a pid that belongs to another process by now holds nothing (/proc, Linux only)',
    async () => {
      const dir = await directory();
      const unlock = await acquireLock(dir);
      const own = readlinkSync(path.join(dir, 'lock'));
      await unlock();
      symlinkSync(own.replace(/start=\d+/, 'start=1'), path.join(dir, 'lock'));
      await (await acquireLock(dir))();
      symlinkSync(own.replace(/boot=[0-9a-f]+/, 'boot=00000000'), path.join(dir, 'lock'));
      await (await acquireLock(dir))();
    },
  );

  test('a lock of another host, or one that cannot be read, is never broken', async () => {
    for (const text of [`pid=1,start=1,boot=0,host=not-${hostname()}`, 'something else']) {
      const dir = await directory();
      symlinkSync(text, path.join(dir, 'lock'));
      await expect(acquireLock(dir)).rejects.toMatchObject({ code: 'E_STORE_LOCKED' });
      expect(readlinkSync(path.join(dir, 'lock'))).toBe(text);
    }
  });

  test('of many that find a stale lock at once one gets it, even where the last to try died half-way', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    const stale = `pid=${child.pid},start=1,boot=0,host=${hostname()}`;
    const claim = createHash('sha256').update(stale).digest('hex').slice(0, 16);
    for (let round = 0; round < 40; round += 1) {
      const dir = await directory();
      symlinkSync(stale, path.join(dir, 'lock'));
      if (round % 2 === 1) symlinkSync(stale, path.join(dir, `lock.${claim}`));
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => acquireLock(dir)));
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(readdirSync(dir)).toEqual(['lock']);
    }
  });
});
