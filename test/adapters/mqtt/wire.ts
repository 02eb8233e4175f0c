import type { AddressInfo } from 'node:net';
import { createConnection, createServer, type Server, type Socket } from 'node:net';

/** One MQTT control packet as seen on the wire. */
export interface WirePacket {
  /** The control packet type: 1 CONNECT, 3 PUBLISH, 4 PUBACK, 8 SUBSCRIBE, 12 PINGREQ, 14 DISCONNECT. */
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
}

/** Cuts a byte stream into control packets (MQTT 5 §2.1). */
function packetReader(onPacket: (packet: WirePacket) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      let length = 0;
      let at = 1;
      for (let shift = 0; ; shift += 7) {
        const byte = rest[at];
        if (byte === undefined) return;
        length |= (byte & 0x7f) << shift;
        at += 1;
        if (byte < 0x80) break;
      }
      if (rest.length < at + length) return;
      const first = rest[0] as number;
      onPacket({ type: first >> 4, flags: first & 15, body: rest.subarray(at, at + length) });
      rest = rest.subarray(at + length);
    }
  };
}

export interface Wire {
  readonly url: string;
  /** Packets the client sent, over all connections, in order. */
  readonly sent: WirePacket[];
  /** Connections accepted so far. */
  connections(): number;
  /** Resets all connections. */
  cut(): void;
  /** Refuses new connections until {@link allow}; existing ones are reset. */
  refuse(): void;
  allow(): void;
  close(): Promise<void>;
}

async function listen(onSocket: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer(onSocket);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

/** A TCP proxy in front of a broker that records what the client sends and can break connections. */
export async function tapWire(brokerUrl: string): Promise<Wire> {
  const { hostname, port: brokerPort } = new URL(brokerUrl);
  return wire((client) => {
    const broker = createConnection({ host: hostname, port: Number(brokerPort) });
    client.pipe(broker).pipe(client);
    broker.on('error', () => client.destroy());
    broker.on('close', () => client.destroy());
    client.on('close', () => broker.destroy());
  });
}

/** A broker of its own making: `answer` is given each packet of the client and what to write back with. */
export function fakeBroker(answer: (packet: WirePacket, socket: Socket) => void): Promise<Wire> {
  return wire((client) => {
    client.on(
      'data',
      packetReader((packet) => answer(packet, client)),
    );
  });
}

async function wire(serve: (client: Socket) => void): Promise<Wire> {
  const sockets = new Set<Socket>();
  const sent: WirePacket[] = [];
  let accepted = 0;
  let refusing = false;
  const { server, port } = await listen((client) => {
    if (refusing) {
      client.destroy();
      return;
    }
    accepted += 1;
    sockets.add(client);
    client.on('close', () => sockets.delete(client));
    client.on('error', () => client.destroy());
    client.on(
      'data',
      packetReader((packet) => sent.push(packet)),
    );
    serve(client);
  });
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `mqtt://127.0.0.1:${port}`,
    sent,
    connections: () => accepted,
    cut,
    refuse() {
      refusing = true;
      cut();
    },
    allow() {
      refusing = false;
    },
    close: () =>
      new Promise((resolve) => {
        cut();
        server.close(() => resolve());
      }),
  };
}

/** CONNACK of MQTT 3.1.1 that accepts, without a session. */
export const CONNACK: Buffer = Buffer.from([0x20, 2, 0, 0]);

/** Packet ids of the PUBACKs among packets. */
export function pubackIds(packets: readonly WirePacket[]): number[] {
  return packets.filter(({ type }) => type === 4).map(({ body }) => body.readUInt16BE(0));
}
