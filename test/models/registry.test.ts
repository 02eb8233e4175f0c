import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  promises as fs,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ModelRegistry } from '../../src/models/registry.ts';
import type { ModelMeta } from '../../src/models/registry-state.ts';

let folder: string;
let registry: ModelRegistry;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-models-'));
  registry = new ModelRegistry(folder, { keep: 3 });
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const about: Omit<ModelMeta, 'sha256' | 'bytes'> = {
  createdAt: '2026-01-01T00:00:00.000Z',
  parent: null,
  schemaHash: 'h',
  rows: 10,
  window: [0, 1],
  seed: 1,
  metrics: { logMae: 0.1 },
  gate: null,
};

const add = (text: string, name = 'demo') => registry.add(name, Buffer.from(text), about);

test('a version is put in force in place of the one that was expected, and withdrawn while it is in force', async () => {
  await add('one');
  await add('two');
  expect(await registry.promote('demo', 1, null)).toMatchObject({ active: 1, previous: null });
  await expect(registry.promote('demo', 2, null)).rejects.toMatchObject({ code: 'E_MODEL_SUPERSEDED' });
  expect(await registry.promote('demo', 2, 1)).toMatchObject({ active: 2, previous: 1 });
  expect(await registry.withdraw('demo', 1)).toMatchObject({ active: 2, previous: 1 });
  expect(await registry.withdraw('demo', 2)).toMatchObject({ active: 1, previous: null });
  expect(await registry.withdraw('demo', 1)).toMatchObject({ active: null, previous: null });
});

test('versions count up; promote, rollback and trials say which are in use', async () => {
  expect((await add('one')).version).toBe(1);
  expect((await add('two')).version).toBe(2);
  await registry.promote('demo', 1);
  await registry.trial('demo', 'canary', 2);
  expect(await registry.promote('demo', 2)).toEqual({ active: 2, previous: 1, canary: null, shadow: null });
  expect(await registry.promote('demo', 2)).toEqual({ active: 2, previous: 1, canary: null, shadow: null });
  expect(await registry.rollback('demo')).toEqual({ active: 1, previous: null, canary: null, shadow: null });
  await expect(registry.rollback('demo')).rejects.toMatchObject({ code: 'E_MODEL_ROLLBACK' });
  expect((await registry.read('demo', 2)).onnx.toString()).toBe('two');
  expect(await registry.active('demo')).toEqual({
    version: 1,
    path: join(folder, 'demo/1/model.onnx'),
    sha256: createHash('sha256').update('one').digest('hex'),
  });
  const [listed] = await registry.list();
  expect([listed?.name, listed?.state.active, listed?.versions.map(({ version }) => version)]).toEqual([
    'demo',
    1,
    [1, 2],
  ]);
});

test('what does not exist has a code', async () => {
  await add('one');
  await expect(registry.promote('demo', 7)).rejects.toMatchObject({ code: 'E_MODEL_UNKNOWN' });
  await expect(registry.promote('none', 1)).rejects.toMatchObject({ code: 'E_MODEL_UNKNOWN' });
  await expect(registry.read('demo', 1.5)).rejects.toMatchObject({ code: 'E_MODEL_UNKNOWN' });
  await expect(add('x', '../outside')).rejects.toMatchObject({ code: 'E_MODEL_NAME' });
  expect(await new ModelRegistry(join(folder, 'nothing')).list()).toEqual([]);
});

test('old versions go, those in use stay, and no number is given twice', async () => {
  for (let i = 1; i <= 3; i += 1) await add(`model ${i}`);
  await registry.promote('demo', 1);
  await registry.trial('demo', 'shadow', 2);
  for (let i = 4; i <= 8; i += 1) expect((await add(`model ${i}`)).version).toBe(i);
  expect(readdirSync(join(folder, 'demo')).sort()).toEqual(['1', '2', '6', '7', '8', 'state.json']);
});

