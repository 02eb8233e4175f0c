import type { TrainingRow } from '../../core/training-row.ts';
import { type FeatureSchema, modelError } from '../contract.ts';

/** The first line of a file of rows: what its features are. */
export function headerLine(schema: FeatureSchema): string {
  return JSON.stringify({ schema: { hash: schema.hash, features: schema.features } });
}

/** A row as a line (docs/guide/models.md). */
export function rowLine({ ts, at, target, features, ms, failed, weight, known }: TrainingRow): string {
  const cells = Array.from(features, (value) => (Number.isNaN(value) ? null : Number(value.toPrecision(7))));
  return JSON.stringify({ ts, at, target, features: cells, ms, failed, weight, known });
}

/**
 * The row of a line, what is wrong with it, or undefined for a header. Throws `E_MODEL_SCHEMA` at the header of rows of other
 * features.
 */
export function parseRow(line: string, schema: FeatureSchema): TrainingRow | string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'not JSON';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not an object';
  const fields = value as Record<string, unknown>;
  if (fields['schema'] !== undefined) return header(fields['schema'], schema);
  const { ts, target, ms = null, failed = false, weight = 1 } = fields;
  if (!isNumber(ts)) return '`ts` is no time in ms';
  if (typeof target !== 'string' || target === '') return '`target` is no name';
  const features = featuresOf(fields['features'], schema);
  if (typeof features === 'string') return features;
  if (typeof failed !== 'boolean') return '`failed` is no boolean';
  if (ms !== null && !(isNumber(ms) && ms >= 0)) return '`ms` is no time in ms';
  if (ms === null && !failed) return '`ms` is missing, and the send did not fail';
  if (!isNumber(weight) || !(weight > 0 && weight < 1e9)) return '`weight` is not above 0';
  const took = ms === null ? Number.NaN : (ms as number);
  const { at = ts, known = ts + (ms === null ? 0 : took) } = fields;
  if (!isNumber(at) || at > ts) return '`at` is no time in ms, or after `ts`';
  if (!isNumber(known) || known < ts) return '`known` is no time in ms, or before `ts`';
  return { ts, at, target, features, ms: took, failed, weight, known };
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function header(theirs: unknown, { hash }: FeatureSchema): undefined {
  const found = (theirs as { hash?: unknown } | null)?.hash;
  if (found === hash) return undefined;
  const message = `the rows have features of the schema ${String(found).slice(0, 64)}, not ${hash}`;
  throw modelError('E_MODEL_SCHEMA', message);
}

/** By list, or by name. */
function featuresOf(value: unknown, { features: specs }: FeatureSchema): Float32Array | string {
  let cells: readonly unknown[];
  if (Array.isArray(value)) {
    cells = value as unknown[];
  } else if (typeof value === 'object' && value !== null) {
    const named = value as Record<string, unknown>;
    const unknown = Object.keys(named).find((name) => !specs.some((spec) => spec.name === name));
    if (unknown !== undefined) return `there is no feature "${unknown.slice(0, 64)}"`;
    cells = specs.map(({ name, default: missing }) => (Object.hasOwn(named, name) ? named[name] : missing));
  } else {
    return '`features` is neither a list nor an object';
  }
  if (cells.length !== specs.length) return `\`features\` has ${cells.length} columns, not ${specs.length}`;
  if (!cells.every((cell) => cell === null || isNumber(cell))) return '`features` holds what is no number';
  return Float32Array.from(cells, (cell) => (cell === null ? Number.NaN : (cell as number)));
}
