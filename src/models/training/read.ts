import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { FairleadError, messageOf } from '../../core/errors.ts';
import type { LoggedDecision, TrainingRow } from '../../core/training-row.ts';
import { readDecisions, readTelemetry } from '../../telemetry/read.ts';
import { type FeatureSchema, modelError } from '../contract.ts';
import { RowCollector } from './collect.ts';
import type { Dataset } from './dataset.ts';
import { parseRow } from './parse-row.ts';

/** Longest line of a file of rows, in bytes. A row has a few hundred. */
const MAX_LINE = 64 * 1024;
const NEWLINE = 10;
/** Bytes in which the first line of a file of telemetry says that it is one. */
const HEAD = 64;
/** Lines that are no rows: beyond this share the file is something else. */
const MAX_BAD_SHARE = 0.01;

/** Where rows come from. */
export interface RowSource {
  /** Files of telemetry or of rows, or folders of them. */
  readonly paths: readonly string[];
  readonly schema: FeatureSchema;
  /** Of each send also a row as of one to two seconds before it (telemetry only); default true. */
  readonly ahead?: boolean | undefined;
  /** Rows of before, in ms since 1970, are left out; default none. */
  readonly since?: number | undefined;
}

/** What was read. */
export interface ReadSummary {
  /** Rows in memory. */
  readonly rows: number;
  /** Rows in the files; more than `rows` where there were too many. */
  readonly seen: number;
  /** Lines that are no rows, and what was wrong with the first. */
  readonly bad: number;
  readonly firstBad?: string | undefined;
}

export interface RowsRead {
  readonly data: Dataset;
  readonly read: ReadSummary;
}

/** Reads rows; of more than `maxRows` the last are kept. Rejects as {@link TrainingRows} does. */
export async function readRows(source: RowSource, maxRows: number): Promise<RowsRead> {
  const rows = new TrainingRows(source);
  const collector = new RowCollector(source.schema.features.length, maxRows);
  const { since = Number.NEGATIVE_INFINITY } = source;
  for await (const row of rows) if (row.at >= since) collector.add(row);
  const data = collector.finish();
  const { bad, firstBad } = rows;
  return { data, read: { rows: data.rows, seen: collector.seen, bad, firstBad } };
}

/** The decisions in which chance had a part; files of rows know of none. */
export async function* loggedDecisions({ paths, schema }: RowSource): AsyncGenerator<LoggedDecision> {
  for (const part of await partsOf(paths)) {
    if (part.telemetry) yield* readDecisions(part.path, { schemaHash: schema.hash });
  }
}

/**
 * Rows of telemetry (docs/guide/selectors.md) and of files of rows (docs/guide/models.md), in the order of the files. Iterating
 * throws `E_MODEL_DATA` or `E_TELEMETRY_READ` where a file cannot be read or more than 1 % of its lines are no rows, and
 * `E_MODEL_SCHEMA` or `E_TELEMETRY_SCHEMA` where rows are of other features.
 */
export class TrainingRows implements AsyncIterable<TrainingRow> {
  bad = 0;
  firstBad: string | undefined;
  readonly #source: RowSource;

  constructor(source: RowSource) {
    this.#source = source;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TrainingRow> {
    const { paths, schema, ahead } = this.#source;
    for (const { path, telemetry } of await partsOf(paths)) {
      if (!telemetry) {
        yield* this.#rowsOf(path);
        continue;
      }
      const reading = readTelemetry(path, { schemaHash: schema.hash, ahead });
      yield* reading;
      if (reading.counts.badLines > 0) this.firstBad ??= `${basename(path)}: lines that are no records of telemetry`;
      this.bad += reading.counts.badLines;
    }
  }

  async *#rowsOf(path: string): AsyncGenerator<TrainingRow> {
    const name = basename(path);
    let number = 0;
    let good = 0;
    let bad = 0;
    for await (const line of linesOf(path)) {
      number += 1;
      if (line.trim() === '') continue;
      const row = parseRow(line, this.#source.schema);
      if (typeof row === 'object') {
        good += 1;
        yield row;
      } else if (row !== undefined) {
        bad += 1;
        this.firstBad ??= `${name}:${number}: ${row}`;
      }
    }
    this.bad += bad;
    if (bad <= MAX_BAD_SHARE * (good + bad)) return;
    const message = `${bad} of ${good + bad} lines of ${name} are no rows; the first: ${this.firstBad}`;
    throw modelError('E_MODEL_DATA', message);
  }
}

interface Part {
  readonly path: string;
  readonly telemetry: boolean;
}

/** Files of rows one by one; telemetry of a folder as one, since its files belong together. */
async function partsOf(paths: readonly string[]): Promise<readonly Part[]> {
  const parts: Part[] = [];
  for (const path of paths) {
    try {
      if ((await stat(path)).isDirectory()) parts.push(...(await partsOfFolder(path)));
      else parts.push({ path, telemetry: path.endsWith('.parquet') || (await isTelemetry(path)) });
    } catch (cause) {
      throw unreadable(path, cause);
    }
  }
  return parts;
}

async function partsOfFolder(folder: string): Promise<readonly Part[]> {
  const names = (await readdir(folder)).sort();
  const recorded = /^telemetry-.*\.(ndjson|decisions\.parquet)$/;
  const parts: Part[] = names.some((name) => recorded.test(name)) ? [{ path: folder, telemetry: true }] : [];
  for (const name of names) {
    if (!recorded.test(name) && /\.(ndjson|jsonl)$/.test(name)) {
      parts.push({ path: join(folder, name), telemetry: false });
    }
  }
  if (parts.length > 0) return parts;
  throw modelError('E_MODEL_DATA', `there is neither telemetry nor a file of rows in ${folder}`);
}

async function isTelemetry(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD), 0, HEAD, 0);
    return buffer.toString('utf8', 0, bytesRead).startsWith('{"telemetry":');
  } finally {
    await file.close();
  }
}

async function* linesOf(path: string): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const piece of createReadStream(path, { highWaterMark: 2 ** 18 }) as AsyncIterable<Buffer>) {
      const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      let from = 0;
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
        yield bytes.toString('utf8', from, end);
        from = end + 1;
      }
      rest = bytes.subarray(from);
      if (rest.length > MAX_LINE) {
        throw modelError('E_MODEL_DATA', `${basename(path)} has a line of more than ${MAX_LINE} bytes`);
      }
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
  yield rest.toString();
}

function unreadable(path: string, cause: unknown): FairleadError {
  if (cause instanceof FairleadError) return cause;
  return modelError('E_MODEL_DATA', `${path} cannot be read: ${messageOf(cause)}`, cause);
}
