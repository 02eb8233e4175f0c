import { FairleadError } from '../core/errors.ts';
import type { LoggedDecision, TrainingRow } from '../core/training-row.ts';
import type { DecisionRecord, FileHeader, RecordedOutcome, SnapshotRecord } from './records.ts';

/** The second row of a send has features from this long before it, in ms. */
const AHEAD_MS = [1_000, 2_000] as const;
/** Snapshots are kept for that, and a little longer: some are written before decisions that were taken earlier. */
const KEPT_MS = AHEAD_MS[1] + 1_000;

/** How the target did; the others say nothing of it. */
const LABELLED: ReadonlySet<RecordedOutcome> = new Set(['ok', 'failed', 'timeout', 'refused', 'unknown']);

export interface JoinCounts {
  decisions: number;
  snapshots: number;
  rows: number;
  unlabelled: number;
  unjoined: number;
}

/** Joins decisions with the features of their targets, as of the decision and as of a second or two before. */
export class RowJoin {
  readonly #schemaHash: string;
  readonly #ahead: boolean;
  readonly #counts: JoinCounts;
  #run = '';
  #columns = 0;
  /** By choice, oldest first. */
  readonly #snapshots = new Map<string, SnapshotRecord[]>();

  constructor(schemaHash: string, ahead: boolean, counts: JoinCounts) {
    this.#schemaHash = schemaHash;
    this.#ahead = ahead;
    this.#counts = counts;
  }

  header({ run, schema }: FileHeader): void {
    if (schema.hash !== this.#schemaHash) {
      const message = `the telemetry has features of the schema ${schema.hash.slice(0, 64)}, not ${this.#schemaHash}`;
      throw new FairleadError({ code: 'E_TELEMETRY_SCHEMA', message });
    }
    this.#columns = schema.features.length;
    if (run !== this.#run) this.#snapshots.clear();
    this.#run = run;
  }

  snapshot(record: SnapshotRecord): void {
    this.#counts.snapshots += 1;
    const known = this.#snapshots.get(record.choice) ?? [];
    this.#snapshots.set(record.choice, known);
    if (known.at(-1)?.snapshot === record.snapshot) return; // once more, at the beginning of a file
    known.push(record);
    const old = known.findIndex(({ at }) => at >= record.at - KEPT_MS);
    // One by one would move the rest each time.
    if (old > 64) known.splice(0, old);
  }

  *decision(record: DecisionRecord): Generator<TrainingRow> {
    const { choice, snapshot: id, ackMs, outcome, ts, weight, chosen } = record;
    this.#counts.decisions += 1;
    if (!LABELLED.has(outcome) || ackMs === undefined) {
      this.#counts.unlabelled += 1;
      return;
    }
    const known = this.#snapshots.get(choice) ?? [];
    const now = known.findLast(({ snapshot }) => snapshot === id);
    const features = now && this.#row(now, record);
    if (features === undefined) {
      this.#counts.unjoined += 1;
      return;
    }
    const row = (at: number, values: Float32Array): TrainingRow => ({
      ts,
      at,
      target: chosen,
      features: values,
      ms: ackMs,
      failed: outcome !== 'ok',
      weight: this.#ahead ? weight / 2 : weight,
      known: ts + ackMs,
    });
    this.#counts.rows += 1;
    yield row(ts, features);
    const before = this.#ahead ? this.#before(known, record) : undefined;
    const earlier = before && this.#row(before, record);
    if (before === undefined || earlier === undefined) return;
    this.#counts.rows += 1;
    yield row(before.at, earlier);
  }

  /** The decision with the features of all that it was taken of; undefined where chance had no part in it, or nothing is known. */
  logged(record: DecisionRecord): LoggedDecision | undefined {
    const { ts, eligible, chosen, propensity, cost, ackMs, outcome, weight, by, size } = record;
    if (by === 'lease' || by === 'none' || eligible.length < 2) return undefined;
    if (!LABELLED.has(outcome) || ackMs === undefined || !(propensity > 0)) return undefined;
    const snapshot = this.#snapshots.get(record.choice)?.findLast((one) => one.snapshot === record.snapshot);
    const rows = eligible.map((target) => snapshot && this.#row(snapshot, { chosen: target, size }));
    const features = new Float32Array(eligible.length * this.#columns);
    for (const [i, row] of rows.entries()) {
      if (row === undefined) return undefined;
      features.set(row, i * this.#columns);
    }
    const at = eligible.indexOf(chosen);
    if (at < 0) return undefined;
    return { ts, eligible, features, chosen: at, propensity, cost, ms: ackMs, failed: outcome !== 'ok', weight };
  }

  /** The last snapshot at a moment one to two seconds before, the same for each reading. */
  #before(known: readonly SnapshotRecord[], record: DecisionRecord): SnapshotRecord | undefined {
    const [least, most] = AHEAD_MS;
    const moment = record.ts - least - (most - least) * ((record.event % 1_024) / 1_024);
    const snapshot = known.findLast(({ at }) => at <= moment);
    return snapshot !== undefined && snapshot.at >= record.ts - most ? snapshot : undefined;
  }

  /** The features of the chosen target for events of that size; undefined where the snapshot has none. */
  #row(
    { targets, classes, features }: SnapshotRecord,
    { chosen, size }: Pick<DecisionRecord, 'chosen' | 'size'>,
  ): Float32Array | undefined {
    const target = targets.indexOf(chosen);
    if (target < 0 || size >= classes) return undefined;
    const from = (target * classes + size) * this.#columns;
    return from + this.#columns <= features.length ? features.subarray(from, from + this.#columns) : undefined;
  }
}
