import type { FairleadError } from '../core/errors.ts';
import { GroupWriter, type Pending } from './commit.ts';
import { type Damage, DamageReport } from './damage.ts';
import { type Disk, nodeDisk } from './disk.ts';
import { fileFailure, isFatal, storeError, writeFailure } from './failure.ts';
import { END_BYTES, framedBytes } from './frame.ts';
import { acquireLock } from './lock.ts';
import { recover } from './recovery.ts';
import type { LogRecord } from './scanner.ts';
import { type ScanSetup, type Segment, scanRange } from './segment.ts';
import { HEADER_BYTES } from './segment-header.ts';
import { SegmentFiles } from './segments.ts';

export interface LogOptions {
  readonly directory: string;
  /** Size of one preallocated file; at most a quarter of `maxBytes`. Default 16 MiB. */
  readonly segmentBytes?: number | undefined;
  /** Bound of all files together. Default 1 GiB, at least 64 KiB. */
  readonly maxBytes?: number | undefined;
  /** `block`: an append beyond the bound is refused with `E_STORE_FULL`; `drop-oldest`: whole oldest segments go, counted. Default `block`. */
  readonly whenFull?: 'block' | 'drop-oldest' | undefined;
  /** Reads beside a living writer, takes no lock, changes nothing. */
  readonly readOnly?: boolean | undefined;
  /** Reads all segments on open to report damage, not only the last one. Default: true for a writer. */
  readonly verify?: boolean | undefined;
  readonly onDamage?: ((damage: Damage) => void) | undefined;
  readonly onDropped?: ((records: number) => void) | undefined;
  /** Called once, when the log takes no more (`E_STORE_FSYNC`): the process must exit non-zero. */
  readonly onFailed?: ((error: FairleadError) => void) | undefined;
  readonly disk?: Disk | undefined;
}

export interface LogStats {
  /** Numbers from {@link LogStats.first} up to but not including {@link LogStats.next} are held (less the damaged). */
  readonly first: number;
  readonly next: number;
  readonly segments: number;
  /** Size of all files, preallocated space included. */
  readonly bytes: number;
  readonly maxBytes: number;
  readonly droppedRecords: number;
  readonly damage: readonly Damage[];
  readonly failed: FairleadError | undefined;
}

interface Removal {
  readonly number: number;
  resolve(records: number): void;
  reject(error: Error): void;
}

const CHUNK_BYTES = 256 << 10;
const GROUP_BYTES = 1 << 20;
const PENDING_BYTES = 64 << 20;
const PAGE = 4096;

/**
 * An append-only log of records in preallocated segment files, one writer per directory. `append` resolves when its
 * records are on stable storage; appends that come while the disk is busy share the next write (group commit).
 */
export class SegmentedLog {
  readonly #setup: ScanSetup;
  readonly #maxBytes: number;
  readonly #report: DamageReport;
  readonly #onFailed: ((error: FairleadError) => void) | undefined;
  readonly #writer: GroupWriter = new GroupWriter();
  #files: SegmentFiles | undefined;
  #segments: readonly Segment[] = [];
  #unlock: (() => Promise<void>) | undefined;
  #queue: Pending[] = [];
  #removals: Removal[] = [];
  #pendingBytes = 0;
  #running: Promise<void> | undefined;
  #next = 0;
  #dropped = 0;
  #failed: FairleadError | undefined;
  #closed = false;

