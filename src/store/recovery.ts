import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { END_BYTES, FRAME_BYTES } from './frame.ts';
import { openFile, type ScanEnd, type ScanSetup, type Segment, scanSegment } from './segment.ts';
import { decodeHeader, HEADER_BYTES, parseSegmentName, segmentName } from './segment-header.ts';

export interface Recovered {
  readonly logId: Buffer;
  /** In order of their numbers. */
  readonly segments: Segment[];
  /** Number of the next record. */
  readonly next: number;
  /** True where the last segment ended cleanly and can be written on. */
  readonly writable: boolean;
}

interface Found extends Omit<Segment, 'logId'> {
  readonly logId: Buffer | undefined;
}

/**
 * Finds the segments of a directory and the end of the log; a writer cuts a torn end off. `verify` reads all of it, not
 * only the last segment. Damage never throws; `E_STORE_VERSION` does.
 */
export async function recover(setup: ScanSetup, verify: boolean): Promise<Recovered> {
  const found = await listSegments(setup);
  const known = found.find((segment) => segment.logId !== undefined)?.logId;
  const logId = known ?? randomBytes(16);
  const segments = found.map((segment) => ({ ...segment, logId: segment.logId ?? logId }));
  if (verify) for (const [at, segment] of segments.slice(0, -1).entries()) await scan(setup, segment, segments[at + 1]);
  const last = segments.at(-1);
  if (last === undefined) return { logId, segments, next: 0, writable: false };

  const end = await scan(setup, last, undefined);
  const sound = found.at(-1)?.logId !== undefined;
  if (!end.torn) segments[segments.length - 1] = { ...last, dataEnd: end.offset };
  else if (!setup.readOnly && known !== undefined) segments[segments.length - 1] = await cut(setup, last, end.offset);
  // Where nothing could be read, the numbers that may have stood there are not given out again.
  const skipped = end.index === 0 && (end.torn || !sound) ? Math.max(1, Math.floor(last.bytes / FRAME_BYTES)) : 0;
  return { logId, segments, next: last.first + end.index + skipped, writable: sound && !end.torn };
}

async function listSegments(setup: ScanSetup): Promise<Found[]> {
  const { disk, directory } = setup;
  const firsts = (await disk.list(directory)).flatMap((name) => parseSegmentName(name) ?? []);
  firsts.sort((a, b) => a - b);
  const segments: Found[] = [];
  for (const first of firsts) {
    const name = segmentName(first);
    const file = await openFile(disk, path.join(directory, name));
    if (file === undefined) continue;
    try {
      const block = Buffer.alloc(HEADER_BYTES);
      const header = decodeHeader(block.subarray(0, await file.read(block, 0)));
      const logId = header?.first === first ? header.logId : undefined;
      segments.push({ name, first, logId, bytes: await file.size(), dataEnd: undefined });
    } finally {
      await file.close();
    }
  }
  return segments;
}

/** Reads a segment to its end. */
async function scan(setup: ScanSetup, segment: Segment, successor: Segment | undefined): Promise<ScanEnd> {
  const chunks = scanSegment(setup, segment, successor);
  let step = await chunks.next();
  while (step.done !== true) step = await chunks.next();
  return step.value;
}

/** Cuts a torn end off behind the last sound frame and marks the new end. */
async function cut(setup: ScanSetup, segment: Segment, offset: number): Promise<Segment> {
  if (segment.bytes < offset) return segment;
  const file = await setup.disk.open(path.join(setup.directory, segment.name), 'append');
  try {
    await file.truncate(offset);
    await file.writeDurable(Buffer.alloc(END_BYTES), offset);
    await file.sync();
  } finally {
    await file.close();
  }
  return { ...segment, bytes: offset + END_BYTES, dataEnd: offset };
}
