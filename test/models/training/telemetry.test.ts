import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ModelRegistry, trainModel } from '../../../src/modelling.ts';
import { recordWorld } from '../recorded-world.ts';

test('what a gateway recorded is learned from, and logged decisions are held against the model', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-telemetry-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  await recordWorld(folder, 90);
  const registry = new ModelRegistry(join(folder, 'models'));
  const report = await trainModel({ paths: [folder], into: { registry, name: 'regions' } });
  // each send twice, as of the send and as of a second or two before
  expect(report.read.rows).toBeGreaterThan(25_000);
  expect(report.read.bad).toBe(0);
  expect(Object.keys(report.evaluation.byTarget).sort()).toEqual(['hook', 'log', 'queue']);
  const { offPolicy, checks } = report.gate;
  expect(offPolicy).toMatchObject({ decisions: expect.any(Number), logged: expect.any(Number) });
  expect(checks.filter(({ passed }) => !passed)).toEqual([]);
  expect(report.added?.version).toBe(1);
});
