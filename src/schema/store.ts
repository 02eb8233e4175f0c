import { Agent } from 'undici';
import { equalJitter, RECONNECT } from '../core/backoff.ts';
import type { Clock, Random } from '../core/clock.ts';
import { delay } from '../core/connection.ts';
import { FairleadError, messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { CheckItem } from '../core/source.ts';
import { boundedGet } from '../fetch/bounded-get.ts';
import { Allowance } from './allowance.ts';
import { type CompiledSchema, SchemaCompiler, type SchemaDocument, unusable } from './compile.ts';
import { MAX_DOCUMENTS, notAllowed } from './files.ts';

export interface SchemaStoreOptions {
  readonly allow: readonly string[];
  /** One fetch. */
  readonly timeoutMs: number;
  /** Largest document. */
  readonly maxBytes: number;
  /** Most schemas kept that events name by their `dataschema`. */
  readonly maxSchemas: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** A schema that may still be on its way. */
export type Lookup =
  | { readonly state: 'ready'; readonly schema: CompiledSchema }
  /** The server says that there is none. */
  | { readonly state: 'absent' }
  /** There is something at that address, but no schema that can be used. */
  | { readonly state: 'unusable'; readonly error: FairleadError }
  /** Resolves when it is worth looking again: never once the store is closed. */
  | { readonly state: 'loading'; readonly settled: Promise<void> };

interface Kept {
  lookup: Lookup;
  /** Monotonic milliseconds after which a refusal is asked for again. */
  readonly until: number;
}

/** How long it is believed that a schema is absent or unusable. */
const BELIEVED_MS = 60_000;
const CONNECTIONS = 8;

/**
 * Schemas out of files and from allowed addresses: fetched, compiled once, kept. A server that gives no answer is asked again
 * with backoff, forever, and what needs the schema waits.
 */
export class SchemaStore {
  readonly allowance: Allowance;
  readonly #o: SchemaStoreOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #closing = new AbortController();
  #agent: Agent | undefined;

  constructor(options: SchemaStoreOptions) {
    this.#o = options;
    this.allowance = new Allowance(options.allow);
  }

  /** The schema of an allowed address, out of the bounded cache. */
  lookup(address: string): Lookup {
    const { clock, maxSchemas } = this.#o;
    const known = this.#kept.get(address);
    if (known !== undefined && known.until > clock.now()) return known.lookup;
    const kept: Kept = {
      lookup: this.load({ location: address, documents: [] }, undefined, (found) => this.#keep(address, found)),
      until: Number.POSITIVE_INFINITY,
    };
    this.#kept.delete(address);
    this.#kept.set(address, kept);
    if (this.#kept.size > maxSchemas) this.#evict();
    return kept.lookup;
  }

  /**
   * Loads a schema and tells `onSettled` what came of it; gives what can be said at once. With `until` also an absent or
   * unusable schema is asked for again, until it is there or the signal aborts.
   */
  load(
    schema: { readonly location: string; readonly documents: readonly SchemaDocument[] },
    until: AbortSignal | undefined,
    onSettled: (found: Lookup) => void,
  ): Lookup {
    const settled = new Promise<void>((resolve) => {
      const done = (found: Lookup): void => {
        onSettled(found);
        resolve();
      };
      // It rejects when the store is closed: then there is nothing to look at again, and what waits stays unsettled.
      this.#load(schema.location, schema.documents, until).then(done, () => undefined);
    });
    return { state: 'loading', settled };
  }

  /** Loads a schema once, to say whether it can be had and used. Never rejects. */
  async check(schema: {
    readonly location: string;
    readonly documents: readonly SchemaDocument[];
  }): Promise<CheckItem> {
    const what = `schema ${schema.location}`;
    try {
      await this.#compile(schema.location, schema.documents);
      return { what, ok: true };
    } catch (error) {
      const { code, message } = asCoded(error, schema.location);
      return { what, ok: false, code, message };
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new FairleadError({ code: 'E_CLOSED', message: 'the schemas are closed' }));
    await this.#agent?.destroy();
  }

  #keep(address: string, lookup: Lookup): void {
    const until = lookup.state === 'ready' ? Number.POSITIVE_INFINITY : this.#o.clock.now() + BELIEVED_MS;
    if (this.#kept.has(address)) this.#kept.set(address, { lookup, until });
  }

  /** Gives up the oldest that is not on its way. */
  #evict(): void {
    for (const [address, { lookup }] of this.#kept) {
      if (lookup.state === 'loading') continue;
      this.#kept.delete(address);
      return;
    }
  }

  /** Rejects only when the store is closed. */
  async #load(location: string, documents: readonly SchemaDocument[], until: AbortSignal | undefined): Promise<Lookup> {
    const { clock, random, log } = this.#o;
    const signal = until === undefined ? this.#closing.signal : AbortSignal.any([until, this.#closing.signal]);
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        return { state: 'ready', schema: await this.#compile(location, documents) };
      } catch (error) {
        signal.throwIfAborted();
        const coded = asCoded(error, location);
        if (until === undefined && !coded.unavailable) {
          return coded.code === 'E_SCHEMA_ABSENT' ? { state: 'absent' } : { state: 'unusable', error: coded };
        }
        log.warn({ schema: location, code: coded.code, attempt }, `a schema is waited for: ${coded.message}`);
        await delay(equalJitter(RECONNECT, attempt, random), signal, clock);
      }
    }
  }

  async #compile(location: string, given: readonly SchemaDocument[]): Promise<CompiledSchema> {
    const [root = await this.#fetch(location), ...others] = given;
    const compiler = new SchemaCompiler(root);
    const known = new Map(others.map((document) => [document.location, document]));
    for (let count = 1; ; count += 1) {
      const step = compiler.compile();
      if ('schema' in step) return step.schema;
      if (count === MAX_DOCUMENTS) throw unusable(location, `it refers to more than ${MAX_DOCUMENTS} documents`);
      compiler.add(known.get(step.missing) ?? (await this.#referred(location, step.missing)));
    }
  }

  async #referred(location: string, reference: string): Promise<SchemaDocument> {
    const address = this.allowance.address(reference);
    if (address === undefined) throw notAllowed(location, reference);
    try {
      return { location: reference, text: (await this.#fetch(address)).text };
    } catch (error) {
      if (!(error instanceof FairleadError) || error.code !== 'E_SCHEMA_ABSENT') throw error;
      throw unusable(location, `it refers to ${reference}, which does not exist`);
    }
  }

  async #fetch(address: string): Promise<SchemaDocument> {
    const { timeoutMs, maxBytes } = this.#o;
    this.#agent ??= new Agent({ connections: CONNECTIONS });
    const headers = { accept: 'application/schema+json, application/json;q=0.9, */*;q=0.1' };
    const { signal } = this.#closing;
    const { status, body } = await boundedGet(address, {
      timeoutMs,
      maxBytes,
      headers,
      dispatcher: this.#agent,
      signal,
    });
    if (status === 200) return { location: address, text: body.toString('utf8') };
    if (status === 404 || status === 410) {
      throw new FairleadError({ code: 'E_SCHEMA_ABSENT', message: `${address} answered ${status}` });
    }
    if (status >= 300 && status < 400) throw unusable(address, `it answered ${status}, and redirects are not followed`);
    throw new FairleadError({
      code: 'E_FETCH_UNAVAILABLE',
      message: `${address} answered ${status}`,
      unavailable: true,
    });
  }
}

function asCoded(error: unknown, location: string): FairleadError {
  return error instanceof FairleadError ? error : unusable(location, messageOf(error));
}
