import path from 'node:path';
import { codeOf } from '../core/errors.ts';
import type { Damage } from './damage.ts';
import type { Disk, DiskFile } from './disk.ts';
import { frameKey } from './frame.ts';
import { type LogRecord, SegmentScanner } from './scanner.ts';
import { HEADER_BYTES } from './segment-header.ts';

/** What is kept in memory of a segment. */
export interface Segment {
  readonly name: string;
  /** Number of the first record. */
  readonly first: number;
  /** Id of the log that the frames were written with. */
  readonly logId: Buffer;
  /** Size of the file. */
  readonly bytes: number;
  /** Where the frames end; undefined where the end marker tells. */
  readonly dataEnd: number | undefined;
}

export interface ScanSetup {
  readonly disk: Disk;
  readonly directory: string;
  readonly readOnly: boolean;
  readonly chunkBytes: number;
  readonly onDamage: (damage: Damage) => void;
}

export interface ScanEnd {
  /** Where the next frame would stand. */
  readonly offset: number;
  /** Index of the next record. */
  readonly index: number;
  /** True when the segment did not end as a writer leaves it. */
  readonly torn: boolean;
}

/**
 * Yields the sound records of a segment in bounded chunks; nothing where it was removed meanwhile. With a successor a bad
 * end is no torn tail but loss, and the number of lost records is known.
 */
export async function* scanSegment(
  setup: ScanSetup,
  segment: Segment,
  successor: Segment | undefined,
): AsyncGenerator<readonly LogRecord[], ScanEnd, undefined> {
  const { name, first } = segment;
  const file = await openFile(setup.disk, path.join(setup.directory, name));
  if (file === undefined) return { offset: HEADER_BYTES, index: 0, torn: false };
  const gone = async (): Promise<boolean> => !(await setup.disk.list(setup.directory)).includes(name);
  const missing = (): number => (successor === undefined ? 0 : successor.first - first - scanner.index);
  const scanner: SegmentScanner = new SegmentScanner(file, {
    name,
    key: frameKey(segment.logId, first),
    first,
    limit: segment.dataEnd ?? segment.bytes,
    exact: segment.dataEnd !== undefined,
    live: setup.readOnly && successor === undefined,
    chunkBytes: setup.chunkBytes,
    gone,
    onDamage: (damage) => {
      if (successor === undefined || damage.records !== undefined) setup.onDamage(damage);
      else setup.onDamage({ ...damage, code: 'E_STORE_CORRUPT', records: missing() });
    },
  });
  try {
    for (let records = await scanner.next(); records !== undefined; records = await scanner.next()) yield records;
    const { offset, index, torn } = scanner;
    if (missing() > 0 && !torn && !(await gone())) {
      setup.onDamage({ code: 'E_STORE_CORRUPT', segment: name, offset, bytes: 0, records: missing() });
    }
    return { offset, index, torn };
  } finally {
    await file.close();
  }
}

/** Yields the records numbered from `from` up to but not including `to`, in chunks; damaged ones are left out. */
export async function* scanRange(
  setup: ScanSetup,
  segments: readonly Segment[],
  from: number,
  to: number,
): AsyncGenerator<readonly LogRecord[], void, undefined> {
  for (const [at, segment] of segments.entries()) {
    const successor = segments[at + 1];
    if (segment.first >= to) return;
    if (successor !== undefined && successor.first <= from) continue;
    for await (const records of scanSegment(setup, segment, successor)) {
      const first = records[0]?.number ?? to;
      const last = records.at(-1)?.number ?? from;
      if (first >= from && last < to) {
        yield records;
        continue;
      }
      const wanted = records.filter(({ number }) => number >= from && number < to);
      if (wanted.length > 0) yield wanted;
      if (last >= to - 1) return;
    }
  }
}

/** Opens for reading; undefined where there is no such file (any more). */
export async function openFile(disk: Disk, file: string): Promise<DiskFile | undefined> {
  try {
    return await disk.open(file, 'read');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
