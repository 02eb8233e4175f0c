import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { FEATURE_COUNT, SCHEMA_HASH } from '../../src/models/features.ts';
import { readTelemetry } from '../../src/telemetry/read.ts';
import { directory, stored } from './rig.ts';

const CHILD = path.join(import.meta.dirname, 'decide-child.ts');

/** Runs the deciding process until that much is written, ends it, and gives the last line it printed. */
async function endedBy(
  signal: 'SIGTERM' | 'SIGKILL',
  where: string,
  written: number,
  format = 'ndjson',
): Promise<string> {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, where, format], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  let last = '';
  let sent = false;
  for await (const line of createInterface({ input: child.stdout })) {
    last = line;
    if (sent || Number(/^written (\d+)$/.exec(line)?.[1] ?? 0) < written) continue;
    child.kill(signal);
    sent = true;
  }
  await closed;
  return last;
}

describe('SIGTERM', () => {
  test.each(['ndjson', 'parquet'])(
    'loses nothing: every decision is in the %s files, what was open as open',
    async (format) => {
      const where = await directory();
      const [, decided, counters] = /^end (\d+) (.*)$/.exec(await endedBy('SIGTERM', where, 2_000, format)) ?? [];
      const count = Number(decided);
      expect(count).toBeGreaterThan(2_000);
      expect(JSON.parse(counters ?? '')).toMatchObject({ recorded: count, written: count, dropped: 0, open: 0 });
      const { decisions, snapshots } = await stored(where);
      expect(decisions.map(({ decision }) => decision)).toEqual(Array.from({ length: count }, (_, n) => n + 1));
      const outcomes = new Set(decisions.map(({ outcome }) => outcome));
      expect(outcomes).toEqual(new Set(['ok', 'failed', 'timeout', 'open']));
      for (const { decision, outcome } of decisions) {
        if (decision % 100 === 0) expect(['timeout', 'open']).toContain(outcome);
      }
      expect(snapshots[0]?.features.length).toBe(3 * 3 * FEATURE_COUNT);
      const reading = readTelemetry(where, { schemaHash: SCHEMA_HASH });
      for await (const { features } of reading) expect(features).toHaveLength(FEATURE_COUNT);
      expect(reading.counts.unjoined).toBeLessThan(100); // before the first tick there are no features
    },
    60_000,
  );
});

describe('kill -9', () => {
  test('leaves files that can be read, and in them the decisions in their order, without a gap', async () => {
    const where = await directory();
    const told = Number(/\d+/.exec(await endedBy('SIGKILL', where, 5_000))?.[0]);
    const { decisions } = await stored(where);
    expect(decisions.length).toBeGreaterThanOrEqual(told);
    expect(decisions.map(({ decision }) => decision)).toEqual(decisions.map((_, n) => n + 1));
    expect(decisions.every(({ outcome }) => outcome !== 'open')).toBe(true);
  }, 60_000);
});
