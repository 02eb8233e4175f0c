import { setMaxListeners } from 'node:events';
import type { HttpContent } from '../../cloudevents/http.ts';
import { connectForever, HealthRecord } from '../../core/connection.ts';
import { FairleadError } from '../../core/errors.ts';
import type { CheckItem, Health } from '../../core/source.ts';
import {
  type Leg,
  resultOf,
  type SendLimits,
  type SendResult,
  type Target,
  type TargetNotify,
} from '../../core/target.ts';
import type { AdapterContext } from '../spec.ts';
import type { HttpBroker } from './broker.ts';
import type { HttpClient } from './client.ts';
import { encode, encodeBatch } from './codec.ts';
import type { HttpTargetConfig } from './config.ts';
import { CLOSED, GONE, resultOfStatus } from './errors.ts';
import { Exchange, type Reply } from './exchange.ts';
import { addNative, addTrace } from './headers.ts';
import { requestHeaders } from './request-headers.ts';
import { type Address, compileUrl, type TargetUrl } from './url.ts';
import { askPermission } from './webhook.ts';

/** Bound of letting running requests end during `close`. */
const CLOSE_MS = 5_000;
/** Receivers that answered 410, kept apart only where the URL is a template. */
const MAX_GONE = 10_000;

/** Refusals of a batch that one event of it may be the cause of: halves find it, and the others pass. */
const SPLIT: ReadonlySet<string> = new Set(['E_CE_DATA', 'E_CE_INVALID_ATTRIBUTE', 'E_TOO_LARGE', 'E_HTTP_REFUSED']);

/** POSTs events to a URL; 2xx confirms. Every event is a request of its own unless `batched`. */
export class HttpTarget implements Target {
  readonly limits: SendLimits;
  readonly #broker: HttpBroker;
  readonly #config: HttpTargetConfig;
  readonly #context: AdapterContext;
  readonly #url: TargetUrl;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #health = new HealthRecord();
  readonly #running = new Set<Exchange>();
  readonly #gone = new Set<string>();
  readonly #closing = new AbortController();
  #client: HttpClient | undefined;
  #idle: (() => void) | undefined;
  #headersDropped = 0;
  #allowedRate: string | undefined;

