import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { HEALTHY, Link, type LinkCounts, type LinkFaults } from './fault-link.ts';

/** `up` is what clients send, `down` what they are answered. */
export type Direction = 'up' | 'down';

export interface FaultProxyOptions {
  /** Of the jitter; default `Math.random`. */
  readonly random?: () => number;
  /** Connections at a time; further ones are not accepted. Default 1,000. */
  readonly maxConnections?: number;
}

export interface FaultCounts {
  /** Accepted so far. */
  connections: number;
  /** Connections that {@link FaultProxy.reset} has ended. */
  resets: number;
  /** Connections that {@link LinkFaults.dropAfterBytes} has ended. */
  drops: number;
  readonly up: LinkCounts;
  readonly down: LinkCounts;
}

interface Connection {
  readonly client: Socket;
  /** Undefined where it was accepted into a black hole. */
  readonly upstream: Socket | undefined;
  readonly up: Link;
  readonly down: Link | undefined;
}

/**
 * A TCP proxy on loopback that does to connections what networks do, switched at run time and per direction: latency with
 * jitter, limited bandwidth, tiny slices, half-open connections, black holes, resets, refusals, and an end after N bytes.
 * Bytes that arrive do so in order and without gaps: a connection that has lost any carries none after them.
 */
export class FaultProxy {
  readonly host: string = '127.0.0.1';
  readonly counts: FaultCounts = {
    connections: 0,
    resets: 0,
    drops: 0,
    up: { passed: 0, swallowed: 0 },
    down: { passed: 0, swallowed: 0 },
  };
  readonly #server: Server;
  readonly #to: { readonly host: string; readonly port: number };
  readonly #random: () => number;
  readonly #faults: Record<Direction, LinkFaults> = { up: { ...HEALTHY }, down: { ...HEALTHY } };
  readonly #connections = new Set<Connection>();
  #port = 0;
  #closed = false;

  private constructor(to: { host: string; port: number }, options: FaultProxyOptions) {
    this.#to = to;
    this.#random = options.random ?? Math.random;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
    this.#server.maxConnections = options.maxConnections ?? 1_000;
  }

  /** Listens on a free port of loopback and forwards to `to`. */
  static async start(to: { host: string; port: number }, options: FaultProxyOptions = {}): Promise<FaultProxy> {
    const proxy = new FaultProxy(to, options);
    await proxy.accept();
    return proxy;
  }

  /** In front of the host and port of a URL. */
  static before(url: string, options: FaultProxyOptions = {}): Promise<FaultProxy> {
    const { hostname, port } = new URL(url);
    return FaultProxy.start({ host: hostname, port: Number(port) }, options);
  }

  get port(): number {
    return this.#port;
  }

  /** Connections that stand now. */
  get open(): number {
    return this.#connections.size;
  }

  /** `url` with the proxy's address in place of its own. */
  through(url: string): string {
    const changed = new URL(url);
    changed.host = `${this.host}:${this.port}`;
    return changed.toString();
  }

  /** Changes faults of running and future connections; what is not named stays as it is. */
  set(direction: Direction | 'both', faults: Partial<LinkFaults>): void {
    const directions: readonly Direction[] = direction === 'both' ? ['up', 'down'] : [direction];
    for (const one of directions) {
      Object.assign(this.#faults[one], faults);
      for (const connection of this.#connections) connection[one]?.changed(faults);
    }
  }

  /** No faults any more; listens again where it had stopped. Connections that have lost bytes stay dead: see {@link reset}. */
  async heal(): Promise<void> {
    this.set('both', HEALTHY);
    await this.accept();
  }

  /** Ends connections by RST; `dead`: only those that have lost bytes. */
  reset(which: 'all' | 'dead' = 'all'): void {
    for (const connection of this.#connections) {
      if (which === 'dead' && !connection.up.lossy && connection.down?.lossy !== true) continue;
      this.counts.resets += 1;
      this.#end(connection, (socket) => socket.resetAndDestroy());
    }
  }

  /** Refuses new connections; those that stand go on. */
  refuse(): void {
    // Its callback would wait for the connections that stand.
    if (this.#server.listening) this.#server.close();
  }

  /** Listens (again), always on the same port. */
  async accept(): Promise<void> {
    if (this.#server.listening || this.#closed) return;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, this.host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Destroys every socket and stops listening. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.refuse();
    const sockets = [...this.#connections].flatMap(({ client, upstream }) => [client, upstream]);
    const gone = sockets.map(
      (socket) => socket && !socket.closed && new Promise((resolve) => socket.once('close', resolve)),
    );
    for (const connection of this.#connections) this.#end(connection, (socket) => socket.destroy());
    await Promise.all(gone);
  }

  #accept(client: Socket): void {
    this.counts.connections += 1;
    const { up, down } = this.#faults;
    const upstream = up.blackHole ? undefined : connect({ ...this.#to, allowHalfOpen: true, noDelay: true });
    const drop = (): void => {
      this.counts.drops += 1;
      // What was written before still goes out, then FIN.
      this.#end(connection, (socket) => socket.destroySoon());
    };
    const common = { random: this.#random, onDrop: drop };
    const connection: Connection = {
      client,
      upstream,
      up: new Link({ ...common, from: client, to: upstream, faults: up, counts: this.counts.up }),
      down: upstream && new Link({ ...common, from: upstream, to: client, faults: down, counts: this.counts.down }),
    };
    this.#connections.add(connection);
    this.#watch(connection, client, upstream);
    if (upstream !== undefined) this.#watch(connection, upstream, client);
  }

  #watch(connection: Connection, socket: Socket, other: Socket | undefined): void {
    // A socket that errs is closed right after; the error itself is the other side's to see, as a reset.
    socket.on('error', () => other?.resetAndDestroy());
    socket.on('close', () => {
      const gone = (one: Socket | undefined): boolean => one === undefined || one.destroyed;
      if (gone(connection.client) && gone(connection.upstream)) this.#forget(connection);
    });
  }

  #forget(connection: Connection): void {
    connection.up.close();
    connection.down?.close();
    this.#connections.delete(connection);
  }

  #end({ client, upstream, ...links }: Connection, how: (socket: Socket) => void): void {
    links.up.close();
    links.down?.close();
    how(client);
    if (upstream !== undefined) how(upstream);
  }
}
