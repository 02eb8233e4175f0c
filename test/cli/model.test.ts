import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { gatewayRows } from '../models/gateway-rows.ts';
import { recordWorld } from '../models/recorded-world.ts';
import { fairlead, temporaryFolder } from './command.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

function folderWithRows(rows: number): { cwd: string } {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'rows.ndjson'), gatewayRows(rows).join('\n'));
  return { cwd };
}

/** The command as it is where that optional package was not installed. */
function installationWithout(name: string): string {
  const folder = temporaryFolder();
  cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  mkdirSync(join(folder, 'node_modules'));
  for (const entry of readdirSync(join(ROOT, 'node_modules'))) {
    if (entry !== name) symlinkSync(join(ROOT, 'node_modules', entry), join(folder, 'node_modules', entry));
  }
  return join(folder, 'dist/main.js');
}

// These rows are of no targets that could be: what is learned of them may go wrong in simulated scenarios.
const NONE = ['--scenarios', '0'];
const TRAIN = ['model', 'train', '--data', 'rows.ndjson', '--name', 'demo', ...NONE];

test('train, ls, promote, train again, rollback', async () => {
  const at = folderWithRows(12_000);
  expect((await fairlead(['model', 'ls'], at)).stderr).toBe('no models in ./models\n');

  const first = await fairlead([...TRAIN, '--out', 'model.onnx'], at);
  expect(first.stdout).toMatch(/^rows {6}12000\nparts {5}\d+ trained, \d+ decided when to stop, 1800 measured\n/);
  expect(first.stdout).toMatch(/^overall +1800 /m);
  expect(first.stdout).toMatch(/^✔ +logMae of the target eu +\S+ +\S+$/m);
  expect(first.stdout).toMatch(/the gate passes\n$/);
  expect(first.stderr).toBe('version 1 of demo is kept; put it in force with: model promote demo 1\n');
  expect(first.code).toBe(0);
  expect(readFileSync(join(at.cwd, 'model.onnx'))).toEqual(readFileSync(join(at.cwd, 'models/demo/1/model.onnx')));

  const promoted = await fairlead(['model', 'promote', 'demo', '1'], at);
  expect(promoted.stderr).toBe('version 1 of demo is in force; there is none to go back to\n');
  const listed = await fairlead(['model', 'ls'], at);
  expect(listed.stdout).toMatch(
    /^NAME +VERSION +STATE +GATE +ROWS +LOG-MAE +PINBALL +SIMULATED +CREATED +SHA256\ndemo +1 +active +passed /,
  );

  // the same rows teach the same again: not better than what is in force
  const again = await fairlead([...TRAIN, '--promote', '-o', 'json'], at);
  const report = JSON.parse(again.stdout);
  expect(report).toMatchObject({ name: 'demo', version: 2, gate: { passed: false } });
  expect(report.gate.checks).toContainEqual(
    expect.objectContaining({ name: "logMae below the incumbent's", passed: false }),
  );
  expect(again).toMatchObject({ code: 4, stderr: 'version 2 of demo is kept and not promoted\n' });
  const refused = await fairlead(['model', 'promote', 'demo', '2'], at);
  expect(refused).toMatchObject({ code: 4, stdout: '' });
  expect(refused.stderr).toMatch(/^version 2 of demo did not pass: logMae below the incumbent's/);

  expect((await fairlead(['model', 'promote', 'demo', '2', '--force'], at)).stderr).toMatch(/rollback goes to 1\n$/);
  expect((await fairlead(['model', 'rollback', 'demo'], at)).stderr).toMatch(/^version 1 of demo is in force/);
  const twice = await fairlead(['model', 'rollback', 'demo'], at);
  expect(twice).toMatchObject({ code: 1, stderr: 'E_MODEL_ROLLBACK: demo has no version before the one in force\n' });
});

test('eval holds a file or a version against rows', async () => {
  const at = folderWithRows(6_000);
  await fairlead([...TRAIN, '--out', 'model.onnx'], at);
  writeFileSync(join(at.cwd, 'later.ndjson'), gatewayRows(3_000, 2).join('\n'));
  const file = await fairlead(['model', 'eval', 'model.onnx', '--data', 'later.ndjson', '-o', 'json', ...NONE], at);
  expect(JSON.parse(file.stdout)).toMatchObject({ gate: { passed: true }, read: { rows: 3_000 } });
  expect(file.code).toBe(0);
  const version = ['model', 'eval', 'demo@1', '--data', 'later.ndjson', ...NONE];
  expect((await fairlead(version, at)).stdout).toMatch(/it was not tried in simulated scenarios\nthe gate passes\n$/);
  const simulated = await fairlead(['model', 'eval', 'demo@1', '--data', 'later.ndjson', '--scenarios', '1'], at);
  expect(simulated.stdout).toMatch(/^[✔✘] +simulated ms per event over the model off's +\d\S* +1\.07$/m);
  expect(simulated.stdout).toMatch(/^ms per event over the model off's in 1 simulated scenarios of each family \(/m);
  expect(simulated.stdout).toMatch(/^ {2}steady \d\.\d\d, .+\n {2}cost-tiers .+\nthe gate (passes|does not pass)\n$/m);
  expect((await fairlead(['model', 'eval', 'demo@2', '--data', 'later.ndjson'], at)).stderr).toMatch(
    /^E_MODEL_UNKNOWN: /,
  );
  await fairlead(['model', 'promote', 'demo', '1'], at);
  const against = ['model', 'eval', 'model.onnx', '--data', 'later.ndjson', '--against', 'demo'];
  expect((await fairlead(against, at)).stdout).toMatch(/^✘ +logMae below the incumbent's /m);
  // of another world: the model is wrong there, and 4 says so
  const wrong = gatewayRows(3_000, 3).map((line) => line.replace(/"ms":(\d+)/, '"ms":9$1'));
  writeFileSync(join(at.cwd, 'wrong.ndjson'), wrong.join('\n'));
  expect((await fairlead(['model', 'eval', 'model.onnx', '--data', 'wrong.ndjson'], at)).code).toBe(4);
});

test('mistakes: usage 2, data 1 with a code', async () => {
  const at = folderWithRows(50);
  expect((await fairlead(['model', 'train', '--data', 'rows.ndjson'], at)).code).toBe(2);
  expect((await fairlead(['model', 'train', '--name', 'x'], at)).code).toBe(2);
  expect((await fairlead(['model', 'train', '--data', 'rows.ndjson', '--name', 'x', '--trees', '0'], at)).code).toBe(2);
  expect((await fairlead(['model', 'eval', '--data', 'rows.ndjson'], at)).code).toBe(2);
  const nowhere = await fairlead(['model', 'train', '--data', 'rows.ndjson', '--out', '/nowhere/model.onnx'], at);
  expect(nowhere).toMatchObject({ code: 1, stderr: '/nowhere/model.onnx cannot be written (ENOENT)\n' });
  const few = await fairlead(TRAIN, at);
  expect(few.stderr).toMatch(/^E_MODEL_ROWS: 50 rows leave \d+ successful ones/);
  expect(few.code).toBe(1);
  const none = await fairlead(['model', 'train', '--data', 'none.ndjson', '--name', 'demo'], at);
  expect(none.stderr).toMatch(/^E_MODEL_DATA: none\.ndjson cannot be read/);
  expect((await fairlead(['model', 'promote', 'demo', '1'], at)).stderr).toMatch(/^E_MODEL_UNKNOWN: /);
  expect((await fairlead([...TRAIN.slice(0, 5), '../x'], at)).stderr).toMatch(/^E_MODEL_NAME: /);
  expect(existsSync(join(at.cwd, 'models'))).toBe(false);
});

test('what a gateway recorded is trained on, and written as rows for other trainers', async () => {
  const at = { cwd: temporaryFolder() };
  await recordWorld(join(at.cwd, 'telemetry'), 40);
  const rows = await fairlead(['model', 'rows', '--data', 'telemetry', '--no-ahead'], at);
  expect(rows.stdout.split('\n')).toHaveLength(1 + 40 * 150 + 1);
  writeFileSync(join(at.cwd, 'rows.ndjson'), rows.stdout);
  const outputs: string[] = [];
  for (const data of ['telemetry', 'rows.ndjson']) {
    const trained = await fairlead(
      ['model', 'train', '--data', data, '--no-ahead', '--out', `${data}.onnx`, ...NONE],
      at,
    );
    expect(trained.stdout).toMatch(/^rows {6}6000\n/);
    outputs.push(trained.stdout);
  }
  expect(outputs[0]).toMatch(/^a decision cost \S+ ms; with the model \S+ \(doubly robust\)/m);
  expect(outputs[1]).not.toMatch(/^a decision cost/m);
  const old = await fairlead(['model', 'train', '--data', 'telemetry', '--last', '1h', '--name', 'x'], at);
  expect(old.stderr).toMatch(/^E_MODEL_ROWS: 0 rows leave 0 successful ones/);
});

test('without the runtime: rows are trained on, nothing is measured, and that is said', async () => {
  const at = folderWithRows(6_000);
  const without = { ...at, main: installationWithout('onnxruntime-node') };
  const trained = await fairlead([...TRAIN, '--out', 'model.onnx', '--promote'], without);
  expect(trained.stdout).toMatch(
    /^✘ +golden rows +- +0\.000100\n.*\nit could not be run: a model needs the optional package onnxruntime-node.*\nthe gate does not pass\n$/m,
  );
  expect(trained).toMatchObject({ code: 4, stderr: 'version 1 of demo is kept and not promoted\n' });
  const measured = await fairlead(['model', 'eval', 'model.onnx', '--data', 'rows.ndjson'], without);
  expect(measured).toMatchObject({ code: 1, stdout: '' });
  expect(measured.stderr).toMatch(/^E_MODEL_RUNTIME: a model needs the optional package onnxruntime-node/);
  const later = await fairlead(['model', 'eval', 'model.onnx', '--data', 'rows.ndjson'], at);
  expect(later.stdout).toMatch(/^✔ +golden rows /m);
});

test('a version in force that cannot be run is no rival, so it can be replaced', async () => {
  const at = folderWithRows(6_000);
  await fairlead([...TRAIN, '--promote'], at);
  writeFileSync(join(at.cwd, 'models/demo/1/model.onnx'), 'damaged');
  const again = await fairlead([...TRAIN, '--promote'], at);
  expect(again.stdout).toMatch(/^version 1 is in force and cannot be run, so it is not compared with: E_MODEL_PIN: /m);
  expect(again).toMatchObject({ code: 0, stderr: 'version 2 of demo is in force\n' });
});
