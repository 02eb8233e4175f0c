import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { SegmentedLog } from '../../src/store/segmented-log.ts';
import { contents, directory } from './directory.ts';

const CHILD = path.join(import.meta.dirname, 'append-child.ts');
const RUNS = 6;

/** Runs the appending process and kills it after `lines` acknowledgements; returns what it had printed. */
async function killedAfter(dir: string, tag: string, lines: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, dir, tag], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const printed: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    printed.push(line);
    if (printed.length === lines) child.kill('SIGKILL');
  }
  await closed;
  expect(child.signalCode).toBe('SIGKILL');
  return printed;
}

describe('kill -9', () => {
  test(`every acknowledged record is there after each of ${RUNS} kills in one directory`, async () => {
    const dir = await directory();
    let acknowledged = 0;
    const expected = new Map<number, string>();
    for (let run = 0; run < RUNS; run += 1) {
      // seeded by the run: early, in the middle of a segment, and after rolls
      const [opened, ...lines] = await killedAfter(dir, `run${run}`, [2, 60, 300, 17, 700, 5][run] as number);
      expect(opened).toBe('open');
      for (const line of lines) {
        const [first, count, name, round] = line.split(' ').map(Number) as [number, number, number, number];
        for (let index = 0; index < count; index += 1)
          expected.set(first + index, `run${run}.${name}.${round}.${index};`);
        acknowledged += count;
      }
      const log = await SegmentedLog.open({ directory: dir, segmentBytes: 256 << 10, maxBytes: 64 << 20 });
      const found = await contents(log);
      for (const [number, text] of expected) {
        expect(found.get(number)?.toString('latin1', 0, text.length)).toBe(text);
      }
      expect(log.stats().damage.filter(({ code }) => code === 'E_STORE_CORRUPT')).toEqual([]);
      await log.close();
    }
    expect(expected.size).toBe(acknowledged);
    expect(acknowledged).toBeGreaterThan(1000);
  }, 180_000);
});
