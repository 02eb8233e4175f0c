import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { codeOf, FairleadError, messageOf } from '../../core/errors.ts';
import type { CheckItem } from '../../core/source.ts';
import type { AdapterContext } from '../spec.ts';
import { ReadingBytes } from './body.ts';
import type { HttpListenConfig } from './config.ts';
import { isExposed } from './exposure.ts';
import { type Problem, sendProblem } from './problem.ts';
import { createServer, MAX_HEADERS } from './server.ts';
import { BearerCheck } from './token.ts';

/** Where the server listens. `url` has no slash at its end. */
export interface HttpAddress {
  readonly host: string;
  readonly port: number;
  readonly url: string;
}

/** What takes the requests of one path. */
export interface Receiver {
  readonly path: string;
  receive(request: IncomingMessage, response: ServerResponse, reading: ReadingBytes): void;
}

/** With `portFallback`, how many ports above the wanted one are tried before any free one is taken. */
const FALLBACK_PORTS = 20;

/** The one server of a broker's sources: up from the first source that opens until the last one has closed. */
export class HttpListener {
  readonly #config: HttpListenConfig;
  readonly #context: AdapterContext;
  readonly #paths = new Map<string, Receiver>();
  readonly #bearer: BearerCheck | undefined;
  readonly #reading: ReadingBytes;
  #server: Promise<FastifyInstance> | undefined;
  #address: HttpAddress | undefined;
  /** Requests without the token. */
  unauthorized = 0;

  constructor(config: HttpListenConfig, context: AdapterContext) {
    this.#config = config;
    this.#context = context;
    this.#bearer = config.token === undefined ? undefined : new BearerCheck(config.token);
    this.#reading = new ReadingBytes(config.maxReadingBytes);
  }

  /** Undefined while no source is open. */
  address(): HttpAddress | undefined {
    return this.#address;
  }

  /** Gives a path to a source and resolves when the server listens. Throws `E_HTTP_PATH_TAKEN`, `E_HTTP_LISTEN`, `E_HTTP_NO_TOKEN`, `E_HTTP_TLS_FILE`. */
  async add(receiver: Receiver): Promise<void> {
    if (this.#paths.has(receiver.path)) {
      const message = `two sources of one broker have the path "${receiver.path}"`;
      throw new FairleadError({ code: 'E_HTTP_PATH_TAKEN', message });
    }
    this.#paths.set(receiver.path, receiver);
    this.#server ??= this.#start();
    try {
      await this.#server;
    } catch (error) {
      this.#paths.delete(receiver.path);
      this.#server = undefined;
      throw error;
    }
  }

  /** Takes the path back; the server ends with the last one. */
  async remove(receiver: Receiver): Promise<void> {
    if (this.#paths.get(receiver.path) !== receiver) return;
    this.#paths.delete(receiver.path);
    if (this.#paths.size === 0) await this.close();
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#address = undefined;
    if (server === undefined) return;
    await server.then((app) => app.close()).catch(() => undefined); // it never came up: add() has said so
  }

  /** Whether the address can be bound; where the server is up already, it can. */
  async check(): Promise<CheckItem[]> {
    const { host, port } = this.#config;
    const what = `http address ${host}:${port}`;
    if (this.#address !== undefined) return [{ what: `http address ${this.#address.url}`, ok: true }];
    try {
      this.#refuseExposure();
      const app = await this.#listen();
      await app.close();
      return [{ what, ok: true }];
    } catch (error) {
      if (!(error instanceof FairleadError)) throw error;
      return [{ what, ok: false, code: error.code, message: error.message }];
    }
  }

  async #start(): Promise<FastifyInstance> {
    this.#refuseExposure();
    const app = await this.#listen();
    const { address, port } = app.server.address() as AddressInfo;
    const host = address.includes(':') ? `[${address}]` : address;
    const url = `http${this.#config.tls === undefined ? '' : 's'}://${host}:${port}`;
    this.#address = { host: address, port, url };
    this.#context.log.info({ url }, 'taking events by HTTP');
    return app;
  }

  /** Off loopback a server without authentication refuses to start. */
  #refuseExposure(): void {
    if (!isExposed(this.#config)) return;
    const message = `"listen.host" is ${this.#config.host}, which others can reach: set "listen.token" or "listen.tls.clientCa"`;
    throw new FairleadError({ code: 'E_HTTP_NO_TOKEN', message });
  }

  async #listen(): Promise<FastifyInstance> {
    const { port, portFallback } = this.#config;
    if (!portFallback || port === 0) return this.#bind(port);
    for (let tried = port; tried <= Math.min(port + FALLBACK_PORTS, 65_535); tried += 1) {
      try {
        return await this.#bind(tried);
      } catch (error) {
        if (!(error instanceof FairleadError) || codeOf(error.cause) !== 'EADDRINUSE') throw error;
      }
    }
    return this.#bind(0);
  }

  async #bind(port: number): Promise<FastifyInstance> {
    const { host } = this.#config;
    const app = createServer(this.#config, this.#context.clock, (request, response) =>
      this.#request(request, response),
    );
    try {
      // fastify would bind "localhost" twice
      await app.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port });
      return app;
    } catch (cause) {
      await app.close();
      const hint = codeOf(cause) === 'EADDRINUSE' ? ': another process has the port; choose another "listen.port"' : '';
      const message = `cannot listen on ${host}:${port}${hint === '' ? `: ${messageOf(cause)}` : hint}`;
      throw new FairleadError({ code: 'E_HTTP_LISTEN', message, cause });
    }
  }

  /** What every request passes before its source, body unread. */
  #request(request: IncomingMessage, response: ServerResponse): void {
    if (this.#bearer !== undefined && !this.#bearer.allows(request.headers.authorization)) {
      this.unauthorized += 1;
      const detail = 'the bearer token is missing or wrong';
      sendProblem(response, unauthorized(detail));
      return;
    }
    if (request.rawHeaders.length > 2 * MAX_HEADERS) {
      const detail = `more than ${MAX_HEADERS} headers`;
      sendProblem(response, { status: 431, code: 'E_HTTP_HEADERS', detail, close: true });
      return;
    }
    const url = request.url ?? '/';
    const query = url.indexOf('?');
    const receiver = this.#paths.get(query < 0 ? url : url.slice(0, query));
    if (receiver === undefined) {
      sendProblem(response, { status: 404, code: 'E_HTTP_NOT_FOUND', detail: 'nothing takes events at this path' });
      return;
    }
    receiver.receive(request, response, this.#reading);
  }
}

function unauthorized(detail: string): Problem {
  return { status: 401, code: 'E_HTTP_UNAUTHORIZED', detail, headers: ['www-authenticate', 'Bearer realm="fairlead"'] };
}
