import path from 'node:path';
import { Allocation } from './allocation.ts';
import type { Disk, DiskFile } from './disk.ts';
import { fileFailure, full, writeFailure } from './failure.ts';
import { END_BYTES, type FrameKey, frameKey } from './frame.ts';
import type { Recovered } from './recovery.ts';
import type { Segment } from './segment.ts';
import { HEADER_BYTES, segmentName } from './segment-header.ts';

/** The segment being written. */
export interface ActiveSegment {
  readonly file: DiskFile;
  readonly name: string;
  readonly logId: Buffer;
  readonly key: FrameKey;
  readonly first: number;
  /** Where the next frame goes; what is before it is durable. */
  offset: number;
  /** Index of the next record. */
  index: number;
  /** Size of the file: what is written never grows it. */
  readonly bytes: number;
  /** End of what a refused write may have left behind; overwritten before anything else is. */
  dirtyEnd: number;
}

export interface SegmentBounds {
  readonly segmentBytes: number;
  readonly maxBytes: number;
  readonly whenFull: 'block' | 'drop-oldest';
  /** Called for whole segments given up for newer records. */
  readonly onDropped: (records: number) => void;
}

/** The files of a log that is open for writing: preallocated, created and removed as a whole, bounded in sum. */
export class SegmentFiles {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #bounds: SegmentBounds;
  readonly #logId: Buffer;
  readonly #sealed: Segment[];
  readonly #allocation: Allocation;
  #active: ActiveSegment | undefined;

  private constructor(disk: Disk, directory: string, bounds: SegmentBounds, recovered: Recovered) {
    this.#disk = disk;
    this.#directory = directory;
    this.#bounds = bounds;
    this.#logId = recovered.logId;
    this.#sealed = [...recovered.segments];
    this.#allocation = new Allocation(disk, directory);
  }

  static async open(disk: Disk, directory: string, bounds: SegmentBounds, recovered: Recovered): Promise<SegmentFiles> {
    const files = new SegmentFiles(disk, directory, bounds, recovered);
    await files.#allocation.discard(); // an unfinished one of a predecessor
    const last = files.#sealed.at(-1);
    if (recovered.writable && last?.dataEnd !== undefined) {
      const { name, logId, first, bytes, dataEnd: offset } = last;
      const file = await disk.open(path.join(directory, name), 'append');
      await file.sync(); // what a killed writer left may not be on the disk yet
      files.#sealed.pop();
      const key = frameKey(logId, first);
      files.#active = { file, name, logId, key, first, offset, index: recovered.next - first, bytes, dirtyEnd: 0 };
    }
    return files;
  }

  /** All segments, the active one last with its durable end. */
  list(): Segment[] {
    return this.#active === undefined ? [...this.#sealed] : [...this.#sealed, described(this.#active)];
  }

  /** Size of all files together. */
  get bytes(): number {
    let bytes = this.#allocation.bytes + (this.#active?.bytes ?? 0);
    for (const segment of this.#sealed) bytes += segment.bytes;
    return bytes;
  }

  /** The active segment if `needed` framed bytes fit in it. */
  fitting(needed: number): ActiveSegment | undefined {
    const active = this.#active;
    if (active === undefined || active.offset + needed + END_BYTES > active.bytes) return undefined;
    const { segmentBytes, maxBytes } = this.#bounds;
    if (active.offset * 2 > active.bytes && this.bytes + segmentBytes <= maxBytes) {
      this.#allocation.prepare(segmentBytes);
    }
    return active;
  }

  /** Seals the active segment and begins one at record `first`. Throws `E_STORE_FULL`, `E_STORE_IO` or `E_STORE_FSYNC`. */
  async roll(first: number, needed: number): Promise<ActiveSegment> {
    const wanted = Math.max(this.#bounds.segmentBytes, HEADER_BYTES + needed + END_BYTES);
    await this.#cleanTail();
    await this.#makeRoom(wanted, first);
    const logId = this.#logId;
    const { file, bytes } = await this.#allocation.take({ logId, first }, wanted);
    await this.#seal();
    const key = frameKey(logId, first);
    const name = segmentName(first);
    this.#active = { file, name, logId, key, first, offset: HEADER_BYTES, index: 0, bytes, dirtyEnd: 0 };
    return this.#active;
  }

  /** Removes sealed segments all of whose records are below `number`; returns how many records went. */
  async removeBefore(number: number): Promise<number> {
    let records = 0;
    for (;;) {
      const end = this.#sealed[1]?.first ?? this.#active?.first;
      if (this.#sealed.length === 0 || end === undefined || end > number) return records;
      records += await this.#removeOldest(end);
    }
  }

  async close(): Promise<void> {
    await this.#allocation.discard();
    await this.#active?.file.close();
    this.#active = undefined;
  }

  async #makeRoom(wanted: number, next: number): Promise<void> {
    const { maxBytes, whenFull, onDropped } = this.#bounds;
    while (this.bytes - this.#allocation.bytes + wanted > maxBytes) {
      const nothing = this.#sealed.length === 0 && this.#active === undefined;
      if (whenFull === 'block' || nothing) {
        throw full(`the log in ${this.#directory} has reached its maxBytes of ${maxBytes}`);
      }
      if (this.#sealed.length === 0) await this.#seal();
      onDropped(await this.#removeOldest(this.#sealed[1]?.first ?? this.#active?.first ?? next));
    }
  }

  async #removeOldest(end: number): Promise<number> {
    const oldest = this.#sealed[0] as Segment;
    const file = path.join(this.#directory, oldest.name);
    const regular = oldest.bytes === this.#bounds.segmentBytes;
    try {
      if (!(regular && (await this.#allocation.recycle(file, oldest.bytes)))) await this.#disk.remove(file);
    } catch (error) {
      throw fileFailure(error, file);
    }
    this.#sealed.shift();
    return end - oldest.first;
  }

  /** Frames of a refused append must not come back to life behind the end of a sealed segment. */
  async #cleanTail(): Promise<void> {
    const active = this.#active;
    if (active === undefined || active.dirtyEnd <= active.offset) return;
    try {
      await active.file.writeDurable(Buffer.alloc(active.dirtyEnd - active.offset), active.offset);
    } catch (error) {
      throw writeFailure(error, active.name);
    }
    active.dirtyEnd = 0;
  }

  async #seal(): Promise<void> {
    const active = this.#active;
    if (active === undefined) return;
    this.#sealed.push(described(active));
    this.#active = undefined;
    await active.file.close();
  }
}

function described(active: ActiveSegment): Segment {
  const { name, first, logId, bytes, offset } = active;
  return { name, first, logId, bytes, dataEnd: offset };
}
