import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../../src/core/log.ts';
import { FileWatch } from '../../src/reload/watch.ts';
import { eventually } from '../setup/eventually.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'fairlead-watch-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Counts changes. `pollMs` of an hour: only notices count; `noticed` off: only polling does. */
function watching(files: readonly string[], options: { pollMs?: number } = {}) {
  const seen = { changes: 0 };
  const watch = new FileWatch(files, {
    changed: () => {
      seen.changes += 1;
    },
    log: silentLog,
    settleMs: 20,
    pollMs: options.pollMs ?? 3_600_000,
  });
  onTestFinished(() => watch.close());
  return { watch, seen, changes: (count: number) => eventually(() => expect(seen.changes).toBe(count)) };
}

/** A volume as the kubelet makes it: `name` → `..data/name`, `..data` → a folder of its own for every version. */
function configMap(path: string): (version: string, files: Record<string, string>) => void {
  return (version, files) => {
    mkdirSync(join(path, `..${version}`));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(path, `..${version}`, name), text);
    symlinkSync(`..${version}`, join(path, '..data_tmp'));
    renameSync(join(path, '..data_tmp'), join(path, '..data'));
  };
}

describe('notices', () => {
  test('a file written in place, and again', async () => {
    const file = join(folder(), 'g.yaml');
    writeFileSync(file, 'one');
    const { changes } = watching([file]);
    writeFileSync(file, 'two');
    await changes(1);
    writeFileSync(file, 'three');
    await changes(2);
  });

  test('another file in its place, as editors do', async () => {
    const path = folder();
    const file = join(path, 'g.yaml');
    writeFileSync(file, 'one');
    const { changes } = watching([file]);
    for (const n of [1, 2, 3]) {
      writeFileSync(join(path, '.g.swp'), `version ${n}`);
      renameSync(join(path, '.g.swp'), file);
      await changes(n);
    }
  });

  test('the ..data link of a ConfigMap, several times', async () => {
    const path = folder();
    const swap = configMap(path);
    swap('2026_01', { 'g.yaml': 'one' });
    symlinkSync('..data/g.yaml', join(path, 'g.yaml'));
    const { changes } = watching([join(path, 'g.yaml')]);
    for (const n of [1, 2, 3]) {
      swap(`2026_02_${n}`, { 'g.yaml': `version ${n}` });
      await changes(n);
    }
    swap('2026_03', { 'g.yaml': 'version 3', 'other.yaml': 'x' });
    swap('2026_04', { 'g.yaml': 'version 4' });
    await changes(4);
  });

  test('a link into another folder', async () => {
    const real = join(folder(), 'real.yaml');
    const link = join(folder(), 'g.yaml');
    writeFileSync(real, 'one');
    symlinkSync(real, link);
    const { changes } = watching([link]);
    writeFileSync(real, 'two');
    await changes(1);
  });

  test('files that a configuration came to refer to', async () => {
    const [file, secret] = [join(folder(), 'g.yaml'), join(folder(), 'secret')];
    writeFileSync(file, 'one');
    writeFileSync(secret, 's1');
    const { watch, changes } = watching([file]);
    writeFileSync(file, 'refers to it');
    await changes(1);
    watch.watch([file, secret]);
    writeFileSync(secret, 's2');
    await changes(2);
  });

  test('what is written without a difference, or beside it, is no change', async () => {
    const path = folder();
    const file = join(path, 'g.yaml');
    writeFileSync(file, 'one');
    const { seen, changes } = watching([file]);
    writeFileSync(file, 'one');
    writeFileSync(join(path, 'other'), 'x');
    writeFileSync(file, 'two');
    await changes(1);
    expect(seen.changes).toBe(1);
  });
});

describe('polling', () => {
  test('a folder that was not there when the watch began', async () => {
    const path = join(folder(), 'late');
    const { changes } = watching([join(path, 'g.yaml')], { pollMs: 20 });
    mkdirSync(path);
    writeFileSync(join(path, 'g.yaml'), 'one');
    await changes(1);
    rmSync(path, { recursive: true });
    await changes(2);
    mkdirSync(path);
    writeFileSync(join(path, 'g.yaml'), 'two');
    await changes(3);
  });
});

test('a closed watch is silent', async () => {
  const file = join(folder(), 'g.yaml');
  writeFileSync(file, 'one');
  const closed = watching([file], { pollMs: 5 });
  const open = watching([file], { pollMs: 5 });
  closed.watch.close();
  writeFileSync(file, 'two');
  await open.changes(1);
  expect(closed.seen.changes).toBe(0);
});
