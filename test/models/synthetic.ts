import type { FeatureSchema } from '../../src/models/contract.ts';
import type { Dataset } from '../../src/models/training/dataset.ts';
import { seeded } from '../setup/seeded.ts';

/** A schema of `columns` features in [0, 1]. */
export function plainSchema(columns: number, hash = 'of-a-test'): FeatureSchema {
  const features = Array.from({ length: columns }, (_, i) => ({
    name: `f${i}`,
    unit: '1',
    scale: 'linear' as const,
    clip: [0, 1] as const,
    default: -1,
  }));
  return { features, hash };
}

/**
 * Rows of three targets, 100 ms apart. Latency is a curve of three features plus noise; a fourth says where failures are
 * frequent. A tenth of the features is missing.
 */
export function syntheticRows(rows: number, columns = 6, seed = 1): Dataset {
  const random = seeded(seed);
  const features = Float32Array.from({ length: rows * columns }, () => (random() < 0.1 ? Number.NaN : random()));
  const x = (row: number, column: number): number => {
    const value = features[row * columns + column] as number;
    return Number.isNaN(value) ? 1.5 : value;
  };
  const failed = new Float32Array(rows);
  const logMs = new Float32Array(rows);
  for (let row = 0; row < rows; row += 1) {
    failed[row] = random() < (x(row, 3) > 0.9 ? 0.4 : 0.02) ? 1 : 0;
    const noise = 0.4 * (random() + random() - 1);
    logMs[row] = failed[row] === 1 ? Number.NaN : 2 + Math.sin(5 * x(row, 0)) + x(row, 1) * x(row, 2) + noise;
  }
  const at = Float64Array.from({ length: rows }, (_, row) => row * 100);
  return {
    rows,
    columns,
    features,
    logMs,
    failed,
    weight: new Float32Array(rows).fill(1),
    target: Int32Array.from({ length: rows }, (_, row) => row % 3),
    targets: ['a', 'b', 'c'],
    at,
    known: at.map((ms) => ms + 20),
  };
}
