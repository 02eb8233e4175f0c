import path from 'node:path';
import { codeOf, type FairleadError } from '../core/errors.ts';
import type { Disk, DiskFile } from './disk.ts';
import { fileFailure, writeFailure } from './failure.ts';
import { END_BYTES } from './frame.ts';
import { encodeHeader, type SegmentHeader, segmentName } from './segment-header.ts';

const SPARE = 'spare.new';
const ZEROS = Buffer.alloc(1 << 20);

/** Makes segment files: preallocated, with a header, durable as a whole before they get their name. */
export class Allocation {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #spare: string;
  /** Size of the spare once it is complete; undefined where none is to be had. */
  #preparing: Promise<number | undefined> | undefined;
  #spareBytes = 0;

  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
    this.#spare = path.join(directory, SPARE);
  }

  /** Bytes taken by the spare, also while it is being filled. */
  get bytes(): number {
    return this.#spareBytes;
  }

  /** Fills a spare in the background, so that the next segment costs no wait. Its failure only means that there is none. */
  prepare(bytes: number): void {
    if (this.#preparing !== undefined) return;
    this.#spareBytes = bytes;
    this.#preparing = this.#fill(bytes).then(
      () => bytes,
      () => {
        this.#spareBytes = 0;
        return undefined; // the segment that needs it tries again and tells what is wrong
      },
    );
  }

  /** Keeps a segment that is given up as the spare; false where there is one, and the file is as it was. */
  async recycle(file: string, bytes: number): Promise<boolean> {
    if (this.#preparing !== undefined) return false;
    await this.#disk.rename(file, this.#spare);
    this.#spareBytes = bytes;
    this.#preparing = Promise.resolve(bytes);
    return true;
  }

  /** A file of at least `bytes` under its segment name, open for writing, with its size. */
  async take(header: SegmentHeader, bytes: number): Promise<{ file: DiskFile; bytes: number }> {
    const name = path.join(this.#directory, segmentName(header.first));
    let size = await this.#preparing;
    this.#preparing = undefined;
    try {
      if (size === undefined || size < bytes) {
        size = bytes;
        await this.#fill(size);
      }
      const draft = await this.#disk.open(this.#spare, 'append');
      // with the end marker behind it: what a recycled file holds after that are no frames of this segment
      const block = Buffer.concat([encodeHeader(header), Buffer.alloc(END_BYTES)]);
      await guarded(draft.writeDurable(block, 0), this.#spare).finally(() => draft.close());
      await this.#disk.rename(this.#spare, name);
      this.#spareBytes = 0;
      await guarded(this.#disk.syncDirectory(this.#directory), this.#directory);
      return { file: await this.#disk.open(name, 'append'), bytes: size };
    } catch (error) {
      await this.discard();
      throw fileFailure(error, name);
    }
  }

  /** Waits for what is under way and removes the spare. */
  async discard(): Promise<void> {
    await this.#preparing;
    this.#preparing = undefined;
    this.#spareBytes = 0;
    await this.#disk.remove(this.#spare).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw fileFailure(error, this.#spare);
    });
  }

  /** Writes zeros rather than leaving a hole: later writes then need neither new blocks nor a metadata commit. */
  async #fill(bytes: number): Promise<void> {
    const file = await this.#disk.open(this.#spare, 'create');
    try {
      for (let at = 0; at < bytes; at += ZEROS.length) {
        await guarded(file.write(ZEROS.subarray(0, Math.min(ZEROS.length, bytes - at)), at), this.#spare);
      }
      await guarded(file.sync(), this.#spare);
    } finally {
      await file.close();
    }
  }
}

/** Says what a failed write or sync means for the log: see {@link writeFailure}. */
function guarded(operation: Promise<void>, file: string): Promise<void> {
  return operation.catch((error: unknown): never => {
    const failure: FairleadError = writeFailure(error, file);
    throw failure;
  });
}
