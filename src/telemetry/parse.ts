import type { DecisionRecord, FileHeader, SnapshotRecord, TelemetryRecord } from './records.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What a line of a telemetry file says, or undefined where it is none: torn, or of another program. */
export function parseLine(line: string): TelemetryRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Fields;
  if (fields['telemetry'] !== undefined) return isHeader(fields) ? (value as FileHeader) : undefined;
  if (fields['decision'] !== undefined) return decisionOf(fields);
  return snapshotOf(fields);
}

export function isHeader(fields: Fields): boolean {
  const schema = fields['schema'] as { hash?: unknown; features?: unknown } | undefined;
  return (
    fields['telemetry'] === 1 &&
    texts(fields, ['gateway', 'instance', 'run']) &&
    typeof schema?.hash === 'string' &&
    Array.isArray(schema.features) &&
    schema.features.every((feature: unknown) => typeof (feature as Fields | null)?.['name'] === 'string')
  );
}

function decisionOf(fields: Fields): DecisionRecord | undefined {
  const good =
    texts(fields, ['choice', 'route', 'chosen', 'by', 'policy', 'outcome']) &&
    numbers(fields, ['decision', 'ts', 'event', 'size', 'bytes', 'propensity', 'snapshot', 'inFlight', 'attempt']) &&
    numbers(fields, ['cost', 'weight']) &&
    isNames(fields['eligible']);
  return good ? (fields as unknown as DecisionRecord) : undefined;
}

function snapshotOf(fields: Fields): SnapshotRecord | undefined {
  const { features, scores } = fields as { features?: unknown; scores?: unknown };
  if (!texts(fields, ['choice']) || !numbers(fields, ['snapshot', 'tick', 'at', 'classes'])) return undefined;
  if (!isNames(fields['targets'])) return undefined;
  const values = floats(features);
  if (values === undefined) return undefined;
  return { ...(fields as unknown as SnapshotRecord), features: values, scores: floats(scores) };
}

function texts(fields: Fields, names: readonly string[]): boolean {
  return names.every((name) => typeof fields[name] === 'string');
}

function numbers(fields: Fields, names: readonly string[]): boolean {
  return names.every((name) => typeof fields[name] === 'number');
}

function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function floats(base64: unknown): Float32Array | undefined {
  if (typeof base64 !== 'string') return undefined;
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length % 4 !== 0) return undefined;
  // A copy: what Buffer gives need not begin at a multiple of four.
  return new Float32Array(Uint8Array.from(bytes).buffer);
}
