import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a path answers with status 200; a number is a status without a body, an error a status with one, `hang` never answers. */
export type Answer = object | boolean | string | number | ErrorAnswer | 'hang';

export class ErrorAnswer {
  readonly status: number;
  readonly body: object;

  constructor(status: number, body: object) {
    this.status = status;
    this.body = body;
  }
}

/** A web server that hands out schemas, and does what servers do when they are not well. */
export class SchemaServer {
  readonly answers = new Map<string, Answer>();
  readonly asked: string[] = [];
  /** The `authorization` of each request. */
  readonly credentials: (string | undefined)[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<SchemaServer> {
    const server = createServer();
    const own = new SchemaServer(server);
    server.on('request', (request, response) => {
      const path = request.url ?? '';
      own.asked.push(path);
      own.credentials.push(request.headers.authorization);
      const answer = own.answers.get(path) ?? 404;
      if (answer === 'hang') return;
      if (typeof answer === 'number') response.writeHead(answer, { location: '/elsewhere' }).end();
      else if (answer instanceof ErrorAnswer) response.writeHead(answer.status).end(JSON.stringify(answer.body));
      else response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return own;
  }

  /** The folder that everything stands in, with its "/". */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
