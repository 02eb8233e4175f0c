import { readFileSync } from 'node:fs';
import { connect, type IClientOptions, type IConnackPacket, type MqttClient } from 'mqtt';
import type { FairleadError } from '../../core/errors.ts';
import type { MqttBrokerConfig } from './config.ts';
import { closedError, connectionError, disconnectError } from './errors.ts';

/** How long a clean DISCONNECT may take, in ms, before the socket is cut. */
const END_TIMEOUT_MS = 2_000;

/** What a client says of itself when it connects. */
export interface SessionOptions {
  readonly clientId: string;
  readonly clean: boolean;
  readonly properties?: IClientOptions['properties'];
}

/** One established connection. Never reused: after a loss there is a new client with nothing left over from the old one. */
export interface Connection {
  readonly client: MqttClient;
  readonly sessionPresent: boolean;
  readonly server: NonNullable<IConnackPacket['properties']>;
  /** Resolves when the connection is gone, with what is known about why. Never rejects. */
  readonly lost: Promise<FairleadError>;
  /** DISCONNECT, then closes; cuts the socket if that takes too long. */
  end(): Promise<void>;
  /** Cuts the socket; {@link lost} then tells this error. */
  cut(error: FairleadError): void;
}

/** Called before anything arrives on a new client, for what must not miss a packet. */
export interface ConnectionHooks {
  attach?(client: MqttClient): void;
  /** CONNACK came: whether the broker resumed the session. Comes before the session's first PUBLISH. */
  greeted?(sessionPresent: boolean): void;
}

/**
 * One attempt to connect: resolves after CONNACK, rejects with a coded error. mqtt.js' own reconnecting, resubscribing and resending
 * are off; all of that is ours.
 */
export function openConnection(
  broker: MqttBrokerConfig,
  session: SessionOptions,
  signal: AbortSignal,
  hooks: ConnectionHooks = {},
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const client = connect(clientOptions(broker, session));
    setNoDelay(client);
    hooks.attach?.(client);
    let connack: IConnackPacket | undefined;
    let cause: FairleadError | undefined;
    let gone = (_error: FairleadError): void => {};
    const lost = new Promise<FairleadError>((done) => {
      gone = done;
    });
    const cut = (error: FairleadError): void => {
      cause ??= error;
      client.end(true);
    };
    const onAbort = (): void => {
      client.end(true);
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });

    client.on('packetreceive', function onPacket(packet) {
      if (packet.cmd !== 'connack') return;
      connack = packet;
      client.off('packetreceive', onPacket);
      hooks.greeted?.(packet.sessionPresent);
    });
    client.on('disconnect', (packet) => {
      cause ??= disconnectError(packet.reasonCode ?? 0);
    });
    client.on('error', (error) => cut(connectionError(error)));
    client.on('close', () => {
      signal.removeEventListener('abort', onAbort);
      const error = cause ?? closedError();
      gone(error);
      reject(error); // nothing happens where CONNACK came before
    });
    client.once('connect', () => {
      signal.removeEventListener('abort', onAbort);
      resolve({
        client,
        sessionPresent: connack?.sessionPresent ?? false,
        server: connack?.properties ?? {},
        lost,
        end: () => endGracefully(client),
        cut,
      });
    });
  });
}

function clientOptions(broker: MqttBrokerConfig, session: SessionOptions): IClientOptions {
  const url = new URL(broker.url);
  const protocol = url.protocol.slice(0, -1) as 'mqtt' | 'mqtts' | 'ws' | 'wss';
  const { tls } = broker;
  const file = (path: string | undefined): Buffer | undefined => (path === undefined ? undefined : readFileSync(path));
  return {
    protocol,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 }[protocol],
    ...(protocol.startsWith('ws') ? { path: url.pathname + url.search } : {}),
    protocolVersion: broker.protocolVersion,
    clientId: session.clientId,
    clean: session.clean,
    ...(session.properties === undefined || broker.protocolVersion !== 5 ? {} : { properties: session.properties }),
    ...defined({ username: broker.username, password: broker.password }),
    ...(tls === undefined || protocol === 'mqtt' || protocol === 'ws'
      ? {}
      : {
          ...defined({ ca: file(tls.ca), cert: file(tls.cert), key: file(tls.key) }),
          ...defined({ passphrase: tls.passphrase, servername: tls.servername }),
          rejectUnauthorized: tls.rejectUnauthorized,
        }),
    keepalive: Math.max(1, Math.round(broker.keepalive / 1000)),
    connectTimeout: broker.connectTimeout,
    reconnectPeriod: 0,
    resubscribe: false,
    reschedulePings: false, // else a timer is set anew for every PUBACK
    queueQoSZero: false,
    log: () => {}, // mqtt.js formats several debug lines for every packet
  };
}

/** A socket option that mqtt.js leaves at its default, Nagle's algorithm; WebSocket streams set it themselves. */
function setNoDelay(client: MqttClient): void {
  const stream = client.stream as { setNoDelay?: (on: boolean) => void };
  stream.setNoDelay?.(true);
}

function endGracefully(client: MqttClient): Promise<void> {
  return new Promise((resolve) => {
    if (client.stream.destroyed) {
      resolve();
      return;
    }
    const timer = setTimeout(() => client.stream.destroy(), END_TIMEOUT_MS);
    client.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    client.end(false);
  });
}

/** mqtt.js treats a key that is there but undefined as given. */
function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof defined<T>
  >;
}
