import { createReadStream, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { FairleadError, messageOf } from '../../core/errors.ts';
import { type FeatureSchema, modelError } from '../contract.ts';
import { RowCollector, type RowsRead } from './rows.ts';

/** Longest line that is read, in bytes. A row has a few hundred. */
const MAX_LINE = 64 * 1024;
const NEWLINE = 10;

/**
 * Reads rows from NDJSON files; of a folder, those that end in `.ndjson` or `.jsonl`, by name. Throws `E_MODEL_DATA` where
 * one cannot be read or holds no rows.
 */
export async function readRows(paths: readonly string[], schema: FeatureSchema, maxRows: number): Promise<RowsRead> {
  const collector = new RowCollector(schema, maxRows);
  for (const file of paths.flatMap(filesOf)) await readFile(file, collector);
  return collector.finish();
}

function filesOf(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => /\.(ndjson|jsonl)$/.test(name));
    if (names.length > 0) return names.sort().map((name) => join(path, name));
  } catch (cause) {
    throw unreadable(path, cause);
  }
  throw modelError('E_MODEL_DATA', `there is no .ndjson or .jsonl file in ${path}`);
}

async function readFile(path: string, collector: RowCollector): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  let line = 1;
  const name = basename(path);
  try {
    for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
      const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      let from = 0;
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
        collector.add(bytes.toString('utf8', from, end), `${name}:${line}`);
        from = end + 1;
        line += 1;
      }
      rest = bytes.subarray(from);
      if (rest.length > MAX_LINE) throw modelError('E_MODEL_DATA', `${name}:${line} is longer than ${MAX_LINE} bytes`);
    }
  } catch (cause) {
    throw cause instanceof FairleadError ? cause : unreadable(path, cause);
  }
  collector.add(rest.toString(), `${name}:${line}`);
}

function unreadable(path: string, cause: unknown): Error {
  return modelError('E_MODEL_DATA', `${path} cannot be read: ${messageOf(cause)}`, cause);
}
