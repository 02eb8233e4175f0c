import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { evalModel } from '../../src/modelling.ts';
import { gatewayRows } from '../models/gateway-rows.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/python-model.mjs', import.meta.url));
/** What the script ends with where Python, pip or the packages are not to be had. */
const UNAVAILABLE = 69;

test('a model trained in Python keeps the contract', { timeout: 500_000 }, async ({ skip }) => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-python-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [rows, later, model] = ['rows.ndjson', 'later.ndjson', 'model.onnx'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(rows, gatewayRows(6_000).join('\n'));
  writeFileSync(later, gatewayRows(3_000, 2).join('\n'));
  const child = spawn(process.execPath, [SCRIPT, rows, model], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Buffer) => (said += piece.toString()));
  await once(child, 'close');
  if (child.exitCode === UNAVAILABLE) skip(`the Python example cannot run here: ${said.trim()}`);
  expect(child.exitCode, said).toBe(0);

  const report = await evalModel({ onnx: readFileSync(model), paths: [later], scenarios: 0 });
  expect(said).toContain(report.sha256);
  const failed = report.gate.checks.filter(({ passed }) => !passed);
  expect(failed).toEqual([]);
});