  private constructor(options: LogOptions) {
    this.#report = new DamageReport(options.onDamage);
    this.#onFailed = options.onFailed;
    this.#maxBytes = options.maxBytes ?? 1 << 30;
    this.#setup = {
      disk: options.disk ?? nodeDisk,
      directory: options.directory,
      readOnly: options.readOnly ?? false,
      chunkBytes: CHUNK_BYTES,
      onDamage: (damage) => this.#report.add(damage),
    };
  }

  /**
   * Opens the log of a directory (a writer creates it) and finds its end. Damage is reported, never thrown. Throws
   * `E_STORE_LOCKED` where another process writes, `E_STORE_VERSION`, `E_STORE_BOUNDS`, `E_STORE_IO` and, for a writer, `E_STORE_FULL`.
   */
  static async open(options: LogOptions): Promise<SegmentedLog> {
    const log = new SegmentedLog(options);
    try {
      await log.#open(options);
    } catch (error) {
      await log.#unlock?.();
      throw fileFailure(error, options.directory);
    }
    return log;
  }

  /**
   * Appends records in one piece and resolves with the number of the first once all are durable. Rejects with
   * `E_STORE_FULL`, `E_STORE_BUSY` or `E_STORE_IO` (retryable: nothing was kept), `E_STORE_TOO_LARGE`, `E_STORE_CLOSED`,
   * `E_STORE_READ_ONLY`, or `E_STORE_FSYNC`, after which the log is dead. The buffers must not change until then.
   */
  append(records: readonly Buffer[]): Promise<number> {
    const bytes = framedBytes(records);
    const refusal = this.#refusal(bytes);
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      this.#queue.push({ records, bytes, resolve, reject });
      this.#pendingBytes += bytes;
      this.#start();
    });
  }

  /** Yields sound records from number `from` up to `to` (default: all durable now) in chunks of about 256 KiB. */
  read(from = 0, to: number = this.#next): AsyncGenerator<readonly LogRecord[], void, undefined> {
    return scanRange(this.#setup, this.#files?.list() ?? this.#segments, from, Math.min(to, this.#next));
  }

  /** One record's payload; undefined where it was dropped, damaged or never written. */
  async get(number: number): Promise<Buffer | undefined> {
    for await (const [record] of this.read(number, number + 1)) return record?.payload;
    return undefined;
  }

  /** Removes whole segments whose records are all below `number`; resolves with how many records went. */
  removeBefore(number: number): Promise<number> {
    const refusal = this.#refusal(0);
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      this.#removals.push({ number, resolve, reject });
      this.#start();
    });
  }

  stats(): LogStats {
    const segments = this.#files?.list() ?? this.#segments;
    return {
      first: segments[0]?.first ?? this.#next,
      next: this.#next,
      segments: segments.length,
      bytes: this.#files?.bytes ?? segments.reduce((sum, segment) => sum + segment.bytes, 0),
      maxBytes: this.#maxBytes,
      droppedRecords: this.#dropped,
      damage: this.#report.entries,
      failed: this.#failed,
    };
  }

  /** Lets appends under way end and gives the directory up. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    const files = this.#files;
    const unlock = this.#unlock;
    this.#files = undefined;
    this.#unlock = undefined;
    this.#segments = files?.list() ?? this.#segments;
    try {
      await files?.close();
    } finally {
      await unlock?.();
    }
  }

  async #open(options: LogOptions): Promise<void> {
    const { disk, directory, readOnly } = this.#setup;
    if (this.#maxBytes < 16 * PAGE) {
      throw storeError('E_STORE_BOUNDS', `maxBytes ${this.#maxBytes} is below ${16 * PAGE}`, false);
    }
    if (!readOnly) {
      await disk.makeDirectory(directory);
      this.#unlock = await acquireLock(directory);
    }
    const recovered = await recover(this.#setup, options.verify ?? !readOnly);
    this.#segments = recovered.segments;
    this.#next = recovered.next;
    if (readOnly) return;
    const segmentBytes = Math.min(options.segmentBytes ?? 16 << 20, this.#maxBytes >> 2);
    const bounds = {
      segmentBytes: Math.max(2 * PAGE, segmentBytes - (segmentBytes % PAGE)),
      maxBytes: this.#maxBytes,
      whenFull: options.whenFull ?? 'block',
      onDropped: (records: number) => {
        this.#dropped += records;
        options.onDropped?.(records);
      },
    } as const;
    this.#files = await SegmentFiles.open(disk, directory, bounds, recovered);
  }

  #refusal(bytes: number): FairleadError | undefined {
    if (this.#failed !== undefined) return this.#failed;
    const { directory, readOnly } = this.#setup;
    if (readOnly) return storeError('E_STORE_READ_ONLY', `${directory} is open for reading only`, false);
    if (this.#closed) return storeError('E_STORE_CLOSED', `${directory} is closed`, false);
    const largest = this.#maxBytes - HEADER_BYTES - END_BYTES;
    if (bytes > largest) return storeError('E_STORE_TOO_LARGE', `${bytes} bytes in one append, over ${largest}`, false);
    if (this.#pendingBytes > 0 && this.#pendingBytes + bytes > PENDING_BYTES) {
      return storeError('E_STORE_BUSY', `${this.#pendingBytes} bytes already wait for the disk`, true);
    }
    return undefined;
  }

  /** A microtask later, so that the appends of this turn share one write. */
  #start(): void {
    this.#running ??= Promise.resolve().then(() => this.#run(this.#files as SegmentFiles));
  }

  async #run(files: SegmentFiles): Promise<void> {
    while (this.#queue.length > 0 || this.#removals.length > 0) {
      for (const removal of this.#removals.splice(0)) {
        await files.removeBefore(Math.min(removal.number, this.#next)).then(removal.resolve, removal.reject);
      }
      if (this.#queue.length > 0) await this.#commit(files);
    }
    this.#running = undefined;
  }

  /** Writes what fits of the queue as one group and settles it; never rejects. */
  async #commit(files: SegmentFiles): Promise<void> {
    const head = this.#queue[0] as Pending;
    let group: readonly Pending[] = [];
    try {
      const active = files.fitting(head.bytes) ?? (await files.roll(this.#next, head.bytes));
      const room = Math.max(head.bytes, Math.min(GROUP_BYTES, active.bytes - active.offset - END_BYTES));
      group = this.#take(room);
      let first = active.first + (await this.#writer.write(active, group));
      this.#next = active.first + active.index;
      for (const pending of group) {
        pending.resolve(first);
        first += pending.records.length;
      }
    } catch (error) {
      const failure = writeFailure(error, this.#setup.directory);
      for (const pending of group) pending.reject(failure);
      // no room for the head: nobody behind it has any; and a dead log takes nothing
      if (group.length === 0 || isFatal(failure)) for (const pending of this.#take(Infinity)) pending.reject(failure);
      if (isFatal(failure)) {
        this.#failed = failure;
        this.#onFailed?.(failure);
      }
    }
  }

  #take(room: number): readonly Pending[] {
    let bytes = 0;
    let count = 0;
    for (const pending of this.#queue) {
      if (bytes + pending.bytes > room) break;
      bytes += pending.bytes;
      count += 1;
    }
    this.#pendingBytes -= bytes;
    return count === this.#queue.length ? this.#queue.splice(0) : this.#queue.splice(0, count);
  }
}
