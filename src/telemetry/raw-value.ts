import type { RecordedFeature } from './records.ts';

/** A recorded feature in its raw unit, to five digits. Undefined where it was not known: no raw value comes to a default below 0 of a feature that has no sign. */
export function rawValue(
  { scale = 'linear', default: missing }: RecordedFeature,
  value: number | undefined,
): number | undefined {
  if (value === undefined || Number.isNaN(value)) return undefined;
  if (scale === 'log1p' && missing === -1 && value === -1) return undefined;
  const size = scale === 'linear' ? value : Math.sign(value) * Math.expm1(Math.abs(value));
  return Number(size.toPrecision(5));
}

/** One row of features by name, in raw units; what was not known is missing. */
export function rawRow(
  columns: readonly RecordedFeature[],
  features: Float32Array,
  row: number,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    columns.flatMap((column, i) => {
      const value = rawValue(column, features[row * columns.length + i]);
      return value === undefined ? [] : [[column.name, value] as const];
    }),
  );
}