  constructor(broker: HttpBroker, config: HttpTargetConfig, context: AdapterContext) {
    const { connections, allowHosts, url } = broker.config;
    this.#broker = broker;
    this.#config = config;
    this.#context = context;
    this.#url = compileUrl(config.url, url, allowHosts);
    this.#headers = requestHeaders(broker.config, config);
    if (config.batched) checkBatched(this.#url, config.encoding);
    this.limits = config.batched
      ? { maxEvents: 100, maxBytes: 2 ** 20, concurrency: Math.min(8, connections) }
      : { maxEvents: 1, maxBytes: 2 ** 20, concurrency: connections };
  }

  async open(_notify: TargetNotify, signal: AbortSignal): Promise<void> {
    const client = this.#broker.client();
    const origin = this.#url.origin;
    if (origin !== undefined) {
      const either = AbortSignal.any([signal, this.#closing.signal]);
      const onFailure = (error: unknown): void => this.#health.down(error);
      await connectForever(() => this.#prepare(client, origin), either, onFailure, this.#context);
    }
    this.#client = client;
    this.#health.up();
  }

  async send(legs: readonly Leg[], signal: AbortSignal): Promise<readonly SendResult[]> {
    if (this.#client === undefined || this.#closing.signal.aborted) return legs.map(() => CLOSED);
    if (this.#config.batched && legs.length > 0) return this.#sendBatch(legs, signal);
    if (legs.length === 1) return [await this.#sendOne(legs[0] as Leg, signal)];
    setMaxListeners(0, signal); // every request listens for itself
    return Promise.all(legs.map((leg) => this.#sendOne(leg, signal)));
  }

  async backlog(): Promise<undefined> {
    return undefined;
  }

  async check(): Promise<CheckItem[]> {
    const { origin } = this.#url;
    if (origin === undefined)
      return [{ what: 'http target with a template as its host: nothing to connect to', ok: true }];
    const what = `http target ${origin}`;
    try {
      await this.#broker.client().probe(origin);
      return [{ what, ok: true }];
    } catch (error) {
      if (!(error instanceof FairleadError)) throw error;
      return [{ what, ok: false, code: error.code, message: error.message }];
    }
  }

  health(): Health {
    return this.#health.read({
      running: this.#running.size,
      headersDropped: this.#headersDropped,
      gone: this.#gone.size,
      ...(this.#allowedRate === undefined ? {} : { allowedRate: this.#allowedRate }),
    });
  }

  async close(): Promise<void> {
    if (this.#health.status === 'closed') return;
    this.#health.closed();
    this.#closing.abort();
    if (this.#running.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
      this.#context.clock.after(CLOSE_MS, resolve);
    });
    for (const exchange of this.#running) exchange.abort();
  }

  async #prepare(client: HttpClient, origin: string): Promise<void> {
    await client.probe(origin);
    const { webhook } = this.#config;
    const address = this.#url.literal;
    if (webhook === undefined || address === undefined) return;
    const headers = { ...this.#headers };
    this.#allowedRate = await askPermission(webhook.origin, (asked) =>
      this.#exchange(client, address, 'OPTIONS', { headers: { ...headers, ...asked }, body: undefined }),
    );
  }

  async #sendOne(leg: Leg, signal: AbortSignal): Promise<SendResult> {
    let address: Address;
    let content: HttpContent;
    try {
      address = this.#url.address(leg.event);
      content = encode(leg.event, this.#config.encoding);
    } catch (error) {
      return this.#refused(error);
    }
    const native = leg.meta.headers;
    if (native !== undefined) {
      const pass = this.#config.headers === 'pass';
      this.#headersDropped += pass ? addNative(content.headers, native) : Object.keys(native).length;
    }
    if (leg.trace !== undefined) addTrace(content.headers, leg.trace);
    return this.#post(address, content, signal);
  }

  /** Native headers belong to one event and cannot stand beside several. */
  async #sendBatch(legs: readonly Leg[], signal: AbortSignal): Promise<readonly SendResult[]> {
    const result = await this.#postBatch(legs, signal);
    const alone = legs.length === 1 || result.status === 'confirmed' || !SPLIT.has(result.code);
    if (alone) return legs.map(() => result);
    const middle = legs.length >> 1;
    const first = await this.#sendBatch(legs.slice(0, middle), signal);
    return [...first, ...(await this.#sendBatch(legs.slice(middle), signal))];
  }

  async #postBatch(legs: readonly Leg[], signal: AbortSignal): Promise<SendResult> {
    let content: HttpContent;
    try {
      content = encodeBatch(legs.map(({ event }) => event));
    } catch (error) {
      return this.#refused(error);
    }
    for (const { meta } of legs) this.#headersDropped += Object.keys(meta.headers ?? {}).length;
    return this.#post(this.#url.literal as Address, content, signal);
  }

  #refused(error: unknown): SendResult {
    if (!(error instanceof FairleadError)) throw error;
    this.#health.error(error);
    return resultOf(error);
  }

  async #post(address: Address, content: HttpContent, signal: AbortSignal): Promise<SendResult> {
    if (this.#gone.size > 0 && this.#gone.has(address.origin + address.path)) return GONE;
    const { headers } = content;
    for (const name in this.#headers) headers[name] = this.#headers[name] as string;
    const reply = await this.#exchange(this.#client as HttpClient, address, 'POST', content, signal);
    if ('error' in reply) {
      if (reply.error.unavailable) this.#health.down(reply.error);
      else this.#health.error(reply.error);
      return resultOf(reply.error);
    }
    const result = resultOfStatus(reply.status, reply.retryAfterMs);
    this.#note(result, reply.status, address);
    return result;
  }

  #note(result: SendResult, status: number, { origin, path }: Address): void {
    if (this.#health.status === 'down') this.#health.up();
    if (result.status === 'confirmed') return;
    this.#health.error(new FairleadError({ code: result.code, message: result.message }));
    if (status !== 410 || this.#gone.size >= MAX_GONE) return;
    // "the sender MUST refrain from sending any further" (web hooks §2.2), until it is configured anew
    this.#gone.add(origin + path);
    this.#context.log.warn({ origin }, 'the receiver answered 410: its events are dead-lettered from now on');
  }

  #exchange(
    client: HttpClient,
    { origin, path }: Address,
    method: 'POST' | 'OPTIONS',
    { headers, body }: HttpContent,
    signal: AbortSignal = this.#closing.signal,
  ): Promise<Reply> {
    return new Promise((resolve) => {
      const exchange = new Exchange(this.#context.clock, signal, (reply, ended) => {
        this.#running.delete(ended);
        if (this.#running.size === 0) this.#idle?.();
        resolve(reply);
      });
      this.#running.add(exchange);
      exchange.start(client.agent, { origin, path, method, headers, body: body ?? null });
    });
  }
}

function checkBatched(url: TargetUrl, encoding: HttpTargetConfig['encoding']): void {
  if (url.literal === undefined) throw batchError('needs one URL for all events: no template in "url"');
  if (encoding === 'raw' || encoding === 'binary') throw batchError(`is JSON and cannot be "encoding: ${encoding}"`);
}

function batchError(what: string): FairleadError {
  return new FairleadError({ code: 'E_HTTP_BATCHED', message: `"batched" ${what}` });
}
