import fs from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '../core/errors.ts';

const NAME = /^telemetry-(\d{8}T\d{9}Z-[0-9a-f]{8})-(\d{6,})\.(?:ndjson|(?:decisions|snapshots)\.parquet(?:\.tmp)?)$/;

/** Name of the `number`th file of a run, without its ending. Names sort by the start of the run, then by number. */
export function stemOf(run: string, number: number): string {
  return `telemetry-${run}-${String(number).padStart(6, '0')}`;
}

/** Names a run by when it began and at random. */
export function runName(wallMs: number, random: () => number): string {
  const time = new Date(wallMs).toISOString().replaceAll(/[-:.]/g, '');
  const tail = Math.floor(random() * 2 ** 32).toString(16);
  return `${time}-${tail.padStart(8, '0')}`;
}

export interface StoredFile {
  readonly file: string;
  /** What the files that were made of the same records have in common. */
  readonly stem: string;
  readonly bytes: number;
}

/** The telemetry files of a directory, oldest first, unfinished ones included. Other files are none of its business. */
export async function storedFiles(directory: string): Promise<StoredFile[]> {
  const files: StoredFile[] = [];
  for (const name of (await fs.readdir(directory)).sort()) {
    const match = NAME.exec(name);
    if (match === null) continue;
    const file = path.join(directory, name);
    try {
      const { size } = await fs.stat(file);
      files.push({ file, stem: name.slice(0, name.indexOf('.')), bytes: size });
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error; // another gateway has deleted it
    }
  }
  return files;
}

/** What was deleted to make room. */
export interface Deleted {
  readonly files: number;
  readonly bytes: number;
}

/** Deletes the oldest files until what is left takes at most `maxBytes`. Those of the stem `keep` are not touched. */
export async function deleteOldest(directory: string, maxBytes: number, keep: string): Promise<Deleted> {
  const files = await storedFiles(directory);
  let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let count = 0;
  let freed = 0;
  let stemGone = '';
  for (const { file, stem, bytes } of files) {
    // What was made of the same records goes together.
    if (total <= maxBytes && stem !== stemGone) break;
    if (stem === keep) continue;
    await fs.rm(file, { force: true });
    stemGone = stem;
    total -= bytes;
    count += 1;
    freed += bytes;
  }
  return { files: count, bytes: freed };
}
