import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Gateway } from '../../src/app.ts';
import { LEARNING_PACE } from '../../src/learning/pace.ts';
import { SCHEMA_HASH } from '../../src/models/features.ts';
import { ModelRegistry } from '../../src/models/registry.ts';
import { readTelemetry } from '../../src/telemetry/read.ts';
import { addModel } from '../learning/registered.ts';
import { stepModel } from '../models/models-of-a-test.ts';
import { eventually } from '../setup/eventually.ts';
import { stored } from '../telemetry/rig.ts';
import { document, Mesh, numbered, route } from './mesh.ts';

const scratch = (): string => mkdtempSync(join(tmpdir(), 'fairlead-learning-'));

/** A mesh whose targets `eu` and `us` take what comes. */
function meshOfTwo(): Mesh {
  const mesh = new Mesh();
  for (const topic of ['eu', 'us']) mesh.read(topic);
  return mesh;
}

function choosing(choice: object, over: object): Record<string, unknown> {
  return document({
    targets: { eu: { broker: 'here', topic: 'eu' }, us: { broker: 'here', topic: 'us' } },
    choices: { any: { targets: ['eu', 'us'], ...choice } },
    routes: [route('all', ['in'], ['any'])],
    ...over,
  });
}

/** Puts events, each with its own key, until a condition on the status holds; gives their number. */
async function feed(mesh: Mesh, gateway: Gateway, until: () => boolean, from = 0): Promise<number> {
  let n = from;
  await eventually(() => {
    mesh.put(
      'in',
      Array.from({ length: 20 }, (_, at) => numbered(n + at, `k-${n + at}`)),
    );
    n += 20;
    return until();
  });
  await mesh.settled(gateway);
  return n;
}

test('every decision of a choice is recorded with what became of it', async () => {
  const mesh = meshOfTwo();
  const path = scratch();
  const gateway = await mesh.run(choosing({ by: 'adaptive' }, { telemetry: { path, sample: 1 } }));
  const recorded = (): number => gateway.status().telemetry?.recorded ?? 0;
  const events = await feed(mesh, gateway, () => recorded() > 500);
  await gateway.stop();
  expect(gateway.status().telemetry).toMatchObject({ written: events, dropped: 0, open: 0 });
  const outcomes: Record<string, number> = {};
  for (const { outcome } of (await stored(path)).decisions) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  expect(outcomes).toEqual({ ok: events });
  const rows = readTelemetry(path, { schemaHash: SCHEMA_HASH, ahead: false });
  let count = 0;
  for await (const row of rows) count += Number(row.ms >= 0);
  // What was decided before the first tick has no features.
  expect(count + rows.counts.unjoined).toBe(events);
  expect(count).toBeGreaterThan(events / 2);
});

test('a model that comes into force in its registry decides from then on, and its records name it', async () => {
  const mesh = meshOfTwo();
  const registry = new ModelRegistry(scratch());
  const path = scratch();
  const add = async (low: number, high: number): Promise<number> =>
    (await addModel(registry, stepModel('ack_ewma_1s', 1, low, high))).version;
  const [first, second] = [await add(5, 50), await add(50, 5)];
  const models = { m: { registry: registry.directory } };
  const choice = { by: 'predictive', model: 'm' };
  const gateway = await mesh.run(choosing(choice, { models, telemetry: { path, sample: 1 } }));
  const decided = (): Record<string, number> => ({ ...gateway.status().choices[0]?.decisions });
  let n = await feed(mesh, gateway, () => (decided()['fallback'] ?? 0) > 100);
  expect(decided()['model']).toBe(0);

  await registry.promote('m', first);
  n = await feed(mesh, gateway, () => (decided()['model'] ?? 0) > 100, n);
  const [sha] = gateway.status().models.map(({ sha256 }) => sha256);
  expect(gateway.status().models).toMatchObject([{ name: 'm', version: first, lastError: undefined }]);

  await registry.promote('m', second);
  await eventually(() => gateway.status().models[0]?.version === second);
  const before = decided()['model'] ?? 0;
  await feed(mesh, gateway, () => (decided()['model'] ?? 0) > before + 100, n);
  await gateway.stop();
  const seen = new Set((await stored(path)).snapshots.flatMap(({ model }) => model ?? []));
  expect(seen.size).toBe(2);
  expect(seen).toContain(sha);
});

