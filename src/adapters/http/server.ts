import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { ServerOptions as TlsServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import { type FastifyInstance, type FastifyServerOptions, fastify } from 'fastify';
import type { Clock } from '../../core/clock.ts';
import { codeOf, FairleadError, messageOf } from '../../core/errors.ts';
import type { HttpListenConfig } from './config.ts';
import { type Problem, problemText, sendProblem } from './problem.ts';

/** Headers of one request; Node would throw the rest away without a word, so it is told to keep one more. */
export const MAX_HEADERS = 512;
/** While closing, how often connections that have become idle are closed, and after how long all of them. */
const IDLE_SWEEP_MS = 50;
const CLOSE_MS = 5_000;

/** How often requests are held against `requestTimeout`; Node's own default is half a minute. */
const TIMEOUT_CHECK_MS = 2_000;

export type OnRequest = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * A fastify server, not listening yet, that leaves every request to `onRequest` before anything of it is parsed: fastify's
 * own parsers answer 415 and 413 where the CloudEvents binding does not, and copy every body.
 */
export function createServer(config: HttpListenConfig, clock: Clock, onRequest: OnRequest): FastifyInstance {
  const node = {
    maxHeaderSize: config.maxHeaderBytes,
    headersTimeout: config.requestTimeout,
    connectionsCheckingInterval: Math.min(config.requestTimeout, TIMEOUT_CHECK_MS),
  };
  const options = {
    logger: false,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    forceCloseConnections: false,
    requestTimeout: config.requestTimeout,
    keepAliveTimeout: config.idleTimeout,
    clientErrorHandler,
    frameworkErrors: (error: Error, _request: unknown, reply: { hijack(): void; raw: ServerResponse }) => {
      reply.hijack();
      sendProblem(reply.raw, { status: 400, code: 'E_HTTP_MALFORMED', detail: messageOf(error) });
    },
    ...(config.tls === undefined ? { http: node } : { https: { ...node, ...tlsOptions(config.tls) } }),
  };
  const app = instance(options as FastifyServerOptions);
  const server = app.server as Server;
  server.maxConnections = config.maxConnections;
  server.maxHeadersCount = MAX_HEADERS + 1;
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  app.addHook('onRequest', (request, reply, _done) => {
    reply.hijack(); // and never done: fastify has no further part in it
    onRequest(request.raw, reply.raw);
  });
  app.addHook('preClose', (done) => {
    closeIdle(server, sockets, clock);
    done();
  });
  return app;
}

/** fastify's type is a union by kind of server; what differs between them is not used here. */
function instance(options: FastifyServerOptions): FastifyInstance {
  try {
    return fastify(options) as FastifyInstance;
  } catch (cause) {
    const message = `cannot make the server, most likely of its TLS files: ${messageOf(cause)}`;
    throw new FairleadError({ code: 'E_HTTP_TLS_FILE', message, cause });
  }
}

/**
 * `close()` waits for keep-alive clients, and each becomes idle in its own time (fastify#7044); one that has never sent a byte
 * does not even count as idle.
 */
function closeIdle(server: Server, sockets: ReadonlySet<Socket>, clock: Clock): void {
  const deadline = clock.now() + CLOSE_MS;
  const sweep = (): void => {
    const over = clock.now() >= deadline;
    for (const socket of sockets) if (over || socket.bytesRead === 0) socket.destroy();
    server.closeIdleConnections();
    if (sockets.size > 0 && !over) clock.after(IDLE_SWEEP_MS, sweep);
  };
  sweep();
}

const MALFORMED: Readonly<Record<string, Problem>> = {
  HPE_HEADER_OVERFLOW: { status: 431, code: 'E_HTTP_HEADERS', detail: 'the headers are larger than "maxHeaderBytes"' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, code: 'E_HTTP_SLOW', detail: 'the request did not come in time' },
};

/** Answers what Node's parser could not read. */
function clientErrorHandler(error: Error, socket: Socket): void {
  if (codeOf(error) === 'ECONNRESET' || socket.destroyed) return;
  const code = codeOf(error) ?? '';
  const malformed: Problem = { status: 400, code: 'E_HTTP_MALFORMED', detail: 'this is not an HTTP request' };
  if (socket.writable) socket.end(problemText(MALFORMED[code] ?? malformed));
  else socket.destroy();
}

function tlsOptions(tls: NonNullable<HttpListenConfig['tls']>): TlsServerOptions {
  const { cert, key, passphrase, clientCa } = tls;
  return {
    cert: pem(cert),
    key: pem(key),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(clientCa === undefined ? {} : { ca: pem(clientCa), requestCert: true, rejectUnauthorized: true }),
  };
}

/** The bytes of a PEM file. Throws `E_HTTP_TLS_FILE`. */
export function pem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const message = `cannot read the TLS file: ${messageOf(cause)}`;
    throw new FairleadError({ code: 'E_HTTP_TLS_FILE', message, cause });
  }
}
