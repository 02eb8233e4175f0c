import type { KafkaMessage } from 'kafkajs';
import { contentMode } from '../../../cloudevents/media-type.ts';
import { equalJitter, RECONNECT } from '../../../core/backoff.ts';
import { delay } from '../../../core/connection.ts';
import { FairleadError, messageOf } from '../../../core/errors.ts';
import type { CheckItem } from '../../../core/source.ts';
import type { AdapterContext } from '../../spec.ts';
import type { RecordHeaders } from '../codec.ts';
import { RegistryClient } from './client.ts';
import type { SchemaRegistryConfig } from './config.ts';
import { type Decoder, fetchDecoder } from './decoder.ts';
import { type Frame, frameOf, type SchemaKey } from './frame.ts';

/** What becomes of a record's value. */
export interface DecodedValue {
  readonly data: Buffer;
  /** The schema's address in the registry. */
  readonly dataschema: string;
}

interface Kept {
  /** An error where there is no schema to decode with. */
  readonly found: Decoder | FairleadError;
  /** Monotonic milliseconds after which an error is looked into again. */
  readonly until: number;
  /** Whether a record has been decoded with it: before that, a batch may be waiting for it. */
  used: boolean;
}

/** How long it is believed that a schema is unknown or cannot be used, once it was waited for in vain. */
const BELIEVED_MS = 30_000;
/** Schemas of one fetched batch that are asked for at once. */
const MAX_PREFETCH = 16;
/** How far unused schemas may go beyond the bound, in multiples of it. */
const MAX_UNUSED = 4;
/** JSON is longer than Avro: names of fields, base64, digits. */
const MAX_GROWTH = 8;

/**
 * Decodes values in Confluent's wire format with the schemas of a registry, which are fetched once and kept. Decoding is
 * synchronous: {@link missing} says beforehand which records must wait, and for what.
 */
export class SchemaRegistry {
  readonly #config: SchemaRegistryConfig;
  readonly #context: AdapterContext;
  readonly #client: RegistryClient;
  readonly #onFailure: (error: FairleadError) => void;
  readonly #kept = new Map<SchemaKey, Kept>();
  readonly #loading = new Map<SchemaKey, Promise<void>>();
  readonly #closing = new AbortController();

  /** `onFailure` hears of every request that failed. */
  constructor(config: SchemaRegistryConfig, context: AdapterContext, onFailure: (error: FairleadError) => void) {
    this.#config = config;
    this.#context = context;
    this.#client = new RegistryClient(config);
    this.#onFailure = onFailure;
  }

  /**
   * The first record that cannot be decoded yet, and what resolves when it can be or is known to be poison; undefined
   * where all can. Never rejects; never resolves once closed.
   */
  missing(messages: readonly KafkaMessage[]): { readonly index: number; readonly settled: Promise<void> } | undefined {
    let first: { index: number; settled: Promise<void> } | undefined;
    let asked: SchemaKey | undefined;
    let prefetched = 0;
    for (let index = 0; index < messages.length && prefetched < MAX_PREFETCH; index += 1) {
      const { value, headers } = messages[index] as KafkaMessage;
      const key = keyOf(value, headers);
      if (key === undefined || key === asked || this.#lookup(key) !== undefined) continue;
      asked = key;
      prefetched += 1;
      const settled = this.#load(key);
      first ??= { index, settled };
    }
    return first;
  }

  /** Undefined where the record stays as it is. Throws coded errors for poison. */
  decode(value: Buffer, headers: RecordHeaders | undefined, maxEventBytes: number): DecodedValue | undefined {
    if (isCloudEvent(headers)) return undefined;
    const frame = frameOf(value, headers);
    if (frame === undefined) {
      if (this.#config.unframed === 'pass') return undefined;
      const message = 'the record names no schema: it does not begin with the byte 0 and a schema id';
      throw new FairleadError({ code: 'E_KAFKA_REGISTRY_FRAME', message });
    }
    const kept = this.#lookup(frame.key);
    if (kept === undefined) throw unknown(frame);
    kept.used = true;
    const { found: decoder } = kept;
    if (decoder instanceof FairleadError) throw decoder;
    const data = decoder(value, frame.at, maxEventBytes * MAX_GROWTH);
    return { data, dataschema: this.#client.address(frame.key) };
  }

  /** One line of `fairlead check`. Never rejects. */
  async check(): Promise<CheckItem> {
    const what = `schema registry ${this.#config.url}`;
    try {
      await this.#client.probe(this.#closing.signal);
      return { what, ok: true };
    } catch (error) {
      return { what, ok: false, code: coded(error).code, message: messageOf(error) };
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new FairleadError({ code: 'E_KAFKA_CLOSED', message: 'the source is closed' }));
    await this.#client.close();
  }

  #lookup(key: SchemaKey): Kept | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined || (kept.until !== Number.POSITIVE_INFINITY && kept.until < this.#context.clock.now())) {
      return undefined;
    }
    return kept;
  }

  #load(key: SchemaKey): Promise<void> {
    const loading = this.#loading.get(key);
    if (loading !== undefined) return loading;
    const settled = new Promise<void>((resolve) => {
      const done = (found: Decoder | FairleadError): void => {
        this.#loading.delete(key);
        this.#keep(key, found);
        resolve();
      };
      // It rejects when the source is closed: nothing is delivered then.
      this.#fetch(key).then(done, () => undefined);
    });
    this.#loading.set(key, settled);
    return settled;
  }