test('a model that was changed on the disk is refused', async () => {
  await add('one');
  writeFileSync(join(folder, 'demo/1/model.onnx'), 'evil');
  await expect(registry.read('demo', 1)).rejects.toMatchObject({ code: 'E_MODEL_PIN' });
});

test('a damaged state or description is told, not guessed', async () => {
  await add('one');
  writeFileSync(join(folder, 'demo/state.json'), '{"active":');
  await expect(registry.promote('demo', 1)).rejects.toMatchObject({ code: 'E_MODEL_REGISTRY' });
  writeFileSync(join(folder, 'demo/state.json'), '{"active": "1"}');
  await expect(registry.state('demo')).rejects.toMatchObject({ code: 'E_MODEL_REGISTRY' });
  writeFileSync(join(folder, 'demo/1/meta.json'), '[]');
  await expect(registry.list()).rejects.toMatchObject({ code: 'E_MODEL_REGISTRY' });
});

test('whatever step of a change is the last before a crash, the state is the one before or the one after', async () => {
  await add('one');
  await add('two');
  await registry.promote('demo', 1);
  const before = readFileSync(join(folder, 'demo/state.json'), 'utf8');
  for (const step of ['open', 'rename'] as const) {
    const real = fs[step].bind(fs) as (...args: unknown[]) => Promise<unknown>;
    const crash = vi.spyOn(fs, step).mockImplementation((async (...args: unknown[]) => {
      if (args.some((arg) => String(arg).includes('.state.json-')))
        throw Object.assign(new Error('crash'), { code: 'EIO' });
      return real(...args);
    }) as never);
    await expect(registry.promote('demo', 2)).rejects.toMatchObject({ code: 'E_MODEL_REGISTRY' });
    crash.mockRestore();
    expect(readFileSync(join(folder, 'demo/state.json'), 'utf8')).toBe(before);
  }
  expect((await registry.promote('demo', 2)).active).toBe(2);
});

test('a version is there whole or not at all', async () => {
  await add('one');
  const real = fs.rename.bind(fs);
  let left = 0;
  const crash = vi.spyOn(fs, 'rename').mockImplementation(async (from, to) => {
    left -= 1;
    if (left < 0) throw Object.assign(new Error('crash'), { code: 'EIO' });
    return real(from, to);
  });
  for (left = 0; left < 3; ) {
    const steps = left;
    await expect(add('two')).rejects.toMatchObject({ code: 'E_MODEL_REGISTRY' });
    expect(readdirSync(join(folder, 'demo'))).toEqual(['1']);
    left = steps + 1;
  }
  crash.mockRestore();
  // a draft that a killed process left is no version
  mkdirSync(join(folder, 'demo/.draft-of-a-dead-process'));
  expect((await add('two')).version).toBe(2);
  expect((await registry.list())[0]?.versions).toHaveLength(2);
});

test('several that add and promote at once do not disturb each other', async () => {
  const added = await Promise.all(['a', 'b', 'c', 'd'].map((text) => add(text)));
  expect(added.map(({ version }) => version).sort()).toEqual([1, 2, 3, 4]);
  await Promise.all([registry.promote('demo', 3), registry.trial('demo', 'shadow', 4), registry.promote('demo', 2)]);
  const { active, previous, shadow } = await registry.state('demo');
  expect([[active, previous].sort(), shadow]).toEqual([[2, 3], 4]);
});

test('the lock of a process that died is taken over', async () => {
  await add('one');
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  writeFileSync(join(folder, 'demo/.lock'), String(dead));
  expect((await registry.promote('demo', 1)).active).toBe(1);
  expect(existsSync(join(folder, 'demo/.lock'))).toBe(false);
  writeFileSync(join(folder, 'demo/.lock'), String(process.pid));
  await expect(registry.promote('demo', 1)).rejects.toMatchObject({ code: 'E_MODEL_LOCKED' });
});
