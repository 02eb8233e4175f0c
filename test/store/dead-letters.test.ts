import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeDeadLetter } from '../../src/store/dead-letter.ts';
import { DeadLetterStore } from '../../src/store/dead-letters.ts';
import { directory } from './directory.ts';
import { FaultyDisk } from './faulty-disk.ts';
import { letter } from './letters.ts';

const SETUP = { gateway: 'edge-7', revision: () => 'rev-1' };

describe('dead-letter store', () => {
  test('what was put is listed and shown after a restart, signed with gateway and revision', async () => {
    const dir = await directory();
    let revision = 'rev-1';
    const store = await DeadLetterStore.open({ directory: dir, gateway: 'edge-7', revision: () => revision });
    await store.put([
      letter(),
      letter({ event: undefined, raw: Buffer.from('bad{'), code: 'E_CE_JSON', route: undefined }),
    ]);
    revision = 'rev-2';
    await store.put([letter({ route: 'other', attempts: 1 })]);
    await store.close();

    const again = await DeadLetterStore.open({ directory: dir, ...SETUP });
    const all = await again.list({ limit: 100 });
    expect(all.map(({ id, code, route, revision: by }) => [id, code, route, by])).toEqual([
      ['0', 'E_KAFKA_TOO_LARGE', 'archive', 'rev-1'],
      ['1', 'E_CE_JSON', undefined, 'rev-1'],
      ['2', 'E_KAFKA_TOO_LARGE', 'other', 'rev-2'],
    ]);
    expect(all[0]).toMatchObject({ event: { id: 'e-1', source: '/plant/7', type: 'com.acme.reading' }, bytes: 26 });
    expect(all[1]).toMatchObject({ event: undefined, bytes: 4 });
    const shown = await again.get('0');
    expect(shown).toMatchObject({ gateway: 'edge-7', revision: 'rev-1', attempts: 8, receivedAt: letter().receivedAt });
    expect(shown?.event?.data?.equals(letter().event?.data as Buffer)).toBe(true);
    expect((await again.get('1'))?.raw?.toString()).toBe('bad{');
    expect(await again.get('3')).toBeUndefined();
    await expect(again.get('three')).rejects.toMatchObject({ code: 'E_DEAD_LETTER_ID' });
    await again.close();
  });

  test('lists pages after an id and by route, code, source and target', async () => {
    const store = await DeadLetterStore.open({ directory: await directory(), ...SETUP });
    await store.put(
      Array.from({ length: 250 }, (_, index) =>
        letter({ route: `r${index % 3}`, code: `E_${index % 5}`, source: `s${index % 2}`, target: `t${index % 4}` }),
      ),
    );
    const ids: string[] = [];
    for (let after: string | undefined; ; after = ids.at(-1)) {
      const page = await store.list({ limit: 40, after });
      if (page.length === 0) break;
      ids.push(...page.map(({ id }) => id));
    }
    expect(ids).toEqual(Array.from({ length: 250 }, (_, index) => String(index)));
    const some = await store.list({ limit: 1000, route: 'r1', code: 'E_2', source: 's1', target: 't3' });
    expect(some.map(({ id }) => Number(id))).toEqual([7, 67, 127, 187, 247]);
    expect(await store.list({ limit: 0 })).toEqual([]);
    await store.close();
  });

  test('is read beside the gateway that writes', async () => {
    const dir = await directory();
    const store = await DeadLetterStore.open({ directory: dir, ...SETUP });
    await store.put([letter()]);
    const beside = await DeadLetterStore.openReadOnly(dir);
    expect(await beside.list({ limit: 10 })).toHaveLength(1);
    await expect(beside.put([letter()])).rejects.toMatchObject({ code: 'E_STORE_READ_ONLY' });
    await beside.close();
    await store.close();
  });

  test('a put larger than one group is split, so that it never grows past what the log takes at once', async () => {
    const store = await DeadLetterStore.open({ directory: await directory(), ...SETUP, maxBytes: 16 << 20 });
    const raw = Buffer.alloc(700 << 10, 'x');
    await store.put(Array.from({ length: 12 }, () => letter({ event: undefined, raw })));
    expect(await store.list({ limit: 100 })).toHaveLength(12);
    await store.close();
  });

  test('a full store refuses and keeps what it has; drop-oldest gives up the oldest, counted', async () => {
    const raw = Buffer.alloc(10 << 10, 'x');
    const large = letter({ event: undefined, raw });
    const blocking = await DeadLetterStore.open({ directory: await directory(), ...SETUP, maxBytes: 128 << 10 });
    let kept = 0;
    const error = await (async () => {
      for (; ; kept += 1) await blocking.put([large]);
    })().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'E_STORE_FULL', retryable: true });
    expect(await blocking.list({ limit: 100 })).toHaveLength(kept);
    await blocking.close();

    const bounds = { maxBytes: 128 << 10, whenFull: 'drop-oldest' } as const;
    const dropping = await DeadLetterStore.open({ directory: await directory(), ...SETUP, ...bounds });
    for (let index = 0; index < 40; index += 1) await dropping.put([large]);
    const { first, next, droppedRecords } = dropping.stats();
    expect(next).toBe(40);
    expect(droppedRecords).toBe(first);
    expect((await dropping.list({ limit: 1, after: '0' }))[0]?.id).toBe(String(first));
    await dropping.close();
  });

  test('a failed sync rejects the put for good', async () => {
    const disk = new FaultyDisk();
    const store = await DeadLetterStore.open({ directory: await directory(), ...SETUP, disk });
    await store.put([letter()]);
    disk.fail = (operation) => (operation === 'writeDurable' ? 'EIO' : undefined);
    await expect(store.put([letter()])).rejects.toMatchObject({ code: 'E_STORE_FSYNC', retryable: false });
    expect(await store.list({ limit: 10 })).toHaveLength(1);
    await store.close();
  });

  test('a damaged letter is reported and left out, the others are listed', async () => {
    const dir = await directory();
    const store = await DeadLetterStore.open({ directory: dir, ...SETUP });
    await store.put([letter({ code: 'E_A' }), letter({ code: 'E_B' }), letter({ code: 'E_C' })]);
    await store.close();
    const name = path.join(dir, (await readdir(dir)).find((file) => file.endsWith('.seg')) as string);
    const bytes = await readFile(name);
    const at = bytes.indexOf('"E_B"');
    bytes[at + 2] = 0x58;
    await writeFile(name, bytes);
    const again = await DeadLetterStore.open({ directory: dir, ...SETUP });
    expect((await again.list({ limit: 10 })).map(({ code }) => code)).toEqual(['E_A', 'E_C']);
    expect(again.stats().damage).toMatchObject([{ code: 'E_STORE_CORRUPT', records: 1 }]);
    await again.close();
  });

  test('wraps a letter as the event that a dead-letter target gets', async () => {
    const store = await DeadLetterStore.open({ directory: await directory(), ...SETUP });
    const wrapped = store.wrap(letter());
    expect(wrapped.source).toBe('/fairlead/edge-7');
    expect(decodeDeadLetter(wrapped)).toMatchObject({
      code: 'E_KAFKA_TOO_LARGE',
      gateway: 'edge-7',
      revision: 'rev-1',
    });
    await store.close();
  });
});
