import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a path answers; a number is a status without a body, `hang` never answers. */
export type Answer = object | boolean | string | number | 'hang';

/** A web server that hands out schemas, and does what servers do when they are not well. */
export class SchemaServer {
  readonly answers = new Map<string, Answer>();
  readonly asked: string[] = [];
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
      const answer = own.answers.get(path) ?? 404;
      if (answer === 'hang') return;
      if (typeof answer === 'number') response.writeHead(answer, { location: '/elsewhere' }).end();
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
