import type { Socket } from 'node:net';
import { isIP } from 'node:net';
import { Agent, buildConnector } from 'undici';
import type { HttpBrokerConfig } from './config.ts';
import { connectError } from './errors.ts';
import { blocked, guardedLookup, isBlocked } from './guard.ts';
import { pem } from './server.ts';

/**
 * Bound of a response's head, and of the pause between two parts of its body, beside the timeout of the lane. One number: where
 * the two differ undici makes new timers for every request.
 */
const RESPONSE_TIMEOUT_MS = 300_000;

type Connector = buildConnector.connector;

/** Connections to the receivers of one broker's targets. Every address is checked as it is connected to. */
export class HttpClient {
  readonly agent: Agent;
  readonly #connect: Connector;

  constructor(config: HttpBrokerConfig) {
    this.#connect = guarded(config);
    this.agent = new Agent({
      connections: config.connections,
      pipelining: 1,
      connect: this.#connect,
      headersTimeout: RESPONSE_TIMEOUT_MS,
      bodyTimeout: RESPONSE_TIMEOUT_MS,
    });
  }

  /** Connects, TLS included, and disconnects. Throws `E_HTTP_UNREACHABLE`, `E_HTTP_TLS`, `E_HTTP_ADDRESS_BLOCKED`. */
  async probe(origin: string): Promise<void> {
    const { protocol, host, hostname, port } = new URL(origin);
    const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
    const socket = await new Promise<Socket>((resolve, reject) => {
      this.#connect({ protocol, host, hostname: bare, port }, (error, connected) => {
        if (error === null) resolve(connected);
        else reject(error);
      });
    });
    socket.destroy();
  }

  /** Ends every connection; requests under way fail. */
  async close(): Promise<void> {
    await this.agent.destroy();
  }
}

/** undici's connector with the checks before it: `lookup` is not asked about literal addresses. */
function guarded(config: HttpBrokerConfig): Connector {
  const { tls, connectTimeout } = config;
  const connect = buildConnector({
    timeout: connectTimeout,
    lookup: guardedLookup as never,
    ...(tls?.ca === undefined ? {} : { ca: pem(tls.ca) }),
    ...(tls?.cert === undefined ? {} : { cert: pem(tls.cert) }),
    ...(tls?.key === undefined ? {} : { key: pem(tls.key) }),
    ...(tls?.passphrase === undefined ? {} : { passphrase: tls.passphrase }),
    ...(tls?.serverName === undefined ? {} : { servername: tls.serverName }),
  });
  return (options, callback) => {
    if (isIP(options.hostname) !== 0 && isBlocked(options.hostname)) {
      queueMicrotask(() => callback(blocked(options.hostname), null));
      return;
    }
    connect(options, (...[error, socket]) => {
      if (error === null) callback(null, socket);
      else callback(connectError(error, options.host ?? options.hostname), null);
    });
  };
}
