import { statSync } from 'node:fs';
import { codeOf, FairleadError, messageOf } from '../core/errors.ts';
import type { LoggedDecision, TrainingRow } from '../core/training-row.ts';
import { storedFiles } from './directory.ts';
import { RowJoin } from './join.ts';
import { readLines } from './read-lines.ts';
import { readParquet } from './read-parquet.ts';
import type { TelemetryRecord } from './records.ts';

export interface ReadTelemetryOptions {
  /** Rows of other features than these are refused (`E_TELEMETRY_SCHEMA`). */
  readonly schemaHash: string;
  /**
   * Each send gives a second row, with the features of its target one to two seconds before it was sent: what there is to
   * predict. Both have half of the weight. Default true.
   */
  readonly ahead?: boolean | undefined;
}

/** What was read so far. */
export interface ReadTelemetryCounts {
  readonly files: number;
  /** Files of a directory that were deleted, or made into Parquet, before it was their turn. */
  readonly gone: number;
  readonly decisions: number;
  readonly snapshots: number;
  readonly rows: number;
  /** Decisions that give no row: never sent, or not known how they ended. */
  readonly unlabelled: number;
  /** Decisions whose snapshot is missing. */
  readonly unjoined: number;
  /** Lines that are no records, such as one that a crash cut off. */
  readonly badLines: number;
}

/** Rows to train on; reads as it is iterated, once. */
export interface TelemetryRows extends AsyncIterable<TrainingRow> {
  readonly counts: ReadTelemetryCounts;
}

/**
 * Reads telemetry, NDJSON and Parquet, of files or of all those in a directory, in the order in which it was written, and joins
 * decisions with the features that they were based on. Memory is bounded: a row group, and the snapshots of two seconds.
 * Iterating throws `E_TELEMETRY_READ` where a file cannot be read, and `E_TELEMETRY_SCHEMA`.
 */
export function readTelemetry(paths: string | readonly string[], options: ReadTelemetryOptions): TelemetryRows {
  const counts = { files: 0, gone: 0, decisions: 0, snapshots: 0, rows: 0, unlabelled: 0, unjoined: 0, badLines: 0 };
  return {
    counts,
    async *[Symbol.asyncIterator]() {
      const join = new RowJoin(options.schemaHash, options.ahead ?? true, counts);
      for await (const record of records(paths, counts)) {
        if ('telemetry' in record) join.header(record);
        else if ('decision' in record) yield* join.decision(record);
        else join.snapshot(record);
      }
    },
  };
}

/** The decisions in which chance had a part. Throws as {@link readTelemetry} does. */
export async function* readDecisions(
  paths: string | readonly string[],
  { schemaHash }: Pick<ReadTelemetryOptions, 'schemaHash'>,
): AsyncGenerator<LoggedDecision> {
  const counts = { files: 0, gone: 0, decisions: 0, snapshots: 0, rows: 0, unlabelled: 0, unjoined: 0, badLines: 0 };
  const join = new RowJoin(schemaHash, false, counts);
  for await (const record of records(paths, counts)) {
    if ('telemetry' in record) join.header(record);
    else if ('snapshot' in record && !('decision' in record)) join.snapshot(record);
    else {
      const logged = join.logged(record);
      if (logged !== undefined) yield logged;
    }
  }
}

/** The records as they were written. Rejects with `E_TELEMETRY_READ`. */
export async function* readRecords(paths: string | readonly string[]): AsyncGenerator<TelemetryRecord> {
  yield* records(paths, { files: 0, gone: 0, badLines: 0 });
}

async function* records(
  paths: string | readonly string[],
  counts: { files: number; gone: number; badLines: number },
): AsyncGenerator<TelemetryRecord> {
  for (const path of typeof paths === 'string' ? [paths] : paths) {
    for (const file of await filesOf(path)) {
      try {
        if (file.endsWith('.parquet')) yield* readParquet(file.replace(/\.decisions\.parquet$/, ''));
        else yield* readLines(file, counts);
        counts.files += 1;
      } catch (error) {
        if (file === path || codeOf(error) !== 'ENOENT') throw unreadable(file, error);
        counts.gone += 1;
      }
    }
  }
}

/** Of Parquet, the file of decisions stands for both; it is left out while the NDJSON file that it was made of is there. */
export async function filesOf(path: string): Promise<readonly string[]> {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const stored = await storedFiles(path);
    const lines = new Set(stored.filter(({ file }) => file.endsWith('.ndjson')).map(({ stem }) => stem));
    return stored
      .filter(({ file, stem }) => file.endsWith('.ndjson') || (file.endsWith('.decisions.parquet') && !lines.has(stem)))
      .map(({ file }) => file);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(file: string, cause: unknown): FairleadError {
  if (cause instanceof FairleadError) return cause;
  const message = `telemetry in ${file} cannot be read: ${codeOf(cause) ?? messageOf(cause)}`;
  return new FairleadError({ code: 'E_TELEMETRY_READ', message, cause });
}
