import fs from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../core/clock.ts';
import { codeOf, FairleadError, messageOf } from '../core/errors.ts';
import { type Deleted, deleteOldest, stemOf } from './directory.ts';

export interface JournalOptions {
  readonly directory: string;
  readonly run: string;
  /** A file is ended before it would become larger. */
  readonly maxFileBytes: number;
  /** Of all telemetry files in the directory. */
  readonly maxBytes: number;
  /** A file is ended when it is that old. */
  readonly rotateMs: number;
  readonly clock: Clock;
  /** The first line of each file. */
  readonly header: () => string;
  readonly onDeleted: (deleted: Deleted) => void;
  /** A file is complete. */
  readonly onEnded: (file: string, stem: string) => void;
}

interface OpenFile {
  readonly handle: fs.FileHandle;
  readonly file: string;
  readonly stem: string;
  readonly openedAt: number;
  /** Bytes that were written well. */
  bytes: number;
}

/** The files of a run, one after the other. All calls reject with `E_TELEMETRY_WRITE`; the next call tries again. */
export class Journal {
  readonly #o: JournalOptions;
  #open: OpenFile | undefined;
  #number = 0;

  constructor(options: JournalOptions) {
    this.#o = options;
  }

  /** Opens another file where there is none, or `bytes` more would not go into the one there is. True if it did. */
  async ready(bytes: number): Promise<boolean> {
    const { directory, run, maxFileBytes, maxBytes, clock, onDeleted } = this.#o;
    if (this.#open !== undefined && this.#open.bytes + bytes > maxFileBytes) await this.end();
    if (this.#open !== undefined) return false;
    try {
      await fs.mkdir(directory, { recursive: true, mode: 0o700 });
      const stem = stemOf(run, this.#number + 1);
      onDeleted(await deleteOldest(directory, Math.max(0, maxBytes - maxFileBytes), stem));
      const file = path.join(directory, `${stem}.ndjson`);
      const handle = await fs.open(file, 'ax', 0o600);
      this.#number += 1;
      this.#open = { handle, file, stem, openedAt: clock.now(), bytes: 0 };
      return true;
    } catch (error) {
      throw failure(error, directory);
    }
  }

  /** True while a file is open that has been for as long as one may. */
  get old(): boolean {
    return this.#open !== undefined && this.#o.clock.now() - this.#open.openedAt >= this.#o.rotateMs;
  }

  /** Whole lines. Where it fails, the file ends behind what was written before; one without records is deleted. */
  async write(lines: string): Promise<void> {
    const open = this.#open;
    if (open === undefined) throw failure('no file is open', this.#o.directory);
    const bytes = Buffer.from(open.bytes === 0 ? this.#o.header() + lines : lines);
    try {
      await open.handle.appendFile(bytes);
      open.bytes += bytes.length;
    } catch (error) {
      await this.#abandon(open);
      throw failure(error, open.file);
    }
  }

  /** What goes wrong here went wrong before, and is told then: a torn line may be left, which readers pass over. */
  async #abandon(open: OpenFile): Promise<void> {
    const ignored = (): undefined => undefined;
    this.#open = undefined;
    if (open.bytes > 0) await open.handle.truncate(open.bytes).catch(ignored);
    await open.handle.close().catch(ignored);
    if (open.bytes > 0) this.#o.onEnded(open.file, open.stem);
    else {
      this.#number -= 1;
      await fs.rm(open.file, { force: true }).catch(ignored);
    }
  }

  /** Ends the file that is open, if any. */
  async end(): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    try {
      await open.handle.sync();
    } catch (error) {
      throw failure(error, open.file);
    } finally {
      await open.handle.close();
    }
    this.#o.onEnded(open.file, open.stem);
  }
}

function failure(error: unknown, place: string): FairleadError {
  const why = codeOf(error) ?? messageOf(error);
  const message = `telemetry cannot be written to ${place}: ${why}`;
  return new FairleadError({ code: 'E_TELEMETRY_WRITE', message, retryable: true, cause: error });
}
