import { hash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FileClaimStore } from '../../src/claims/file-store.ts';
import { FakeClock } from '../setup/fake-clock.ts';

const DATA = Buffer.from('some data');
const NAME = hash('sha256', DATA, 'hex');

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'fairlead-claims-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function store(path: string, over: { maxBytes?: number; uri?: string; clock?: FakeClock } = {}): FileClaimStore {
  return new FileClaimStore({ path, maxBytes: 10_000, clock: new FakeClock(), ...over });
}

const code = (result: Promise<unknown>): Promise<unknown> =>
  result.then(
    () => 'done',
    (error) => error.code,
  );

describe('keeping', () => {
  test('the same bytes have one file and one reference, which leads back to them', async () => {
    const path = join(directory(), 'made', 'here');
    const one = store(path);
    const references = await Promise.all([one.put(DATA), one.put(DATA), store(path).put(DATA)]);
    expect(new Set(references)).toEqual(new Set([`${pathToFileURL(path).href}/${NAME}`]));
    expect(readdirSync(path)).toEqual([NAME]);
    expect(await store(path).get(references[0] as string, 100)).toEqual(DATA);
  });

  test('references begin with the URI of the configuration', async () => {
    const one = store(directory(), { uri: 'https://claims.example.com/a/' });
    const reference = await one.put(DATA);
    expect(reference).toBe(`https://claims.example.com/a/${NAME}`);
    expect(await one.get(reference, 100)).toEqual(DATA);
  });

  test('a file that was cut off is written again', async () => {
    const path = directory();
    writeFileSync(join(path, NAME), 'some');
    const one = store(path);
    expect(await one.get(await one.put(DATA), 100)).toEqual(DATA);
  });

  test('a full store refuses until there is room, and says to wait', async () => {
    const path = directory();
    const clock = new FakeClock();
    const one = store(path, { maxBytes: 20, clock });
    await one.put(Buffer.alloc(15));
    expect(await one.put(Buffer.alloc(15))).toContain('file:');
    await expect(one.put(Buffer.alloc(6))).rejects.toMatchObject({ code: 'E_CLAIM_FULL', unavailable: true });
    for (const name of readdirSync(path)) rmSync(join(path, name));
    expect(await code(one.put(Buffer.alloc(6)))).toBe('E_CLAIM_FULL');
    await clock.advance(10_000);
    expect(await code(one.put(Buffer.alloc(6)))).toBe('done');
  });

  test('what cannot be written is told, and leaves nothing behind', async () => {
    const path = directory();
    writeFileSync(join(path, 'file'), 'x');
    const one = store(join(path, 'file', 'below'));
    await expect(one.put(DATA)).rejects.toMatchObject({ code: 'E_CLAIM_STORE', unavailable: true, sent: 'no' });
    expect(await code(one.check())).toBe('E_CLAIM_STORE');
    expect(await code(store(path).check())).toBe('done');
  });
});

describe('reading', () => {
  test('only references of the store are looked at', async () => {
    const path = directory();
    const one = store(path);
    await one.put(DATA);
    writeFileSync(join(path, '..', NAME), 'outside');
    onTestFinished(() => rmSync(join(path, '..', NAME)));
    const prefix = `${pathToFileURL(path).href}/`;
    for (const reference of [
      `${prefix}../${NAME}`,
      `${prefix}%2e%2e/${NAME}`,
      `${prefix}..%2f${NAME}`,
      `${prefix}./${NAME}`,
      `${prefix}${NAME}/../${NAME}`,
      `${prefix}${NAME.toUpperCase()}`,
      `${prefix}${NAME}?x`,
      `${prefix}${NAME}\n`,
      `${prefix}${NAME.slice(1)}`,
      `file:///etc/passwd`,
      `https://example.com/${NAME}`,
      NAME,
      '',
    ]) {
      expect(await one.get(reference, 100)).toBeUndefined();
    }
  });

  test('what is gone, damaged, too large or a link is an error of its own', async () => {
    const path = directory();
    const one = store(path);
    const reference = await one.put(DATA);
    expect(await code(one.get(reference, DATA.length - 1))).toBe('E_CLAIM_TOO_LARGE');
    writeFileSync(join(path, NAME), 'some dada');
    await expect(one.get(reference, 100)).rejects.toMatchObject({ code: 'E_CLAIM_CORRUPT', retryable: false });
    rmSync(join(path, NAME));
    await expect(one.get(reference, 100)).rejects.toMatchObject({ code: 'E_CLAIM_MISSING', retryable: false });
    symlinkSync('/etc/hostname', join(path, NAME));
    expect(await code(one.get(reference, 1_000))).toBe('E_CLAIM_MISSING');
  });

  test('a store that cannot be read may come back', async () => {
    const path = directory();
    const one = store(path);
    const reference = await one.put(DATA);
    rmSync(join(path, NAME));
    // Reading a directory fails for root too, unlike a missing permission.
    mkdirSync(join(path, NAME));
    await expect(one.get(reference, 1e9)).rejects.toMatchObject({ code: 'E_CLAIM_STORE', retryable: true });
  });
});
