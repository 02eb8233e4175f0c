import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { brokerUrl } from '../../setup/brokers.ts';

export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** A TCP proxy in front of the broker whose connections a test can cut, freeze, or end after some bytes. */
export class TcpProxy {
  readonly #server: Server;
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();
  readonly #clients = new Set<Socket>();
  /** Connections made so far. */
  connections = 0;
  /** New connections are destroyed at once. */
  refusing = false;
  /** Bytes from the broker after which a connection is destroyed. */
  limit: number = Number.POSITIVE_INFINITY;
  /** Bytes the broker has sent on the latest connection. */
  passed = 0;
  #frozen = false;

  readonly #tls: boolean;

  constructor(target: string, tls?: TlsFiles) {
    this.#target = new URL(target);
    this.#tls = tls !== undefined;
    const accept = (client: Socket): void => this.#accept(client);
    this.#server = tls === undefined ? createServer(accept) : createTlsServer(tls, accept);
  }

  /** With `tls` the proxy ends TLS and goes on in clear text. */
  static async start(tls?: TlsFiles, target: string = brokerUrl('RABBITMQ')): Promise<TcpProxy> {
    const proxy = new TcpProxy(target, tls);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** The broker's URL with the proxy's address. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    const url = new URL(this.#target);
    url.host = `127.0.0.1:${port}`;
    return this.#tls ? url.toString().replace(/^amqp:/, 'amqps:') : url.toString();
  }

  /** Destroys every connection, as a reset on the way would. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Says something to every client in the broker's name; only while the broker itself is silent. */
  inject(bytes: Buffer): void {
    for (const client of this.#clients) client.write(bytes);
  }

  /** Nothing passes any more, and nobody is told: a link that went dead. */
  freeze(): void {
    this.#frozen = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** Connections made from now on pass again; the frozen ones stay dead. */
  thaw(): void {
    this.#frozen = false;
  }

  /** What was frozen passes again. */
  resume(): void {
    this.thaw();
    for (const socket of this.#sockets) socket.resume();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    this.connections += 1;
    if (this.refusing) {
      client.destroy();
      return;
    }
    this.#clients.add(client);
    client.on('close', () => this.#clients.delete(client));
    const broker = connect({ host: this.#target.hostname, port: Number(this.#target.port) });
    let passed = 0;
    broker.on('data', (chunk) => {
      passed += chunk.length;
      this.passed = passed;
      const rest = chunk.length - Math.max(0, passed - this.limit);
      if (rest > 0) client.write(chunk.subarray(0, rest));
      if (passed >= this.limit) client.destroySoon();
    });
    client.on('data', (chunk) => broker.write(chunk));
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      this.#sockets.add(socket);
      if (this.#frozen) socket.pause();
      socket.setNoDelay(true);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}
