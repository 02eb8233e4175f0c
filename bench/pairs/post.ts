import { connect, type Socket } from 'node:net';
import { encodeHttp } from '../../src/cloudevents/http.ts';
import type { MeshEvent } from '../../src/core/event.ts';

/** As many as keep the far broker busy although each waits for its answer. */
const CONNECTIONS = 64;
const END = Buffer.from('\r\n\r\n');
const ACCEPTED = Buffer.from('HTTP/1.1 202 ');

/**
 * Posts events in binary mode on bare sockets, one request under way on each: an HTTP client would cost as much CPU as what
 * is measured. Rejects at any answer but 202.
 */
export class Poster {
  readonly #sockets: Socket[] = [];
  readonly #idle: ((event: Request) => void)[] = [];
  readonly #waiting: Request[] = [];

  static async open(port: number): Promise<Poster> {
    const poster = new Poster();
    for (let n = 0; n < CONNECTIONS; n += 1) await poster.#connect(port);
    return poster;
  }

  async post(events: readonly MeshEvent[]): Promise<void> {
    await Promise.all(
      events.map(
        (event) =>
          new Promise<void>((resolve, reject) => {
            const request: Request = { event, resolve, reject };
            const send = this.#idle.pop();
            if (send === undefined) this.#waiting.push(request);
            else send(request);
          }),
      ),
    );
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #connect(port: number): Promise<void> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    this.#sockets.push(socket);
    let current: Request | undefined;
    const send = (request: Request): void => {
      current = request;
      socket.write(this.#bytes(request.event));
    };
    const fail = (error: Error): void => current?.reject(error);
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('the connection ended without an answer')));
    socket.on('data', (chunk: Buffer) => {
      const answered = current;
      if (answered === undefined) return;
      if (!chunk.subarray(0, ACCEPTED.length).equals(ACCEPTED) || !chunk.subarray(-4).equals(END)) {
        fail(new Error(`answered ${chunk.toString('latin1', 0, 200)}`));
        return;
      }
      current = undefined;
      answered.resolve();
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(send);
      else send(next);
    });
    this.#idle.push(send);
  }

  #bytes(event: MeshEvent): Buffer {
    const { headers, body = Buffer.alloc(0) } = encodeHttp(event, 'binary');
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `POST /events HTTP/1.1\r\nhost: 127.0.0.1\r\n${lines.join('')}content-length: ${body.length}\r\n\r\n`;
    return Buffer.concat([Buffer.from(head), body]);
  }
}

interface Request {
  readonly event: MeshEvent;
  resolve(): void;
  reject(error: Error): void;
}
