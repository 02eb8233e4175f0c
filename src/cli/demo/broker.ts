import { createServer, type Server } from 'node:net';
import { Aedes } from 'aedes';
import { codeOf } from '../../core/errors.ts';

/** How many ports after the first are tried where it is taken. */
const PORTS_TRIED = 100;

/** An MQTT broker (3.1.1) in this process, on loopback, without authentication. */
export interface EmbeddedBroker {
  readonly port: number;
  /** Resolves when the broker has taken the event. */
  publish(topic: string, payload: string): Promise<void>;
  close(): Promise<void>;
}

/** Starts the broker on `port`, or on the next free one. */
export async function startBroker(port: number): Promise<EmbeddedBroker> {
  const aedes = await Aedes.createBroker();
  const server = createServer(aedes.handle);
  const bound = await listen(server, port, port + PORTS_TRIED);
  return {
    port: bound,
    publish: (topic, payload) =>
      new Promise((resolve, reject) => {
        const packet = { cmd: 'publish', topic, payload, qos: 1, retain: false, dup: false } as const;
        aedes.publish(packet, (error) => (error === undefined || error === null ? resolve() : reject(error)));
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        aedes.close();
      }),
  };
}

async function listen(server: Server, from: number, to: number): Promise<number> {
  for (let port = from; ; port += 1) {
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, '127.0.0.1', () => {
          server.off('error', reject);
          resolve();
        });
      });
      const address = server.address();
      return typeof address === 'object' && address !== null ? address.port : port;
    } catch (error) {
      if (codeOf(error) !== 'EADDRINUSE' || port >= to) throw error;
    }
  }
}
