import {
  type BatchResultErrorEntry,
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { Clock, Random } from '../../core/clock.ts';
import type { FairleadError } from '../../core/errors.ts';
import { BATCH, BatchQueue } from './batch-queue.ts';
import type { Entry } from './entry.ts';
import { fromCall, fromEntry } from './errors.ts';

/** Deletes and visibility changes under way at once, each. */
const CONCURRENCY = 8;
/** With the queue's backoff about twenty seconds: a restart of the broker, but less than the default visibility timeout. */
const MAX_TRIES = 10;

const IDS: readonly string[] = Array.from({ length: BATCH }, (_, index) => String(index));

interface Item {
  readonly entry: Entry;
  tries: number;
}

interface Change extends Item {
  readonly kind: 'extend' | 'return';
  readonly seconds: number;
}

interface Call<T> {
  readonly what: string;
  send(signal: AbortSignal): Promise<{ Failed?: BatchResultErrorEntry[] | undefined }>;
  succeeded(item: T): void;
  /** SQS says that the entry itself is at fault, or it was tried often enough. */
  over(item: T, expired: boolean): void;
}

export interface SettlerOptions {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly onFailure: (error: FairleadError) => void;
  /** SQS has been told the end of a settled entry, or it is given up. */
  readonly done: (entry: Entry) => void;
}

/**
 * Tells SQS how received messages end and keeps the others invisible: in calls of ten, whose failed entries are tried again
 * a bounded number of times. An expired handle is counted and stops nothing: SQS redelivers that event.
 */
export class Settler {
  readonly counts = { deleted: 0, returned: 0, extended: 0, expired: 0, settleFailed: 0 };
  readonly #options: SettlerOptions;
  readonly #deletes: BatchQueue<Item>;
  readonly #changes: BatchQueue<Change>;
  readonly #abort = new AbortController();

  constructor(options: SettlerOptions) {
    this.#options = options;
    const { clock, random } = options;
    const shared = { concurrency: CONCURRENCY, clock, random };
    this.#deletes = new BatchQueue({ ...shared, eager: false, call: (items) => this.#delete(items) });
    this.#changes = new BatchQueue({ ...shared, eager: true, call: (items) => this.#change(items) });
  }

  /** For an entry whose `end` is `delete`. */
  delete(entry: Entry): void {
    this.#deletes.push({ entry, tries: 0 });
  }

  /** For an entry whose `end` is `return`: it becomes visible to others in `seconds`. */
  giveBack(entry: Entry, seconds: number): void {
    if (entry.extending) entry.returnIn = seconds;
    else this.#changes.push({ kind: 'return', entry, seconds, tries: 0 });
  }

  /** For an unsettled entry. */
  extend(entry: Entry, seconds: number): void {
    if (entry.extending) return;
    entry.extending = true;
    this.#changes.push({ kind: 'extend', entry, seconds, tries: 0 });
  }

  async idle(): Promise<void> {
    await Promise.all([this.#deletes.idle(), this.#changes.idle()]);
  }

  /** Drops what has no answer yet: it is left to SQS. */
  stop(): void {
    this.#deletes.stop();
    this.#changes.stop();
    this.#abort.abort();
  }

  #delete(items: readonly Item[]): Promise<readonly Item[]> {
    const Entries = items.map(({ entry }, index) => ({ Id: IDS[index], ReceiptHandle: entry.handle }));
    const command = new DeleteMessageBatchCommand({ QueueUrl: this.#options.queueUrl, Entries });
    return this.#run(items, {
      what: 'cannot delete settled events',
      send: (abortSignal) => this.#options.client.send(command, { abortSignal }),
      succeeded: ({ entry }) => {
        this.counts.deleted += 1;
        this.#options.done(entry);
      },
      over: ({ entry }) => this.#options.done(entry),
    });
  }

  async #change(all: readonly Change[]): Promise<readonly Change[]> {
    const items = all.filter((change) => this.#stillWanted(change));
    if (items.length === 0) return [];
    const Entries = items.map(({ entry, seconds }, index) => ({
      Id: IDS[index],
      ReceiptHandle: entry.handle,
      VisibilityTimeout: seconds,
    }));
    const command = new ChangeMessageVisibilityBatchCommand({ QueueUrl: this.#options.queueUrl, Entries });
    return this.#run(items, {
      what: 'cannot change the visibility of events',
      send: (abortSignal) => this.#options.client.send(command, { abortSignal }),
      succeeded: (change) => {
        this.counts[change.kind === 'extend' ? 'extended' : 'returned'] += 1;
        this.#changed(change);
      },
      over: (change, expired) => {
        change.entry.lapsed ||= expired;
        this.#changed(change);
      },
    });
  }

  /** An event settled meanwhile is not extended: its delete must not race with it, and its return wins. */
  #stillWanted(change: Change): boolean {
    if (change.kind === 'return' || change.entry.end === undefined) return true;
    this.#changed(change);
    return false;
  }

  #changed({ kind, entry }: Change): void {
    if (kind === 'return') {
      this.#options.done(entry);
      return;
    }
    entry.extending = false;
    const seconds = entry.returnIn;
    entry.returnIn = undefined;
    if (seconds !== undefined) this.giveBack(entry, seconds);
  }

  /** One batch call; the items to be tried again. */
  async #run<T extends Item>(items: readonly T[], call: Call<T>): Promise<readonly T[]> {
    let failures: readonly BatchResultErrorEntry[];
    try {
      failures = (await call.send(this.#abort.signal)).Failed ?? [];
    } catch (error) {
      if (this.#abort.signal.aborted) return [];
      const failure = fromCall(error, call.what);
      return items.filter((item) => this.#again(item, failure, call));
    }
    if (failures.length === 0) {
      for (const item of items) call.succeeded(item);
      return [];
    }
    const failed = new Map(failures.map((failure) => [Number(failure.Id), failure]));
    return items.filter((item, index) => {
      const failure = failed.get(index);
      if (failure !== undefined) return this.#again(item, fromEntry(failure), call);
      call.succeeded(item);
      return false;
    });
  }

  #again<T extends Item>(item: T, failure: FairleadError, call: Call<T>): boolean {
    const own = !failure.retryable && !failure.unavailable;
    if (!own) this.#options.onFailure(failure);
    if (!own && item.tries + 1 < MAX_TRIES) return true;
    if (own) this.counts.expired += 1;
    else this.counts.settleFailed += 1;
    call.over(item, own);
    return false;
  }
}
