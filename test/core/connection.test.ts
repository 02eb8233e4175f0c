import { expect, test } from 'vitest';
import { connectForever, HealthRecord } from '../../src/core/connection.ts';
import { FairleadError } from '../../src/core/errors.ts';
import { FakeClock } from '../setup/fake-clock.ts';

const never = new AbortController().signal;

test('keeps trying with growing, bounded, jittered waits until it connects', async () => {
  const clock = new FakeClock();
  const at: number[] = [];
  const failures: number[] = [];
  const connecting = connectForever(
    async () => {
      at.push(clock.now());
      if (at.length < 12) throw new Error('refused');
      return 'connected';
    },
    never,
    (_error, attempt) => failures.push(attempt),
    { clock, random: () => 0.5 },
  );
  await clock.advance(300_000);
  expect(await connecting).toBe('connected');
  expect(failures).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  const waits = at.slice(1).map((time, n) => time - (at[n] as number));
  expect(waits[0]).toBe(150);
  expect(Math.max(...waits)).toBeLessThanOrEqual(15_000);
  expect(waits.at(-1)).toBe(11_250);
});

test('what retrying cannot cure ends it', async () => {
  const fatal = new FairleadError({ code: 'E_AUTH', message: 'refused' });
  const connecting = connectForever(
    () => Promise.reject(fatal),
    never,
    () => undefined,
  );
  await expect(connecting).rejects.toBe(fatal);
});

test('an abort ends the wait', async () => {
  const abort = new AbortController();
  const connecting = connectForever(
    () => Promise.reject(new Error('refused')),
    abort.signal,
    () => abort.abort(new Error('stopped')),
  );
  await expect(connecting).rejects.toThrow('stopped');
});

test('health keeps the last error after recovery', () => {
  const health = new HealthRecord();
  expect(health.read().status).toBe('starting');
  health.down(new FairleadError({ code: 'E_X', message: 'gone' }));
  health.up();
  expect(health.read()).toMatchObject({ status: 'up', lastError: { code: 'E_X', message: 'gone' } });
});
