import { SCHEMA_HASH } from '../../src/models/features.ts';
import type { ListedVersion, ModelRegistry } from '../../src/models/registry.ts';
import type { ModelMeta } from '../../src/models/registry-state.ts';

/** Adds a model file to a registry as the next version of `m`. */
export function addModel(
  registry: ModelRegistry,
  onnx: Buffer,
  gate: ModelMeta['gate'] = null,
): Promise<ListedVersion> {
  return registry.add('m', onnx, {
    createdAt: '2026-01-01T00:00:00Z',
    parent: null,
    schemaHash: SCHEMA_HASH,
    rows: 1,
    window: [0, 1],
    seed: 0,
    metrics: {},
    gate,
  });
}
