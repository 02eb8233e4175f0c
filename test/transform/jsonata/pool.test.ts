import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compileTransform } from '../../../src/transform/compile.ts';
import { delivery, rig } from '../../pipeline/rig.ts';
import { jsonEvent } from '../../setup/events.ts';
import { eventually } from '../../setup/eventually.ts';
import { program, results, startPool } from './pool.ts';

const numbers = (count: number): { n: number }[] => Array.from({ length: count }, (_, n) => ({ n }));

describe('worker processes', () => {
  test('evaluate in the order of the calls, many inputs at a time', async () => {
    const pool = startPool();
    const double = program('n * 2');
    const order: number[] = [];
    const calls = [3, 500, 1].map(async (count, call) => {
      const found = await results(pool, double, numbers(count));
      order.push(call);
      return found;
    });
    expect((await Promise.all(calls)).map((found) => found.at(-1))).toEqual(['4', '998', '0']);
    expect(order).toEqual([0, 1, 2]);
    expect(await results(pool, double, [])).toEqual([]);
  });

  test('one input that ends its worker fails alone; those beside it have their results', async () => {
    const pool = startPool();
    const found = await results(pool, program('n = 13 ? $pad("x", 500000000) : n'), numbers(20));
    expect(found[13]).toBe('E_TRANSFORM_MEMORY');
    expect(found.filter((_, n) => n !== 13)).toEqual(
      numbers(20)
        .filter(({ n }) => n !== 13)
        .map(({ n }) => String(n)),
    );
  });

  test('a worker that is stuck is killed, and only what it is stuck in fails', async () => {
    const pool = startPool();
    // Compares each value with all before it, without a look at the clock.
    const found = await results(pool, program('n = 2 ? $distinct([1..100000]) : n', { timeoutMs: 300 }), numbers(5));
    expect(found).toEqual(['0', '1', 'E_TRANSFORM_TIMEOUT', '3', '4']);
  });

  test('one that is killed from outside costs nothing', async () => {
    const pool = startPool();
    const slow = program('$sum([1..5000]) + n');
    await results(pool, slow, numbers(1));
    const all = results(pool, slow, numbers(300));
    for (const pid of pool.pids) process.kill(pid, 'SIGKILL');
    expect(await all).toEqual(numbers(300).map(({ n }) => String(12_502_500 + n)));
  });

  test('are given nothing of the environment', async () => {
    const pool = startPool();
    await results(pool, program('n'), numbers(1));
    const [pid] = pool.pids;
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain('PATH=');
  });

  test('go on when a service manager or Ctrl-C signals the whole group: the gateway drains', async () => {
    const pool = startPool();
    const before = await results(pool, program('n'), numbers(1));
    const [pid] = pool.pids;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.kill(pid as number, signal);
    expect(await results(pool, program('n'), numbers(1))).toEqual(before);
    expect(pool.pids).toEqual([pid]);
  });

  test('end with the pool', async () => {
    const pool = startPool();
    await results(pool, program('n'), numbers(1));
    const [pid] = pool.pids;
    pool.close();
    await eventually(() => {
      expect(() => process.kill(pid as number, 0)).toThrow('ESRCH');
    });
  });
});

test('order per key holds and nothing is lost while workers are killed', async () => {
  const pool = startPool();
  const transform = compileTransform(
    [{ data: { jsonata: '{ "n": n, "sum": $sum([1..2000]) }', timeoutMs: 20_000 } }],
    pool,
  );
  const r = rig({ transform, targets: ['a', 'b'] });
  const wave = 200;
  for (let first = 0; first < 3 * wave; first += wave) {
    const all = Array.from({ length: wave }, (_, k) => first + k);
    r.deliver(all.map((n) => ({ ...delivery(n, `k${n % 7}`), event: jsonEvent(n, { id: String(n) }) })));
    await r.clock.advance(5);
    const pid = await eventually(() => pool.pids[0] ?? false);
    process.kill(pid as number, 'SIGKILL');
    await eventually(async () => {
      await r.clock.advance(5);
      expect(r.balanced()).toBe(true);
      return r.outcomes.size === first + wave;
    });
  }
  for (const target of r.targets.values()) {
    expect(target.accepted.length).toBe(3 * wave);
    for (let key = 0; key < 7; key += 1) {
      const own = target.accepted.filter((leg) => leg.key === `k${key}`).map(({ event }) => Number(event.id));
      expect(own).toEqual([...own].sort((a, b) => a - b));
    }
  }
  expect(r.letters).toEqual([]);
  expect(r.balanced()).toBe(true);
});
