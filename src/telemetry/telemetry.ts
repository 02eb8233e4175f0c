import type { Clock, Random } from '../core/clock.ts';
import type { DecisionObserver } from '../core/decision-observer.ts';
import { FairleadError, messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { runName } from './directory.ts';
import { Journal } from './journal.ts';
import { decisionLine, headerLine, snapshotLine } from './lines.ts';
import { ParquetConverter } from './parquet-converter.ts';
import { ChoiceRecorder, type RecordedChoice, TelemetryCounters } from './recorder.ts';
import type { FileHeader, RecordedSchema } from './records.ts';

/** The section `telemetry` of the configuration. */
export interface TelemetrySettings {
  /** Directory of the files. */
  readonly path: string;
  readonly format: 'ndjson' | 'parquet';
  /** Of one file. */
  readonly maxFileBytes: number;
  /** Of all files; the oldest are deleted. */
  readonly maxBytes: number;
  /** Share of the successful sends that is kept; the others all are. */
  readonly sample: number;
  /** Age at which a file is ended. */
  readonly rotateMs: number;
}

export interface TelemetryOptions extends TelemetrySettings {
  readonly gateway: string;
  readonly instance: string;
  readonly schema: RecordedSchema;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Decisions in memory, for each choice; default 65,536. */
  readonly maxOpen?: number | undefined;
}

/** Hears of the decisions of one choice until it is closed. */
export interface ChoiceTelemetry extends DecisionObserver {
  /** Takes no more decisions; those it has are written once they are settled. */
  close(): void;
}

const FLUSH_MS = 500;
/** After a failure it is tried again after this, doubled each time up to the second. */
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;
/** What is made into text at once, so that the event loop is not held up. */
const SLICE_CHARS = 2 ** 18;
const SLICE_RECORDS = 256;
/** A slice in bytes is below this, with the header and the last record. */
const SLICE_BYTES = 2 ** 19;
/** How long `close` waits for the disk. */
const CLOSE_MS = 5_000;

interface Slice {
  readonly text: string;
  /** Slots of the recorder. */
  readonly taken: readonly number[];
  readonly snapshots: number;
}

/**
 * Writes what was decided, and what came of it, to files in a directory. Nothing is awaited on the data path: records wait in
 * memory, bounded, and go to the disk in slices between events. What there is no room for is counted in `counters.dropped`.
 */
export class Telemetry {
  readonly counters: TelemetryCounters = new TelemetryCounters();
  /** Files deleted to stay within `maxBytes`. */
  readonly deleted: { files: number; bytes: number } = { files: 0, bytes: 0 };
  readonly #o: TelemetryOptions;
  readonly #recorders = new Set<ChoiceRecorder>();
  readonly #journal: Journal;
  readonly #converter: ParquetConverter | undefined;
  /** The last snapshot of each choice in the file that is open. */
  readonly #inFile = new Map<string, number>();
  #decisions = 0;
  #snapshots = 0;
  #failures = 0;
  #cancel: (() => void) | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(options: TelemetryOptions) {
    this.#o = options;
    const { clock, random, log, path, maxFileBytes, maxBytes, rotateMs, gateway, instance, schema, format } = options;
    const run = runName(clock.wall(), random);
    const header = (): FileHeader => ({ telemetry: 1, gateway, instance, run, at: clock.wall(), schema });
    this.#converter = format === 'parquet' ? new ParquetConverter(log) : undefined;
    this.#journal = new Journal({
      directory: path,
      run,
      maxFileBytes,
      maxBytes,
      rotateMs,
      clock,
      header: () => headerLine(header()),
      onDeleted: ({ files, bytes }) => this.#countDeleted(files, bytes),
      onEnded: (file) => this.#converter?.add(file),
    });
    this.#next(FLUSH_MS);
  }

  /** An observer for a choice. Its recording goes on until it is closed. */
  observe(choice: RecordedChoice): ChoiceTelemetry {
    const { clock, random, sample, maxOpen = 65_536 } = this.#o;
    const recorder = new ChoiceRecorder({
      choice,
      clock,
      random,
      sample,
      maxOpen,
      counters: this.counters,
      nextSnapshot: () => (this.#snapshots += 1),
      nextDecision: () => (this.#decisions += 1),
    });
    this.#recorders.add(recorder);
    return recorder;
  }

  /** Writes everything, what is not settled as `open`, and ends the file. Bounded in time; never rejects. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { clock, log } = this.#o;
    this.#cancel?.();
    for (const recorder of this.#recorders) recorder.close();
    let cancel: (() => void) | undefined;
    const late = new Promise<'late'>((resolve) => {
      cancel = clock.after(CLOSE_MS, () => resolve('late'));
    });
    const outcome = await Promise.race([this.#last(), late]);
    cancel?.();
    if (outcome === 'late') this.#converter?.stop();
    const { open } = this.counters;
    this.counters.dropped += open;
    this.counters.open = 0;
    if (open > 0) log.warn({ open }, 'telemetry could not be written in time: what was left is lost');
  }

  async #last(): Promise<void> {
    await this.#flushing;
    try {
      await this.#write(true);
      await this.#journal.end();
    } catch (error) {
      this.#failed(error);
    }
    await this.#converter?.idle();
  }

  #next(ms: number): void {
    this.#cancel = this.#o.clock.after(ms, () => {
      this.#flushing = this.#flush();
    });
  }

  async #flush(): Promise<void> {
    let again = FLUSH_MS;
    try {
      await this.#write(false);
      if (this.#journal.old) await this.#journal.end();
      if (this.#failures > 0) this.#o.log.info({}, 'telemetry is written again');
      this.#failures = 0;
    } catch (error) {
      this.#failed(error);
      again = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1));
    }
    for (const recorder of this.#recorders) if (recorder.done) this.#recorders.delete(recorder);
    if (this.#closed === undefined) this.#next(again);
  }

  /** Writes what is due, slice by slice. Rejects where the disk fails; what was not written stays in memory. */
  async #write(ending: boolean): Promise<void> {
    for (const recorder of this.#recorders) {
      for (;;) {
        if (!recorder.due(this.#o.clock.now(), ending)) break;
        if (await this.#journal.ready(SLICE_BYTES)) this.#inFile.clear();
        await this.#writeSlice(recorder, this.#slice(recorder, ending));
      }
    }
  }

  async #writeSlice(recorder: ChoiceRecorder, { text, taken, snapshots }: Slice): Promise<void> {
    try {
      await this.#journal.write(text);
    } catch (error) {
      for (const slot of taken) recorder.putBack(slot);
      throw error;
    }
    for (const slot of taken) recorder.release(slot);
    this.counters.written += taken.length;
    this.counters.snapshots += snapshots;
  }

  #slice(recorder: ChoiceRecorder, ending: boolean): Slice {
    const { clock } = this.#o;
    const now = clock.now();
    const offset = clock.wall() - now;
    const { name } = recorder.choice;
    const taken: number[] = [];
    let text = '';
    let snapshots = 0;
    let slot = -1;
    while (taken.length < SLICE_RECORDS && text.length < SLICE_CHARS) {
      slot = recorder.take(slot, now, ending);
      if (slot < 0) break;
      const snapshot = recorder.snapshotOf(slot);
      if (snapshot !== undefined && this.#inFile.get(name) !== snapshot.id) {
        text += snapshotLine(recorder, snapshot, offset);
        this.#inFile.set(name, snapshot.id);
        snapshots += 1;
      }
      text += decisionLine(recorder, slot, offset);
      taken.push(slot);
    }
    return { text, taken, snapshots };
  }

  #countDeleted(files: number, bytes: number): void {
    if (files === 0) return;
    this.deleted.files += files;
    this.deleted.bytes += bytes;
    this.#o.log.info({ files, bytes }, 'telemetry reached maxBytes: the oldest files were deleted');
  }

  #failed(error: unknown): void {
    this.#failures += 1;
    if (this.#failures > 1) return;
    const code = error instanceof FairleadError ? error.code : 'E_ERROR';
    this.#o.log.error({ code }, `${messageOf(error)}; it is tried again, and what has no room in memory is dropped`);
  }
}
