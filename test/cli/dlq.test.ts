import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { deadLetterDirectory } from '../../src/app.ts';
import type { DeadLetterInit } from '../../src/core/dead-letter.ts';
import { DeadLetterStore } from '../../src/store/dead-letters.ts';
import { extensions, jsonEvent } from '../setup/events.ts';
import { fairlead, temporaryFolder } from './command.ts';

const POISON = Buffer.from([0x7b, 0x00, 0xff, 0x1b, 0x5b, 0x32, 0x4a]);

const base = {
  raw: undefined,
  contentType: undefined,
  message: 'the receiver does not take the event',
  attempts: 3,
  source: 'readings',
  route: 'archive',
  target: 'out',
  receivedAt: Date.UTC(2026, 0, 1),
} satisfies Partial<DeadLetterInit>;

/** A store with an event and a poison record, its writer still open as in a running gateway. */
async function storeWithLetters(): Promise<string> {
  const store = join(temporaryFolder(), 'store');
  const options = { directory: deadLetterDirectory(store), maxBytes: 1 << 20, gateway: 'g', revision: () => 'abc' };
  const letters = await DeadLetterStore.open(options);
  onTestFinished(() => letters.close());
  const event = jsonEvent(1, {
    id: 'one',
    type: 'evil\u001b[2Jtype',
    extensions: extensions({ partitionkey: 'k', bin: Buffer.from([1, 2]) }),
    data: Buffer.from('{"n":12345678901234567890}'),
  });
  const headers = { 'x-trace': 'abc' };
  await letters.put([
    { ...base, code: 'E_HTTP_REFUSED', event, meta: { position: { topic: 'a', partition: 3, offset: '7' }, headers } },
    {
      ...base,
      code: 'E_CE_JSON',
      event: undefined,
      raw: POISON,
      route: undefined,
      target: undefined,
      meta: { position: { queue: 'q' } },
    },
  ]);
  return store;
}

test('dlq ls lists and filters beside the writer; what a terminal would obey is escaped', async () => {
  const store = await storeWithLetters();
  const all = await fairlead(['dlq', 'ls', '--store', store]);
  expect(all.stdout).toMatch(/^ID +AT +CODE +ATTEMPTS +SOURCE +ROUTE +TARGET +POSITION +TYPE +BYTES$/m);
  expect(all.stdout).toMatch(/^ 0 .*E_HTTP_REFUSED +3 +readings +archive +out +topic=a partition=3 offset=7 .*26$/m);
  expect(all.stdout).toMatch(/^ 1 .*E_CE_JSON .* queue=q +\(not an event\) +7$/m);
  expect(all.stdout).not.toContain('\u001b');
  expect(all.code).toBe(0);

  const some = await fairlead(['dlq', 'ls', '--store', store, '--code', 'E_CE_JSON', '-o', 'json']);
  expect(JSON.parse(some.stdout)).toMatchObject([{ id: '1', code: 'E_CE_JSON', position: { queue: 'q' } }]);
  const page = await fairlead(['dlq', 'ls', '--limit', '1'], { env: { FAIRLEAD_STORE: store } });
  expect(page.stderr).toBe('there may be more: --after 0\n');
});

test('dlq show prints cause, position, attributes and data; --raw the verbatim bytes', async () => {
  const store = await storeWithLetters();
  const event = await fairlead(['dlq', 'show', '0', '--store', store]);
  for (const line of [/^cause +E_HTTP_REFUSED: the receiver/m, /^position +topic=a partition=3 offset=7$/m]) {
    expect(event.stdout).toMatch(line);
  }
  expect(event.stdout).toMatch(/^ {2}type +evil\\u001b\[2Jtype$/m);
  expect(event.stdout).toMatch(/^ {2}bin +AQI=$/m);
  expect(event.stdout).toMatch(/^ {2}x-trace +abc$/m);

  const poison = await fairlead(['dlq', 'show', '1', '--store', store]);
  expect(poison.stdout).toMatch(/not an event \(7 bytes\)\n {2}00000000 {2}7b 00 ff 1b 5b 32 4a +\|\{\.\.\.\[2J\|/);
  const raw = await fairlead(['dlq', 'show', '1', '--raw', '--store', store]);
  expect(raw.code).toBe(0);
  const text = await fairlead(['dlq', 'show', '0', '--raw', '--store', store]);
  expect(text.stdout).toBe('{"n":12345678901234567890}');
  const json = await fairlead(['dlq', 'show', '1', '-o', 'json', '--store', store]);
  expect(Buffer.from((JSON.parse(json.stdout) as { rawBase64: string }).rawBase64, 'base64')).toEqual(POISON);
});

test('dlq without letters', async () => {
  const store = await storeWithLetters();
  const missing = await fairlead(['dlq', 'show', '99', '--store', store]);
  expect(missing).toMatchObject({ code: 1, stdout: '' });
  expect((await fairlead(['dlq', 'show', 'x', '--store', store])).stderr).toMatch(/^E_DEAD_LETTER_ID: /);
  const none = await fairlead(['dlq', 'ls', '-o', 'json', '--store', join(store, 'nothing')]);
  expect(none).toMatchObject({ code: 0, stdout: '[]\n' });
});
