import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { traces } from '../../bench/routing/traces.ts';
import { closedLoopChecks } from '../../src/models/closed-loop-checks.ts';
import { GATEWAY_SCHEMA } from '../../src/models/contract.ts';
import { evaluateModel } from '../../src/models/evaluating.ts';
import { FEATURES } from '../../src/models/features.ts';
import { exportOnnx, type ScoringModel } from '../../src/models/onnx/export.ts';
import { loadModel } from '../../src/models/scorer.ts';
import type { Dataset } from '../../src/models/training/dataset.ts';
import { headerLine, rowLine } from '../../src/models/training/parse-row.ts';
import { scoreRows, type TrainedModel, train } from '../../src/models/training/train.ts';
import type { Ensemble } from '../../src/models/training/tree.ts';
import { createSelector } from '../../src/selecting.ts';
import { closedLoop } from '../../src/simulation/closed-loop.ts';
import { FAMILIES } from '../../src/simulation/world/families.ts';
import { stepTree } from '../models/models-of-a-test.ts';

const LOAD = FEATURES.findIndex(({ name }) => name === 'load');
/** Targets that had less to do were never recorded. */
const LEAST_LOAD = Math.log1p(0.5);
const LENGTH = { warmUpMs: 4_000, horizonMs: 20_000, rate: 500 };
const adaptive = { by: 'adaptive', capacities: 'undeclared', gateways: 1 } as const;

function recorded(firstSeed: number): Dataset {
  const families = FAMILIES.filter(({ name }) => name === 'steady' || name === 'slow');
  const options = { families, firstSeed, seeds: 2, length: LENGTH, policies: [adaptive], lookAhead: false };
  return traces({ ...options, sample: 1 });
}

/** A file of the rows of busy targets, as a gateway would have recorded them. */
function busyRows(data: Dataset): string {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-closed-loop-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const lines = [headerLine(GATEWAY_SCHEMA)];
  for (let row = 0; row < data.rows; row += 1) {
    const features = data.features.subarray(row * data.columns, (row + 1) * data.columns);
    if ((features[LOAD] as number) <= LEAST_LOAD) continue;
    const [at, known] = [data.at[row] as number, data.known[row] as number];
    lines.push(
      rowLine({
        ts: at,
        at,
        target: data.targets[data.target[row] as number] as string,
        features,
        ms: data.failed[row] === 1 ? known - at : Math.exp(data.logMs[row] as number),
        failed: data.failed[row] === 1,
        weight: data.weight[row] as number,
        known,
      }),
    );
  }
  writeFileSync(join(folder, 'rows.ndjson'), lines.join('\n'));
  return folder;
}

/** The same for what was recorded; but a target with little to do is told to be twenty times as slow. */
function afraidOfTheIdle({ model, metadata }: TrainedModel): Buffer {
  const fear = (head: Ensemble): Ensemble => ({ ...head, trees: [...head.trees, stepTree('load', LEAST_LOAD, 3, 0)] });
  const worse: ScoringModel = { ...model, mean: fear(model.mean), q95: fear(model.q95) };
  const { features } = metadata.golden;
  const flat = Float32Array.from(features.flat(), (value) => value ?? Number.NaN);
  const scores = scoreRows(worse, flat, FEATURES.length);
  const golden = { features, scores: features.map((_, i) => [...scores.subarray(3 * i, 3 * i + 3)]) };
  return exportOnnx(worse, { ...metadata, golden });
}

describe('a model in simulated scenarios', () => {
  test('one that is right about recorded rows and keeps off idle targets is refused, for nothing else', async () => {
    const data = recorded(7_001);
    const trained = train(data, GATEWAY_SCHEMA);
    const paths = [busyRows(data)];
    const around = { closedLoop: closedLoop(createSelector) };
    const judged = async (onnx: Buffer, scenarios: number) => {
      const { gate } = await evaluateModel({ onnx, paths, maxRows: 100_000, scenarios }, around);
      return gate;
    };
    const bad = afraidOfTheIdle(trained);
    const [good, onRows, inLoop] = [await judged(trained.onnx, 1), await judged(bad, 0), await judged(bad, 1)];
    expect(good.checks.filter(({ passed }) => !passed)).toEqual([]);
    expect(good.closedLoop?.scenarios).toBe(1);
    expect(onRows.passed).toBe(true);
    expect(onRows.closedLoop).toBeUndefined();
    expect(inLoop.passed).toBe(false);
    const failed = inLoop.checks.filter(({ passed }) => !passed).map(({ name }) => name);
    expect(failed[0]).toBe("simulated ms per event over the model off's");
    expect(failed.every((name) => name.startsWith('simulated '))).toBe(true);
  }, 60_000);

  test('the model that comes with the repository passes, and is as good as itself', async () => {
    const demo = await loadModel(readFileSync('config/models/demo.onnx'), { schema: GATEWAY_SCHEMA });
    onTestFinished(() => demo.close());
    const told: number[] = [];
    const request = { candidate: demo, incumbent: demo, scenarios: 1 };
    const report = await closedLoop(createSelector)(request, (done) => told.push(done));
    expect(closedLoopChecks(report).filter(({ passed }) => !passed)).toEqual([]);
    expect(report.incumbent).toBe(1);
    expect(Object.keys(report.families)).toHaveLength(FAMILIES.length);
    expect(told).toEqual(FAMILIES.map((_, at) => at + 1));
  }, 60_000);

  test('where time runs out before every family had a turn, nothing is known and nothing passes', async () => {
    const candidate = { score: (_: Float32Array, rows: number) => new Float32Array(rows * 3) };
    const report = await closedLoop(createSelector, { withinMs: -1 })({ candidate, scenarios: 2 });
    expect(report.scenarios).toBe(0);
    expect(closedLoopChecks(report)).toMatchObject([{ name: 'simulated scenarios in time', value: 0, passed: false }]);
  });
});