test('a model that cannot be loaded leaves decisions to the fallback, and says so', async () => {
  const mesh = new Mesh();
  const [eu, us] = [mesh.read('eu'), mesh.read('us')];
  const path = join(scratch(), 'broken.onnx');
  writeFileSync(path, 'no model at all');
  const gateway = await mesh.run(choosing({ by: 'predictive', model: 'm' }, { models: { m: { path } } }));
  const events = await feed(mesh, gateway, () => eu.length + us.length > 200);
  expect(eu.length + us.length).toBe(events);
  const { models, choices } = gateway.status();
  expect(models[0]?.lastError?.code).toMatch(/^E_MODEL_/);
  expect(choices[0]?.decisions).toMatchObject({ model: 0 });
  expect(choices[0]?.decisions.fallback).toBeGreaterThan(0);
  expect(
    mesh.logged.filter(({ level, message }) => level === 'error' && message.includes('model not loaded')),
  ).toHaveLength(1);
  // Mended in place it is taken up.
  writeFileSync(path, stepModel('ack_ewma_1s', 1, 5, 50));
  await feed(mesh, gateway, () => (gateway.status().choices[0]?.decisions.model ?? 0) > 0, events);
});

test('in shadow the model is scored and decides nothing', async () => {
  const mesh = meshOfTwo();
  const path = join(scratch(), 'm.onnx');
  writeFileSync(path, stepModel('ack_ewma_1s', 1, 5, 50));
  const telemetry = { path: scratch(), sample: 1 };
  const choice = { by: 'predictive', model: 'm', mode: 'shadow' };
  const gateway = await mesh.run(choosing(choice, { models: { m: { path } }, telemetry }));
  await feed(mesh, gateway, () => (gateway.status().telemetry?.recorded ?? 0) > 500);
  const { model, analytic } = gateway.status().choices[0]?.decisions ?? {};
  expect(model).toBe(0);
  expect(analytic).toBeGreaterThan(0);
  await gateway.stop();
  const { snapshots } = await stored(telemetry.path);
  expect(snapshots.some(({ scores }) => scores !== undefined)).toBe(true);
});

test('a target that gets slow raises an alarm, and a model is trained from what came since', async () => {
  const mesh = meshOfTwo();
  const registry = new ModelRegistry(scratch());
  const { version } = await addModel(registry, stepModel('ack_ewma_1s', 1, 1, 1));
  await registry.promote('m', version);
  const models = { m: { registry: registry.directory, retrain: { every: '1h', minRows: 400 } } };
  const telemetry = { path: scratch(), sample: 1 };
  const choice = { by: 'predictive', model: 'm', explore: 0.1 };
  const pace = {
    ...LEARNING_PACE,
    lookMs: 50,
    drift: { ...LEARNING_PACE.drift, binMs: 20, warmUp: 3, threshold: 1 },
    train: { trees: 3 },
  };
  const gateway = await mesh.run(choosing(choice, { models, telemetry }), { pace });
  const retraining = () => gateway.status().models[0]?.retraining;
  expect(retraining()).toMatchObject({ phase: 'idle', counts: { drifts: 0, trainings: 0 } });
  let n = await feed(mesh, gateway, () => (gateway.status().choices[0]?.decisions.model ?? 0) > 500);
  mesh.of('eu').turns = () => 2_000;
  mesh.of('us').turns = () => 2_000;
  n = await feed(mesh, gateway, () => (retraining()?.counts.drifts ?? 0) > 0, n);
  await feed(mesh, gateway, () => (retraining()?.counts.trainings ?? 0) > 0, n);
  // Whatever came of it, the one in force goes on, and stopping waits for nothing.
  expect(gateway.status().models).toMatchObject([{ version }]);
  await gateway.stop();
  expect(await registry.state('m')).toMatchObject({ active: version, canary: null, shadow: null });
  expect(mesh.logged.filter(({ message }) => message.includes('drifted'))).not.toEqual([]);
});
