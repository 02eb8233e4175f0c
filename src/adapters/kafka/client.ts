import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import kafkajs, { type Admin, type ISocketFactory, type Kafka, type LogEntry } from 'kafkajs';
import { FairleadError, messageOf } from '../../core/errors.ts';
import type { AdapterContext, BrokerHandle } from '../spec.ts';
import { registerCodecs } from './compression.ts';
import type { KafkaBrokerConfig } from './config.ts';
import { kafkaError } from './errors.ts';
import { saslOptions } from './sasl.ts';

/** A kafkajs instance of its own, so that offsets and connections are shared with nobody. */
export interface KafkaClient {
  readonly kafka: Kafka;
  /** Cuts every socket: what hangs in it fails at once. */
  destroy(): void;
}

/** How long an orderly disconnect may take before the sockets are cut. */
const DISCONNECT_MS = 5_000;

/** What the sources and targets of one broker entry share: how to connect, and one admin connection. */
export class KafkaBroker implements BrokerHandle {
  readonly config: KafkaBrokerConfig;
  readonly name: string;
  readonly #context: AdapterContext;
  #admin: Promise<{ admin: Admin; client: KafkaClient }> | undefined;
  #closed = false;

  constructor(config: KafkaBrokerConfig, context: AdapterContext) {
    this.config = config;
    this.name = context.name;
    this.#context = context;
    registerCodecs();
  }

  /** `onError` hears what kafkajs logs as an error: often the only trace of why it retries. */
  client(component: string, onError: (message: string) => void = () => {}): KafkaClient {
    const { config } = this;
    const sockets = new Set<net.Socket>();
    const kafka = new kafkajs.Kafka({
      brokers: [...config.brokers],
      clientId: config.clientId ?? `${this.#context.gateway}-${component}`,
      ssl: tlsOptions(config.tls),
      ...(config.sasl === undefined ? {} : { sasl: saslOptions(config.sasl, this.#context.clock) }),
      connectionTimeout: config.connectTimeout,
      authenticationTimeout: config.requestTimeout,
      requestTimeout: config.requestTimeout,
      // kafkajs tries one bootstrap server per retry
      retry: { retries: Math.max(2, config.brokers.length), initialRetryTime: 100, maxRetryTime: 1_000 },
      socketFactory: tracked(sockets),
      logLevel: kafkajs.logLevel.WARN,
      logCreator: () => this.#bridge(component, onError),
    });
    return {
      kafka,
      destroy() {
        for (const socket of sockets) socket.destroy(new Error('closed by the gateway'));
      },
    };
  }

  /** Runs `fn` on the shared admin connection; a failed one is thrown away. Rejects with a coded error. */
  async withAdmin<T>(fn: (admin: Admin) => Promise<T>): Promise<T> {
    if (this.#closed) throw closed();
    this.#admin ??= this.#connectAdmin();
    const pending = this.#admin;
    try {
      return await fn((await pending).admin);
    } catch (error) {
      const coded = kafkaError(error, 'admin request');
      if (coded.unavailable || coded.code === 'E_KAFKA_CLIENT') {
        if (this.#admin === pending) this.#admin = undefined;
        void drop(pending);
      }
      if (coded.code !== 'E_KAFKA_CLIENT') throw coded;
      // kafkajs turns a connection lost between two requests into a TypeError on its empty metadata
      throw new FairleadError({ code: 'E_KAFKA_UNAVAILABLE', message: coded.message, unavailable: true, cause: error });
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const pending = this.#admin;
    this.#admin = undefined;
    if (pending !== undefined) await drop(pending);
  }

  async #connectAdmin(): Promise<{ admin: Admin; client: KafkaClient }> {
    const client = this.client(`${this.name}-admin`);
    const admin = client.kafka.admin({ retry: { retries: 2 } });
    try {
      await admin.connect();
    } catch (error) {
      client.destroy();
      throw error;
    }
    return { admin, client };
  }

  #bridge(component: string, onError: (message: string) => void): (entry: LogEntry) => void {
    const log = this.#context.log.child({ component, client: 'kafkajs' });
    return ({ namespace, level, log: { message } }) => {
      if (level === kafkajs.logLevel.ERROR) {
        onError(message);
        log.warn({ namespace }, message);
      } else {
        log.debug({ namespace }, message);
      }
    };
  }
}

/** Disconnects within {@link DISCONNECT_MS}, then cuts the sockets. Never rejects. */
export async function disconnect(peer: { disconnect(): Promise<void> }, client: KafkaClient): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, DISCONNECT_MS);
  });
  await Promise.race([peer.disconnect().catch(ignoreLost), late]);
  clearTimeout(timer);
  client.destroy();
}

/** A connection that is going away has nothing more to say; why it goes has been recorded. */
function ignoreLost(): void {}

async function drop(pending: Promise<{ admin: Admin; client: KafkaClient }>): Promise<void> {
  await pending.then(({ admin, client }) => disconnect(admin, client), ignoreLost);
}

function closed(): FairleadError {
  return new FairleadError({ code: 'E_KAFKA_CLOSED', message: 'the broker connection is closed', unavailable: true });
}

function tracked(sockets: Set<net.Socket>): ISocketFactory {
  return ({ host, port, ssl, onConnect }) => {
    const socket = !ssl // kafkajs hands on what it was given: false, true or options
      ? net.connect({ host, port, noDelay: true }, onConnect)
      : tls.connect({ host, port, ...(net.isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };
}

function tlsOptions(config: KafkaBrokerConfig['tls']): tls.ConnectionOptions | boolean {
  if (config === undefined || typeof config === 'boolean') return config ?? false;
  return {
    ...(config.ca === undefined ? {} : { ca: pem(config.ca) }),
    ...(config.cert === undefined ? {} : { cert: pem(config.cert) }),
    ...(config.key === undefined ? {} : { key: pem(config.key) }),
    ...(config.passphrase === undefined ? {} : { passphrase: config.passphrase }),
    ...(config.serverName === undefined ? {} : { servername: config.serverName }),
  };
}

function pem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new FairleadError({ code: 'E_KAFKA_TLS', message: `cannot read ${path}: ${messageOf(error)}`, cause: error });
  }
}
