import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ModelRegistry, trainModel } from '../../../src/modelling.ts';
import { runEvaluation } from '../../../src/models/training/run.ts';
import { recordWorld } from '../recorded-world.ts';

test('what a gateway recorded is learned from, and logged decisions are held against the model', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-telemetry-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  await recordWorld(folder, 90);
  const registry = new ModelRegistry(join(folder, 'models'));
  const report = await trainModel({ paths: [folder], scenarios: 1, into: { registry, name: 'regions' } });
  // each send twice, as of the send and as of a second or two before; on a busy machine some are not recorded
  expect(report.read.rows).toBeGreaterThan(20_000);
  expect(report.read.bad).toBe(0);
  expect(Object.keys(report.evaluation.byTarget).sort()).toEqual(['hook', 'log', 'queue']);
  const { offPolicy, checks } = report.gate;
  expect(offPolicy).toMatchObject({ decisions: expect.any(Number), logged: expect.any(Number) });
  expect(checks.filter(({ passed }) => !passed)).toEqual([]);
  expect(report.added?.version).toBe(1);
  expect(report.gate.closedLoop).toMatchObject({
    scenarios: 1,
    families: { steady: { modelOff: expect.any(Number) } },
  });
  expect(report.added?.meta.metrics['simulatedOverOff']).toBe(report.gate.closedLoop?.modelOff);

  // Held against the newer half in a process of its own, with itself in force.
  await registry.promote('regions', 1);
  const { onnx } = await registry.read('regions', 1);
  const since = report.metadata.window[0] + 45_000;
  const active = await registry.active('regions');
  const stop = new AbortController();
  const held = await runEvaluation({ onnx, paths: [folder], since, active, maxRows: 100_000 }, { signal: stop.signal });
  expect(held.read.rows).toBeLessThan(report.read.rows * 0.6);
  expect(held.incumbent?.evaluation?.overall).toEqual(held.evaluation.overall);
  expect(held.evaluation.overall.logMae).toBeLessThan(held.baselines[0]?.overall.logMae ?? 0);
  stop.abort();
  const late = runEvaluation({ onnx, paths: [folder], maxRows: 1_000 }, { signal: stop.signal });
  await expect(late).rejects.toMatchObject({ code: 'E_STOPPED' });
});
