import type { Socket } from 'node:net';

/** What the handshake needs beside a socket. */
export interface Identity {
  readonly username: string;
  readonly password: string;
  readonly vhost: string;
}

// Method ids are class << 16 | method (AMQP 0-9-1 §1.4).
const START = 0x000a000a;
const START_OK = 0x000a000b;
const TUNE = 0x000a001e;
const TUNE_OK = 0x000a001f;
const OPEN = 0x000a0028;
const CLOSE = 0x000a0032;

const MAX_FRAME = 128 * 1024;

/**
 * Why the broker refuses us: the reply code of its `connection.close` during the handshake. amqplib reports that as text only,
 * so the handshake is made once more by hand. Resolves with undefined where it was not refused (accepted, cut, timed out);
 * never rejects, and destroys the socket.
 */
export function refusalOf(socket: Socket, identity: Identity, timeoutMs: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    const finish = (code?: number): void => {
      socket.destroy();
      resolve(code);
    };
    socket.setTimeout(timeoutMs, finish);
    socket.on('error', () => finish());
    socket.on('close', () => finish());
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 8) {
        const size = received.readUInt32BE(3);
        if (received[0] !== 1 || size < 4 || size > MAX_FRAME) return finish();
        if (received.length < size + 8) return;
        const payload = received.subarray(7, 7 + size);
        received = received.subarray(size + 8);
        const method = payload.readUInt32BE(0);
        if (method === START) socket.write(startOk(identity));
        else if (method === TUNE) socket.write(Buffer.concat([tuneOk(payload), open(identity)]));
        else return finish(method === CLOSE && size >= 6 ? payload.readUInt16BE(4) : undefined);
      }
    });
    socket.write('AMQP\0\0\x09\x01', 'latin1');
  });
}

function startOk({ username, password }: Identity): Buffer {
  // Without this capability RabbitMQ answers wrong credentials by closing the socket, without a code.
  const capability = Buffer.concat([short('authentication_failure_close'), Buffer.from('t\x01', 'latin1')]);
  const table = Buffer.concat([short('capabilities'), Buffer.from('F'), long(capability)]);
  const response = Buffer.from(`\0${username}\0${password}`);
  return frame(START_OK, long(table), short('PLAIN'), long(response), short('en_US'));
}

function tuneOk(tune: Buffer): Buffer {
  return frame(TUNE_OK, tune.subarray(4, 12));
}

function open({ vhost }: Identity): Buffer {
  return frame(OPEN, short(vhost), short(''), Buffer.from([0]));
}

function short(text: string): Buffer {
  const bytes = Buffer.from(text).subarray(0, 255);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function long(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function frame(method: number, ...fields: Buffer[]): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(method);
  return Buffer.concat([Buffer.from([1, 0, 0]), long(Buffer.concat([head, ...fields])), Buffer.from([0xce])]);
}
