import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';

/** Plain counters. `spans = exported + dropped + failed + queued`, where `queued` is what waits or is under way. */
export class TracingCounters {
  /** Events that were traced. */
  events = 0;
  /** Events that were sampled and not traced, because their spans would have had no room. */
  skipped = 0;
  /** Spans that ended. */
  spans = 0;
  exported = 0;
  /** There was no room, or no time left when the gateway stopped. The metric `traces_dropped`. */
  dropped = 0;
  /** The collector did not take them. */
  failed = 0;
  queued = 0;
}

export interface SpanQueueOptions {
  readonly exporter: SpanExporter;
  /** Spans that wait at most. */
  readonly maxSpans: number;
  readonly counters: TracingCounters;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long spans wait for others. */
const FLUSH_MS = 1_000;
/** Spans in one request: they are made into text in one turn of the event loop. */
const MAX_BATCH = 256;
/** By then a request has failed, whatever the exporter does: its own limit is on silence, not on the whole. */
const MOST_EXPORT_MS = 15_000;

/** Ended spans on their way to the collector, one request at a time. Bounded; what has no room is counted and forgotten. */
export class SpanQueue implements SpanProcessor {
  readonly #o: SpanQueueOptions;
  #waiting: ReadableSpan[] = [];
  #sending: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  /** Of the time limit of the request under way. */
  #cancelLimit: (() => void) | undefined;
  #failing = false;
  #closed = false;

  constructor(options: SpanQueueOptions) {
    this.#o = options;
  }

  /** True while what ends now is dropped. */
  get full(): boolean {
    return this.#closed || this.#waiting.length >= this.#o.maxSpans;
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    const { counters } = this.#o;
    counters.spans += 1;
    if (this.full) {
      counters.dropped += 1;
      return;
    }
    this.#waiting.push(span);
    counters.queued += 1;
    if (this.#sending !== undefined) return;
    if (this.#waiting.length === MAX_BATCH) this.#schedule(0);
    else if (this.#cancel === undefined) this.#schedule(FLUSH_MS);
  }

  forceFlush(): Promise<void> {
    return this.#flush();
  }

  shutdown(): Promise<void> {
    return this.close(0);
  }

  /** Sends what waits, for at most so many milliseconds; the rest counts as dropped. Never rejects. */
  async close(ms: number): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { clock, counters, exporter, log } = this.#o;
    let cancel: (() => void) | undefined;
    const late = new Promise<void>((resolve) => {
      cancel = clock.after(ms, resolve);
    });
    await Promise.race([this.#flush(), late]);
    cancel?.();
    this.#cancelLimit?.(); // nobody waits for that request any more
    if (counters.queued > 0) log.warn({ spans: counters.queued }, 'spans could not be exported in time and are lost');
    counters.dropped += counters.queued;
    counters.queued = 0;
    this.#waiting = [];
    exporter.shutdown().catch(() => undefined); // nothing is left to be told of
  }

  #schedule(ms: number): void {
    this.#cancel?.();
    this.#cancel = this.#o.clock.after(ms, () => void this.#flush());
  }

  #flush(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
      if (this.#waiting.length > 0 && !this.#closed) this.#schedule(FLUSH_MS);
    });
    return this.#sending;
  }

  async #send(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH);
      this.#sent(batch.length, await this.#export(batch));
    }
  }

  /** Resolves also where the exporter throws: spans that cannot be made into a request must not hold those behind them. */
  #export(batch: ReadableSpan[]): Promise<Error | undefined> {
    const refused = (error: unknown): Error =>
      error instanceof Error ? error : new Error('the collector did not take the spans');
    const exported = new Promise<Error | undefined>((resolve) => {
      this.#o.exporter.export(batch, ({ code, error }) => resolve(code === 0 ? undefined : refused(error)));
    });
    const late = new Promise<Error>((resolve) => {
      const tell = (): void => resolve(new Error(`no answer within ${MOST_EXPORT_MS / 1_000} s`));
      this.#cancelLimit = this.#o.clock.after(MOST_EXPORT_MS, tell);
    });
    return Promise.race([exported.catch(refused), late]).finally(() => this.#cancelLimit?.());
  }

  #sent(spans: number, error: Error | undefined): void {
    const { counters, log } = this.#o;
    if (counters.queued < spans) return; // too late: they have been counted as dropped
    counters.queued -= spans;
    if (error === undefined) counters.exported += spans;
    else counters.failed += spans;
    if ((error !== undefined) === this.#failing) return;
    this.#failing = error !== undefined;
    if (error === undefined) log.info({}, 'traces are exported again');
    else log.warn({ code: 'E_TRACING_EXPORT' }, `traces cannot be exported, and spans are lost: ${error.message}`);
  }
}
