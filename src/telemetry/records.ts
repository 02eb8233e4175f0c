import type { DecisionOutcome } from '../core/decision-observer.ts';
import type { DecisionBy, SelectorName } from '../core/selector.ts';

/** `open`: not known when the gateway stopped. */
export type RecordedOutcome = DecisionOutcome | 'open';

/** By code in memory. */
export const OUTCOMES: readonly RecordedOutcome[] = [
  'open',
  'ok',
  'failed',
  'timeout',
  'refused',
  'unknown',
  'recalled',
  'breaker',
];

/** By code in memory. */
export const DECIDED_BY: readonly DecisionBy[] = ['rule', 'analytic', 'model', 'fallback', 'lease', 'none'];

/** A column of features; the rest than its name where the writer knew it. */
export interface RecordedFeature {
  readonly name: string;
  readonly unit?: string;
  /** How the value was made of the raw one. */
  readonly scale?: 'linear' | 'log1p' | 'signed-log1p';
  /** Where the raw value is not known. */
  readonly default?: number;
}

/** What the columns of features are: told by the wiring, as telemetry does not know how they are computed. */
export interface RecordedSchema {
  /** Of the model contract (docs/guide/models.md). */
  readonly hash: string;
  readonly features: readonly RecordedFeature[];
}

/** The first record of every file. */
export interface FileHeader {
  /** Version of the format. */
  readonly telemetry: 1;
  readonly gateway: string;
  readonly instance: string;
  /** One process from start to end; ids of snapshots and decisions count up in it. */
  readonly run: string;
  /** When the file was begun, in ms since 1970. */
  readonly at: number;
  readonly schema: RecordedSchema;
}

/** Features of all targets of a choice at a tick, and what the model made of them. */
export interface SnapshotRecord {
  readonly snapshot: number;
  readonly choice: string;
  readonly tick: number;
  /** In ms since 1970. */
  readonly at: number;
  readonly targets: readonly string[];
  readonly classes: number;
  /** `[targets × classes, columns]`, target by target. */
  readonly features: Float32Array;
  /** `[targets × classes, 3]`: log_ms_mean, log_ms_q95, p_fail. */
  readonly scores: Float32Array | undefined;
  /** SHA-256. */
  readonly model: string | undefined;
  readonly lambda: number | undefined;
}

/** One attempt: what was decided and what came of it. Times and latencies are in ms. */
export interface DecisionRecord {
  /** Counts decisions of the run; what was sampled out or dropped leaves a gap. */
  readonly decision: number;
  readonly choice: string;
  /** When it was decided and sent, in ms since 1970. */
  readonly ts: number;
  /** Hash of the event's `source` and `id`. */
  readonly event: number;
  readonly route: string;
  /** Size class of the event in the snapshot. */
  readonly size: number;
  readonly bytes: number;
  readonly eligible: readonly string[];
  readonly chosen: string;
  readonly propensity: number;
  readonly explored: boolean;
  readonly by: DecisionBy;
  readonly policy: SelectorName;
  /** 0: there was none yet. */
  readonly snapshot: number;
  /** Of the snapshot when it was decided. */
  readonly age: number | undefined;
  /** For the chosen target, as of the snapshot. */
  readonly predicted: { readonly mean: number; readonly q95: number; readonly failure: number } | undefined;
  readonly inFlight: number;
  readonly attempt: number;
  readonly outcome: RecordedOutcome;
  /** Until the outcome was known; undefined where it never was. */
  readonly ackMs: number | undefined;
  readonly cost: number;
  /** Decisions that this one stands for. */
  readonly weight: number;
}

/** What a telemetry file holds, in order: a snapshot stands before the decisions that refer to it. */
export type TelemetryRecord = FileHeader | SnapshotRecord | DecisionRecord;
