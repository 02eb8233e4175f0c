import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { figures, figuresText } from '../../../bench/learning/figures.ts';
import { readRecords } from '../../../src/telemetry/read.ts';
import { recordWorld } from '../../models/recorded-world.ts';

test('figures of stretches of recorded time, all of them or of one target', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-figures-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  await recordWorld(folder, 10);
  const times: number[] = [];
  let cost = 0;
  for await (const record of readRecords(folder)) {
    if (!('decision' in record)) continue;
    times.push(record.ts);
    cost += record.outcome === 'ok' ? (record.ackMs ?? 0) : 2_000;
  }
  const [from, to] = [Math.min(...times), Math.max(...times) + 1];
  const half = (from + to) / 2;
  const arm = { forecasts: true };
  const [all, parts, hook, none] = await figures(
    folder,
    [
      { ...arm, name: 'all', stretches: [{ from, to }] },
      {
        ...arm,
        name: 'parts',
        stretches: [
          { from, to: half },
          { from: half, to },
        ],
      },
      { ...arm, name: 'hook', target: 'hook', stretches: [{ from, to }] },
      { ...arm, name: 'none', stretches: [] },
    ],
    2_000,
  );
  expect(all).toMatchObject({ decisions: times.length, residual: Number.NaN });
  expect(all?.cost).toBeCloseTo(cost / times.length, 6);
  expect(all?.p99).toBeGreaterThan(all?.p50 ?? Number.POSITIVE_INFINITY);
  expect(parts).toEqual({ ...all, name: 'parts' });
  expect(hook?.decisions).toBeLessThan(times.length);
  expect(none?.decisions).toBe(0);
  const text = figuresText([all, hook].filter((row) => row !== undefined));
  expect(text).toMatch(/^ +DECISIONS +J ms +P50 ms +P99 ms +FAILED +RESIDUAL$/m);
  expect(text).toMatch(/^all +\d+ +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+ % +-$/m);
});
