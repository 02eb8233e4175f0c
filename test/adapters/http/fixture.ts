import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Client } from 'undici';
import { HttpBroker } from '../../../src/adapters/http/broker.ts';
import {
  brokerSchema,
  type HttpBrokerConfig,
  type HttpSourceConfig,
  type HttpTargetConfig,
  sourceSchema,
  targetSchema,
} from '../../../src/adapters/http/config.ts';
import { HttpSource } from '../../../src/adapters/http/source.ts';
import { HttpTarget } from '../../../src/adapters/http/target.ts';
import type { AdapterContext } from '../../../src/adapters/spec.ts';
import { encodeHttp } from '../../../src/cloudevents/http.ts';
import type { MeshEvent } from '../../../src/core/event.ts';
import { testContext } from '../../setup/context.ts';

/** A broker of configuration as it stands in a file, on any free port. */
export function broker(config: Record<string, unknown> = {}, over: Partial<AdapterContext> = {}): HttpBroker {
  const listen = { port: 0, ...(config['listen'] as object | undefined) };
  const parsed = brokerSchema.parse({ ...config, listen }) as HttpBrokerConfig;
  return new HttpBroker(parsed, testContext('http', over));
}

export function source(
  handle: HttpBroker,
  config: Record<string, unknown> & Partial<Pick<HttpSourceConfig, 'as' | 'maxEventBytes'>> = {},
  over: Partial<AdapterContext> = {},
): HttpSource {
  const { as, maxEventBytes = 1_048_576, ...own } = config;
  const parsed = sourceSchema.parse(own) as unknown as HttpSourceConfig;
  return new HttpSource(handle.listener, { ...parsed, as, maxEventBytes }, testContext('in', over));
}

export function target(
  handle: HttpBroker,
  config: Record<string, unknown> & Partial<Pick<HttpTargetConfig, 'encoding' | 'headers'>> = {},
  over: Partial<AdapterContext> = {},
): HttpTarget {
  const { encoding, headers = 'pass', ...own } = config;
  const parsed = targetSchema.parse(own) as unknown as HttpTargetConfig;
  return new HttpTarget(handle, { ...parsed, encoding, headers }, testContext('out', over));
}

/** A request as a receiver saw it. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: string[];
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export type Answer = (seen: Seen, response: ServerResponse, request: IncomingMessage) => void;

/** A plain Node server that keeps what it was sent and answers as told, 202 by default. */
export class TestReceiver {
  readonly seen: Seen[] = [];
  readonly server: Server;
  answer: Answer;

  constructor(answer: Answer = (_seen, response) => response.writeHead(202).end()) {
    this.answer = answer;
    this.server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { method = '', url = '', rawHeaders, headers } = request;
      const seen = { method, url, rawHeaders, headers, body: Buffer.concat(chunks) };
      this.seen.push(seen);
      this.answer(seen, response, request);
    });
  }

  async start(host = '127.0.0.1'): Promise<this> {
    this.server.listen(0, host);
    await once(this.server, 'listening');
    return this;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    if (!this.server.listening) return;
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const receiver = await new TestReceiver().start();
  const { port } = receiver;
  await receiver.stop();
  return port;
}

/** A client that sends every event at once on one connection, in order, and sends again what got 503. */
export class Producer {
  readonly #client: Client;
  readonly #path: string;
  readonly answers: Promise<number>[] = [];

  constructor(url: string) {
    const { origin, pathname } = new URL(url);
    this.#client = new Client(origin, { pipelining: 1_000, keepAliveTimeout: 60_000 });
    this.#path = pathname;
  }

  post(event: MeshEvent): Promise<number> {
    const { headers, body } = encodeHttp(event, 'binary');
    const options = {
      path: this.#path,
      method: 'POST',
      headers,
      body: body ?? null,
      idempotent: true,
      blocking: false,
    };
    const answer = this.#client.request(options as Parameters<Client['request']>[0]).then(async (response) => {
      await response.body.dump();
      return response.statusCode;
    });
    answer.catch(() => undefined); // the test may end before its answer
    this.answers.push(answer);
    return answer;
  }

  async close(): Promise<void> {
    await this.#client.destroy();
  }
}

/** Writes bytes to a port and reads until the other side closes, or until `enough` says so. */
export async function rawExchange(
  port: number,
  bytes: string | Buffer,
  enough: (text: string) => boolean = (text) => text.includes('\r\n\r\n'),
): Promise<string> {
  const socket: Socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined); // a reset ends the read as a close does
  let text = '';
  const done = new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (enough(text)) resolve();
    });
    socket.on('close', () => resolve());
  });
  socket.write(bytes);
  await done;
  socket.destroy();
  return text;
}
