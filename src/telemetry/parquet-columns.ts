import type { DecisionRecord, FileHeader, SnapshotRecord } from './records.ts';

/** One column of a Parquet file: how the value of a row comes from a record. */
export interface Column<T> {
  readonly name: string;
  readonly type: 'BOOLEAN' | 'INT32' | 'INT64' | 'FLOAT' | 'DOUBLE' | 'STRING' | 'JSON';
  readonly nullable?: true;
  readonly value: (row: T) => unknown;
}

/** One row per decision; names are those of {@link DecisionRecord}. */
export function decisionColumns({ gateway, run }: FileHeader): readonly Column<DecisionRecord>[] {
  return [
    { name: 'gateway', type: 'STRING', value: () => gateway },
    { name: 'run', type: 'STRING', value: () => run },
    { name: 'decision', type: 'INT64', value: ({ decision }) => BigInt(decision) },
    { name: 'choice', type: 'STRING', value: ({ choice }) => choice },
    { name: 'ts', type: 'DOUBLE', value: ({ ts }) => ts },
    { name: 'event', type: 'INT64', value: ({ event }) => BigInt(event) },
    { name: 'route', type: 'STRING', value: ({ route }) => route },
    { name: 'size', type: 'INT32', value: ({ size }) => size },
    { name: 'bytes', type: 'INT32', value: ({ bytes }) => bytes },
    { name: 'eligible', type: 'STRING', value: ({ eligible }) => eligible.join(' ') },
    { name: 'chosen', type: 'STRING', value: ({ chosen }) => chosen },
    { name: 'propensity', type: 'DOUBLE', value: ({ propensity }) => propensity },
    { name: 'explored', type: 'BOOLEAN', value: ({ explored }) => explored },
    { name: 'by', type: 'STRING', value: ({ by }) => by },
    { name: 'policy', type: 'STRING', value: ({ policy }) => policy },
    { name: 'snapshot', type: 'INT64', value: ({ snapshot }) => BigInt(snapshot) },
    { name: 'age', type: 'DOUBLE', nullable: true, value: ({ age }) => age },
    { name: 'predictedMean', type: 'DOUBLE', nullable: true, value: ({ predicted }) => predicted?.mean },
    { name: 'predictedQ95', type: 'DOUBLE', nullable: true, value: ({ predicted }) => predicted?.q95 },
    { name: 'predictedFailure', type: 'DOUBLE', nullable: true, value: ({ predicted }) => predicted?.failure },
    { name: 'inFlight', type: 'INT32', value: ({ inFlight }) => inFlight },
    { name: 'attempt', type: 'INT32', value: ({ attempt }) => attempt },
    { name: 'outcome', type: 'STRING', value: ({ outcome }) => outcome },
    { name: 'ackMs', type: 'DOUBLE', nullable: true, value: ({ ackMs }) => ackMs },
    { name: 'cost', type: 'DOUBLE', value: ({ cost }) => cost },
    { name: 'weight', type: 'DOUBLE', value: ({ weight }) => weight },
  ];
}

/** One target and size class of a snapshot. */
export interface SnapshotRow {
  readonly snapshot: SnapshotRecord;
  /** Target by target. */
  readonly row: number;
}

/** Names of the columns of scores. */
export const SCORE_COLUMN_NAMES = ['scoreMean', 'scoreQ95', 'scoreFailure'] as const;

/** One row per snapshot, target and size class; features under their names. */
export function snapshotColumns({ schema }: FileHeader): readonly Column<SnapshotRow>[] {
  const width = schema.features.length;
  return [
    { name: 'snapshot', type: 'INT64', value: ({ snapshot }) => BigInt(snapshot.snapshot) },
    { name: 'choice', type: 'STRING', value: ({ snapshot }) => snapshot.choice },
    { name: 'tick', type: 'INT64', value: ({ snapshot }) => BigInt(snapshot.tick) },
    { name: 'at', type: 'DOUBLE', value: ({ snapshot }) => snapshot.at },
    {
      name: 'target',
      type: 'STRING',
      value: ({ snapshot, row }) => snapshot.targets[Math.floor(row / snapshot.classes)],
    },
    { name: 'size', type: 'INT32', value: ({ snapshot, row }) => row % snapshot.classes },
    { name: 'model', type: 'STRING', nullable: true, value: ({ snapshot }) => snapshot.model },
    { name: 'lambda', type: 'DOUBLE', nullable: true, value: ({ snapshot }) => snapshot.lambda },
    ...SCORE_COLUMN_NAMES.map(
      (name, at): Column<SnapshotRow> => ({
        name,
        type: 'FLOAT',
        nullable: true,
        value: ({ snapshot, row }) => snapshot.scores?.[row * SCORE_COLUMN_NAMES.length + at],
      }),
    ),
    ...schema.features.map(
      ({ name }, at): Column<SnapshotRow> => ({
        name,
        type: 'FLOAT',
        value: ({ snapshot, row }) => snapshot.features[row * width + at],
      }),
    ),
  ];
}
