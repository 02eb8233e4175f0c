import type { Writable } from 'node:stream';
import { type ChannelModel, connect, type SocketOptions } from 'amqplib';
import type { Clock } from '../../core/clock.ts';
import { codeOf, FairleadError } from '../../core/errors.ts';
import type { RabbitBrokerConfig } from './config.ts';
import { corkPerTurn } from './cork.ts';
import { type Endpoint, endpointOf, readTls, socketTo, type TlsOptions } from './endpoint.ts';
import { amqpError, replyError } from './errors.ts';
import { refusalOf } from './refusal.ts';

/** How long a polite close may take before the socket is destroyed. */
const CLOSE_MS = 2_000;

/** A connection that stands, or stood: `lost` says why it ended. */
export class Connected {
  readonly model: ChannelModel;
  readonly #abort: AbortController;
  #lost: FairleadError | undefined;
  #blocked: string | undefined;

  /** Attaches the `error` and `close` listeners; call it in the same turn in which amqplib hands over the model. */
  constructor(model: ChannelModel, abort: AbortController) {
    this.model = model;
    this.#abort = abort;
    model.on('error', (error) => this.#end(error));
    model.on('close', (error) => this.#end(error ?? new Error('closed')));
    model.on('blocked', (reason) => {
      this.#blocked = reason;
    });
    model.on('unblocked', () => {
      this.#blocked = undefined;
    });
  }

  /** Why the broker reads nothing from this connection now (memory or disk alarm). */
  get blocked(): string | undefined {
    return this.#blocked;
  }

  get lost(): FairleadError | undefined {
    return this.#lost;
  }

  /** Destroys the socket: for a link that no longer answers. */
  kill(error: FairleadError): void {
    this.#end(error);
    this.#abort.abort(error);
  }

  async close(clock: Clock): Promise<void> {
    if (this.#lost !== undefined) return;
    const cancel = clock.after(CLOSE_MS, () => this.#abort.abort());
    try {
      await new Promise<void>((resolve, reject) => {
        this.model.on('close', () => resolve());
        this.model.close().catch(reject);
      });
    } catch (error) {
      this.#end(error); // it was closing already: gone is what was wanted
    } finally {
      cancel();
    }
  }

  #end(error: unknown): void {
    this.#lost ??= amqpError(error, 'connection');
  }
}

/** Connects once, within the configured bound. Rejects with a coded error. */
export async function dial(config: RabbitBrokerConfig, connectionName: string, clock: Clock): Promise<Connected> {
  const endpoint = endpointOf(config);
  let tls: TlsOptions = {};
  const abort = new AbortController();
  const cancel = clock.after(config.connectTimeout, () => abort.abort());
  try {
    tls = await readTls(config.tls);
    const options: SocketOptions & { signal: AbortSignal } = {
      ...tls,
      noDelay: true, // amqplib leaves Nagle on: p90 30 ms instead of 3 ms
      keepAlive: true,
      signal: abort.signal,
      clientProperties: { connection_name: connectionName },
    };
    const model = await connect(endpoint.options, options);
    corkPerTurn((model.connection as unknown as { readonly stream: Writable }).stream);
    return new Connected(model, abort);
  } catch (error) {
    if (abort.signal.aborted) throw timedOut(`connect to ${endpoint.host}:${endpoint.port}`, config.connectTimeout);
    throw await connectError(error, endpoint, tls, config.connectTimeout);
  } finally {
    cancel();
  }
}

export function timedOut(doing: string, ms: number): FairleadError {
  return new FairleadError({
    code: 'E_RABBITMQ_TIMEOUT',
    message: `${doing}: no answer within ${ms} ms`,
    unavailable: true,
  });
}

/** An error with a code speaks for itself; without one the handshake may have been refused, and the broker is asked why. */
async function connectError(
  error: unknown,
  endpoint: Endpoint,
  tls: TlsOptions,
  timeoutMs: number,
): Promise<FairleadError> {
  const where = `connect to ${endpoint.host}:${endpoint.port}`;
  if (codeOf(error) !== undefined || !(error instanceof Error)) return amqpError(error, where);
  const reply = await refusalOf(socketTo(endpoint, tls), endpoint, timeoutMs);
  if (reply === undefined) return amqpError(error, where);
  if (reply === 403) {
    const message = `${where}: the broker refuses the credentials of user "${endpoint.username}"`;
    return new FairleadError({ code: 'E_RABBITMQ_CREDENTIALS', message });
  }
  return replyError(reply, `${where}: refused with reply code ${reply} (virtual host "${endpoint.vhost}")`);
}

/**
 * One connection of a broker entry, shared by the channels of its sources or its targets (RabbitMQ pauses the socket of a
 * connection that publishes too fast, so the two never share one). It is made when first wanted and again when it is lost
 * and wanted; retrying is up to whoever wants it.
 */
export class Link {
  readonly #dial: () => Promise<Connected>;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  #current: Connected | undefined;
  #dialling: Promise<Connected> | undefined;

  constructor(dialOnce: () => Promise<Connected>, clock: Clock) {
    this.#dial = dialOnce;
    this.#clock = clock;
  }

  /** Aborts when the link is closed for good. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** The standing connection, where there is one. */
  get current(): Connected | undefined {
    return this.#current?.lost === undefined ? this.#current : undefined;
  }

  /** The standing connection, else a new one; those who ask at the same time share it. */
  get(): Promise<Connected> {
    const { current } = this;
    if (current !== undefined) return Promise.resolve(current);
    this.#dialling ??= this.#connect().finally(() => {
      this.#dialling = undefined;
    });
    return this.#dialling;
  }

  async close(): Promise<void> {
    this.#closed.abort(new FairleadError({ code: 'E_RABBITMQ_CLOSED', message: 'closed', unavailable: true }));
    await this.#dialling?.catch(() => undefined); // its error went to those who wanted the connection
    await this.current?.close(this.#clock);
  }

  async #connect(): Promise<Connected> {
    this.#closed.signal.throwIfAborted();
    const connected = await this.#dial();
    if (this.#closed.signal.aborted) await connected.close(this.#clock);
    this.#closed.signal.throwIfAborted();
    this.#current = connected;
    return connected;
  }
}
