import { createReadStream } from 'node:fs';
import { parseLine } from './parse.ts';
import type { TelemetryRecord } from './records.ts';

/** Longest line that is read, in bytes: a snapshot of some 10,000 targets. */
const MAX_LINE = 16 * 2 ** 20;
const NEWLINE = 10;

/** What was found beside records. */
export interface ReadCounts {
  /** Lines that are no records, such as one that a crash cut off. */
  badLines: number;
}

/** The records of an NDJSON file. Throws the system's error where it cannot be read. */
export async function* readLines(file: string, counts: ReadCounts): AsyncGenerator<TelemetryRecord> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of createReadStream(file, { highWaterMark: 2 ** 18 }) as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      const record = parseLine(bytes.toString('utf8', from, end));
      from = end + 1;
      if (record === undefined) counts.badLines += 1;
      else yield record;
    }
    rest = bytes.subarray(from);
    if (rest.length > MAX_LINE) break;
  }
  if (rest.length === 0) return;
  const record = rest.length > MAX_LINE ? undefined : parseLine(rest.toString());
  if (record === undefined) counts.badLines += 1;
  else yield record;
}
