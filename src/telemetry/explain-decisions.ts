import { rawRow } from './raw-value.ts';
import { filesOf, readRecords } from './read.ts';
import type { DecisionRecord, FileHeader, RecordedFeature, SnapshotRecord } from './records.ts';

/** One recorded decision with what it was based on, in raw units. */
export interface ExplainedDecision extends Omit<DecisionRecord, 'predicted' | 'snapshot'> {
  readonly gateway: string;
  /** SHA-256 of the model whose scores were at hand. */
  readonly model: string | undefined;
  readonly lambda: number | undefined;
  /** Empty where no features were recorded yet. */
  readonly candidates: readonly ExplainedCandidate[];
}

export interface ExplainedCandidate {
  readonly target: string;
  readonly eligible: boolean;
  /** Of the model, for the size of the event: latency in ms, its 0.95 quantile, probability of a failure. */
  readonly scores: { readonly ms: number; readonly q95Ms: number; readonly failure: number } | undefined;
  /** By name; what was not known is missing. */
  readonly features: Readonly<Record<string, number>>;
}

/** Snapshots of a choice that are kept while its decisions are read. */
const KEPT = 256;

interface Read {
  readonly header: FileHeader;
  readonly decision: DecisionRecord;
  readonly snapshot: SnapshotRecord | undefined;
}

/**
 * The last decisions of a directory of telemetry, oldest first. Reads files from the newest on until there are enough. Rejects
 * with `E_TELEMETRY_READ`.
 */
export async function lastDecisions(
  directory: string,
  { count, choice }: { readonly count: number; readonly choice?: string | undefined },
): Promise<readonly ExplainedDecision[]> {
  let found: readonly Read[] = [];
  for (const file of [...(await filesOf(directory))].reverse()) {
    if (found.length >= count) break;
    found = [...(await lastOf(file, count - found.length, choice)), ...found];
  }
  return found.map(explained).sort((a, b) => a.ts - b.ts);
}

async function lastOf(file: string, count: number, choice: string | undefined): Promise<readonly Read[]> {
  const last: Read[] = [];
  const snapshots = new Map<string, SnapshotRecord[]>();
  let header: FileHeader | undefined;
  for await (const record of readRecords(file)) {
    if ('telemetry' in record) header = record;
    else if (choice !== undefined && record.choice !== choice) continue;
    else if ('decision' in record) {
      if (header === undefined) continue;
      const snapshot = snapshots.get(record.choice)?.findLast((known) => known.snapshot === record.snapshot);
      last.push({ header, decision: record, snapshot });
      if (last.length >= 2 * count) last.splice(0, count);
    } else {
      const known = snapshots.get(record.choice) ?? [];
      snapshots.set(record.choice, known);
      known.push(record);
      if (known.length > 2 * KEPT) known.splice(0, KEPT);
    }
  }
  return last.slice(-count);
}

function explained({ header, decision, snapshot }: Read): ExplainedDecision {
  const { predicted: _, snapshot: __, ...rest } = decision;
  const { features } = header.schema;
  return {
    ...rest,
    gateway: header.gateway,
    model: snapshot?.model,
    lambda: snapshot?.lambda,
    candidates:
      snapshot === undefined ? [] : snapshot.targets.map((_, i) => candidate(snapshot, i, decision, features)),
  };
}

function candidate(
  { targets, classes, features, scores }: SnapshotRecord,
  index: number,
  { eligible, size }: DecisionRecord,
  columns: readonly RecordedFeature[],
): ExplainedCandidate {
  const target = targets[index] as string;
  const row = index * classes + size;
  const [ms, q95, failure] = scores?.subarray(row * 3, row * 3 + 3) ?? [];
  const isScored = ms !== undefined && q95 !== undefined && failure !== undefined;
  return {
    target,
    eligible: eligible.includes(target),
    scores: isScored ? { ms: Math.exp(ms), q95Ms: Math.exp(q95), failure } : undefined,
    features: rawRow(columns, features, row),
  };
}
