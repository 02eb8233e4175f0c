import { GATEWAY_SCHEMA, type ModelMetadata } from '../../src/models/contract.ts';
import { FEATURES } from '../../src/models/features.ts';
import { exportOnnx, type ScoringModel } from '../../src/models/onnx/export.ts';
import { scoreRows } from '../../src/models/training/train.ts';
import type { Ensemble, Tree } from '../../src/models/training/tree.ts';

/** `low` where the feature is at most `threshold`, `high` above. */
export function stepTree(feature: string, threshold: number, low: number, high: number): Tree {
  const column = FEATURES.findIndex(({ name }) => name === feature);
  return {
    column: Int32Array.of(column, -1, -1),
    threshold: Float32Array.of(threshold, 0, 0),
    bin: Uint8Array.of(0, 0, 0),
    left: Int32Array.of(1, 0, 0),
    right: Int32Array.of(2, 0, 0),
    missingLeft: Uint8Array.of(1, 0, 0),
    value: Float32Array.of(0, low, high),
  };
}

function step(...of: Parameters<typeof stepTree>): Ensemble {
  return { base: 0, trees: [stepTree(...of)] };
}

/** A model file that predicts `lowMs` where the feature is at most `threshold`, `highMs` above, and no failures. */
export function stepModel(feature: string, threshold: number, lowMs: number, highMs: number): Buffer {
  const model: ScoringModel = {
    mean: step(feature, threshold, Math.log(lowMs), Math.log(highMs)),
    q95: step(feature, threshold, Math.log(lowMs * 1.1), Math.log(highMs * 1.1)),
    fail: { base: -9, trees: [] },
  };
  const row = Float32Array.from(FEATURES, (spec) => spec.default);
  const metadata: ModelMetadata = {
    contract: 1,
    schema: GATEWAY_SCHEMA,
    window: [0, 1],
    rows: 1,
    seed: 0,
    metrics: {},
    parent: null,
    golden: { features: [[...row]], scores: [[...scoreRows(model, row, row.length)]] },
  };
  return exportOnnx(model, metadata);
}
