import { END_BYTES, writeFrame } from './frame.ts';
import type { ActiveSegment } from './segments.ts';

const KEPT_BYTES = 1 << 20;

/** One call of `append` that waits for its place on the disk. */
export interface Pending {
  readonly records: readonly Buffer[];
  /** Bytes of the frames. */
  readonly bytes: number;
  resolve(first: number): void;
  reject(error: Error): void;
}

/** Writes a group of appends as one durable write; the buffer the frames are laid out in is kept for the next group. */
export class GroupWriter {
  #staging: Buffer = Buffer.alloc(0);

  /** Resolves with the index of the group's first record once all of it is on stable storage. */
  async write(active: ActiveSegment, group: readonly Pending[]): Promise<number> {
    let bytes = 0;
    for (const pending of group) bytes += pending.bytes;
    // the end marker goes with every group; over what a refused write left behind go zeros
    const length = Math.max(bytes + END_BYTES, active.dirtyEnd - active.offset);
    const buffer = this.#take(length);
    const first = active.index;
    let at = 0;
    let index = first;
    for (const { records } of group) {
      for (const record of records) {
        at = writeFrame(buffer, at, active.key, index, record);
        index += 1;
      }
    }
    buffer.fill(0, at, length);
    try {
      await active.file.writeDurable(buffer.length === length ? buffer : buffer.subarray(0, length), active.offset);
    } catch (error) {
      active.dirtyEnd = Math.max(active.dirtyEnd, active.offset + length);
      throw error;
    }
    active.offset += at;
    active.index = index;
    active.dirtyEnd = 0;
    return first;
  }

  #take(length: number): Buffer {
    if (length <= this.#staging.length) return this.#staging;
    const buffer = Buffer.allocUnsafeSlow(length <= KEPT_BYTES ? Math.min(KEPT_BYTES, length * 2) : length);
    if (length <= KEPT_BYTES) this.#staging = buffer;
    return buffer;
  }
}