  #keep(key: SchemaKey, found: Decoder | FairleadError): void {
    const until = found instanceof FairleadError ? this.#context.clock.now() + BELIEVED_MS : Number.POSITIVE_INFINITY;
    this.#kept.delete(key);
    this.#kept.set(key, { found, until, used: false });
    const { maxSchemas } = this.#config;
    if (this.#kept.size > maxSchemas) this.#evict(this.#kept.size > maxSchemas * MAX_UNUSED);
  }

  /** Gives up the oldest; one that has not been used only in need, or batches that wait for several would take turns for ever. */
  #evict(isNeed: boolean): void {
    for (const [key, { used }] of this.#kept) {
      if (!used && !isNeed) continue;
      this.#kept.delete(key);
      return;
    }
  }

  /** Asks until the registry answers; what it does not know only as long as is configured. Rejects when closed. */
  async #fetch(key: SchemaKey): Promise<Decoder | FairleadError> {
    const { clock, random, log } = this.#context;
    const { signal } = this.#closing;
    // Once waited for in vain, an id is asked about again but not waited for again.
    const deadline = this.#kept.has(key) ? 0 : clock.now() + this.#config.unknownFor;
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        return await fetchDecoder(this.#client, key, signal);
      } catch (error) {
        signal.throwIfAborted();
        const failure = coded(error);
        this.#onFailure(failure);
        if (!failure.unavailable && (!failure.retryable || clock.now() >= deadline)) return failure;
        log.warn({ code: failure.code, schema: key, attempt }, `a schema is waited for: ${failure.message}`);
        await delay(equalJitter(RECONNECT, attempt, random), signal, clock);
      }
    }
  }
}

/** The schema that must be there before a record can be decoded. */
function keyOf(value: Buffer | null, headers: RecordHeaders | undefined): SchemaKey | undefined {
  if (value === null || isCloudEvent(headers)) return undefined;
  try {
    return frameOf(value, headers)?.key;
  } catch {
    return undefined; // poison: decoding says why
  }
}

/** Structured events bring their own format; binary ones are told by other headers. */
function isCloudEvent(headers: RecordHeaders | undefined): boolean {
  const contentType = headers?.['content-type'];
  return contentType !== undefined && contentMode(String(contentType)) !== 'binary';
}

function unknown({ key }: Frame): FairleadError {
  return new FairleadError({
    code: 'E_KAFKA_REGISTRY_UNKNOWN',
    message: `the schema ${key} is not there`,
    retryable: true,
  });
}

function coded(error: unknown): FairleadError {
  if (error instanceof FairleadError) return error;
  return new FairleadError({ code: 'E_KAFKA_REGISTRY_SCHEMA', message: messageOf(error), cause: error });
}
