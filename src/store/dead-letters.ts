import { type Clock, systemClock } from '../core/clock.ts';
import type { DeadLetterInit, DeadLetterKeeper } from '../core/dead-letter.ts';
import type { Position } from '../core/delivery.ts';
import type { MeshEvent } from '../core/event.ts';
import { encodeDeadLetter } from './dead-letter.ts';
import { storeError } from './failure.ts';
import type { DeadLetter } from './letter.ts';
import { packDeadLetter, unpackDeadLetter } from './letter-bytes.ts';
import { type LogOptions, type LogStats, SegmentedLog } from './segmented-log.ts';

export interface DeadLetterStoreOptions extends LogOptions {
  /** Name of the gateway, written into every letter. */
  readonly gateway: string;
  /** Revision of the configuration in force, asked at every letter. */
  readonly revision: () => string;
  readonly clock?: Clock | undefined;
}

/** What a list shows of a letter: everything but its bytes and headers. */
export interface DeadLetterSummary {
  /** Stable: the record's number. Rises with every letter. */
  readonly id: string;
  readonly code: string;
  readonly message: string;
  readonly attempts: number;
  readonly source: string;
  readonly position: Position;
  readonly route: string | undefined;
  readonly target: string | undefined;
  readonly revision: string;
  readonly receivedAt: number;
  readonly at: number;
  /** Identity of the event; undefined for poison. */
  readonly event: { readonly id: string; readonly source: string; readonly type: string } | undefined;
  /** Bytes of its data, or of the poison. */
  readonly bytes: number;
}

export interface DeadLetterQuery {
  /** Most entries returned; at most 1,000. */
  readonly limit: number;
  /** Only letters after this id. */
  readonly after?: string | undefined;
  readonly route?: string | undefined;
  readonly code?: string | undefined;
  readonly source?: string | undefined;
  readonly target?: string | undefined;
}

const MAX_LIMIT = 1000;
const PUT_BYTES = 1 << 20;
/** First byte of a record; others are left for what will end letters (replayed, discarded). */
const LETTER = 1;

/** Dead letters on a segmented log: durable when `put` resolves, oldest first. */
export class DeadLetterStore implements DeadLetterKeeper {
  readonly #log: SegmentedLog;
  readonly #gateway: string;
  readonly #revision: () => string;
  readonly #clock: Clock;

  private constructor(log: SegmentedLog, options: DeadLetterStoreOptions) {
    this.#log = log;
    this.#gateway = options.gateway;
    this.#revision = options.revision;
    this.#clock = options.clock ?? systemClock;
  }

  /** Opens for writing; throws what {@link SegmentedLog.open} throws. */
  static async open(options: DeadLetterStoreOptions): Promise<DeadLetterStore> {
    return new DeadLetterStore(await SegmentedLog.open(options), options);
  }

  /** Opens for reading beside a running gateway; sees what was there at that moment. */
  static async openReadOnly(directory: string): Promise<DeadLetterStore> {
    return DeadLetterStore.open({ directory, readOnly: true, gateway: '', revision: () => '' });
  }

  /**
   * Resolves when all letters are on stable storage. Rejects with the log's coded errors; the caller tries all of them
   * again, so that letters written before the failure may stand twice.
   */
  async put(letters: readonly DeadLetterInit[]): Promise<void> {
    let records: Buffer[] = [];
    let bytes = 0;
    for (const letter of letters) {
      const record = Buffer.concat([Buffer.of(LETTER), packDeadLetter(this.#signed(letter))]);
      if (bytes + record.length > PUT_BYTES && records.length > 0) {
        await this.#log.append(records);
        records = [];
        bytes = 0;
      }
      records.push(record);
      bytes += record.length;
    }
    if (records.length > 0) await this.#log.append(records);
  }

  wrap(letter: DeadLetterInit): MeshEvent {
    return encodeDeadLetter(this.#signed(letter));
  }

  /** Letters in the order they were written, oldest first. */
  async list(query: DeadLetterQuery): Promise<DeadLetterSummary[]> {
    const limit = Math.min(query.limit, MAX_LIMIT);
    const from = query.after === undefined ? 0 : numberOf(query.after) + 1;
    const found: DeadLetterSummary[] = [];
    if (limit <= 0) return found;
    for await (const records of this.#log.read(from)) {
      for (const { number, payload } of records) {
        const letter = letterOf(payload);
        if (letter === undefined || !matches(letter, query)) continue;
        found.push(summary(String(number), letter));
        if (found.length === limit) return found;
      }
    }
    return found;
  }

  /** The whole letter; undefined where there is none of that id (any more). Throws `E_DEAD_LETTER_ID`. */
  async get(id: string): Promise<DeadLetter | undefined> {
    const payload = await this.#log.get(numberOf(id));
    return payload === undefined ? undefined : letterOf(payload);
  }

  stats(): LogStats {
    return this.#log.stats();
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  #signed(letter: DeadLetterInit): DeadLetter {
    return { ...letter, at: this.#clock.wall(), gateway: this.#gateway, revision: this.#revision() };
  }
}

function letterOf(payload: Buffer): DeadLetter | undefined {
  return payload[0] === LETTER ? unpackDeadLetter(payload.subarray(1)) : undefined;
}

function numberOf(id: string): number {
  const number = /^\d{1,16}$/.test(id) ? Number(id) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw storeError('E_DEAD_LETTER_ID', `"${id}" is no dead-letter id`, false);
  return number;
}

function matches(letter: DeadLetter, query: DeadLetterQuery): boolean {
  for (const name of ['route', 'code', 'source', 'target'] as const) {
    if (query[name] !== undefined && letter[name] !== query[name]) return false;
  }
  return true;
}

function summary(id: string, letter: DeadLetter): DeadLetterSummary {
  const { code, message, attempts, source, meta, route, target, revision, receivedAt, at, event, raw } = letter;
  return {
    ...{ id, code, message, attempts, source, position: meta.position, route, target, revision, receivedAt, at },
    event: event === undefined ? undefined : { id: event.id, source: event.source, type: event.type },
    bytes: event?.data?.length ?? raw?.length ?? 0,
  };
}
