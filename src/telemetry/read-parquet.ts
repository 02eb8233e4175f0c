import { asyncBufferFromFile, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { FairleadError } from '../core/errors.ts';
import { SCORE_COLUMN_NAMES } from './parquet-columns.ts';
import { HEADER_KEY } from './parquet-write.ts';
import { isHeader } from './parse.ts';
import type { DecisionRecord, FileHeader, SnapshotRecord, TelemetryRecord } from './records.ts';

type Row = Record<string, unknown>;

/** The records of the two Parquet files of a stem, a row group at a time, in the order of the NDJSON file before them. */
export async function* readParquet(stem: string): AsyncGenerator<TelemetryRecord> {
  const decisions = await open(`${stem}.decisions.parquet`);
  const snapshots = await open(`${stem}.snapshots.parquet`);
  const header = headerOf(decisions.metadata, stem);
  yield header;
  const stored = snapshotsOf(rowsOf(snapshots), header);
  const seen = new Set<number>();
  let wanted = await stored.next();
  for await (const row of rowsOf(decisions)) {
    const decision = decisionOf(row);
    while (wanted.done !== true && !seen.has(decision.snapshot) && decision.snapshot !== 0) {
      seen.add(wanted.value.snapshot);
      yield wanted.value;
      wanted = await stored.next();
    }
    yield decision;
  }
}

interface ParquetFile {
  readonly file: Awaited<ReturnType<typeof asyncBufferFromFile>>;
  readonly metadata: FileMetaData;
}

async function open(name: string): Promise<ParquetFile> {
  const file = await asyncBufferFromFile(name);
  return { file, metadata: await parquetMetadataAsync(file) };
}

async function* rowsOf({ file, metadata }: ParquetFile): AsyncGenerator<Row> {
  let rowStart = 0;
  for (const { num_rows: count } of metadata.row_groups) {
    const rowEnd = rowStart + Number(count);
    yield* await parquetReadObjects({ file, metadata, rowStart, rowEnd });
    rowStart = rowEnd;
  }
}

function headerOf({ key_value_metadata: pairs }: FileMetaData, stem: string): FileHeader {
  const text = pairs?.find(({ key }) => key === HEADER_KEY)?.value;
  const header: unknown = text === undefined ? undefined : JSON.parse(text);
  if (typeof header === 'object' && header !== null && isHeader(header as Row)) return header as FileHeader;
  throw new FairleadError({ code: 'E_TELEMETRY_READ', message: `${stem}.decisions.parquet has no header` });
}

function decisionOf(row: Row): DecisionRecord {
  const {
    gateway: _,
    run: __,
    eligible,
    predictedMean: mean,
    predictedQ95: q95,
    predictedFailure: failure,
    ...rest
  } = row;
  const fields = Object.fromEntries(
    Object.entries(rest).map(([name, value]) => [
      name,
      typeof value === 'bigint' ? Number(value) : (value ?? undefined),
    ]),
  );
  return {
    ...(fields as unknown as DecisionRecord),
    eligible: (eligible as string).split(' ').filter((name) => name !== ''),
    predicted: typeof mean === 'number' ? { mean, q95: q95 as number, failure: failure as number } : undefined,
  };
}

/** Puts the rows of each snapshot together. */
async function* snapshotsOf(rows: AsyncIterable<Row>, { schema }: FileHeader): AsyncGenerator<SnapshotRecord> {
  const names = schema.features.map(({ name }) => name);
  let group: Row[] = [];
  for await (const row of rows) {
    if (group.length > 0 && group[0]?.['snapshot'] !== row['snapshot']) {
      yield snapshotOf(group, names);
      group = [];
    }
    group.push(row);
  }
  if (group.length > 0) yield snapshotOf(group, names);
}

function snapshotOf(rows: readonly Row[], names: readonly string[]): SnapshotRecord {
  const first = rows[0] as Row;
  const values = (columns: readonly string[]): Float32Array =>
    Float32Array.from(rows.flatMap((row) => columns.map((name) => row[name] as number)));
  return {
    snapshot: Number(first['snapshot']),
    choice: first['choice'] as string,
    tick: Number(first['tick']),
    at: first['at'] as number,
    targets: [...new Set(rows.map((row) => row['target'] as string))],
    classes: rows.filter((row) => row['target'] === first['target']).length,
    features: values(names),
    scores: typeof first[SCORE_COLUMN_NAMES[0]] === 'number' ? values(SCORE_COLUMN_NAMES) : undefined,
    model: (first['model'] as string | null) ?? undefined,
    lambda: (first['lambda'] as number | null) ?? undefined,
  };
}
