import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from './eventually.ts';
import { HEALTHY, type LinkFaults } from './fault-link.ts';
import { FaultProxy } from './fault-proxy.ts';
import { seeded } from './seeded.ts';

/** A server that says back what it hears, and remembers it. */
class Echo {
  readonly heard: Buffer[] = [];
  readonly sockets: Socket[] = [];
  readonly ends: string[] = [];
  readonly server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    this.sockets.push(socket);
    socket.on('data', (bytes) => {
      this.heard.push(bytes);
      socket.write(bytes);
    });
    socket.on('end', () => {
      this.ends.push('end');
      socket.end();
    });
    socket.on('error', (error) => this.ends.push((error as NodeJS.ErrnoException).code ?? ''));
  });

  get text(): string {
    return Buffer.concat(this.heard).toString('latin1');
  }

  async listen(): Promise<{ host: string; port: number }> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return { host: '127.0.0.1', port: (this.server.address() as AddressInfo).port };
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** A client that remembers what it hears and how it ended. */
class Client {
  readonly socket: Socket;
  readonly chunks: Buffer[] = [];
  ended: string | undefined;

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.socket.on('data', (bytes) => this.chunks.push(bytes));
    this.socket.on('end', () => {
      this.ended ??= 'end';
    });
    this.socket.on('error', (error) => {
      this.ended ??= (error as NodeJS.ErrnoException).code;
    });
  }

  get received(): number {
    return this.chunks.reduce((sum, { length }) => sum + length, 0);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  get text(): string {
    return this.bytes.toString('latin1');
  }
}

let echo: Echo;
let proxy: FaultProxy;
let clients: Client[];

beforeEach(async () => {
  echo = new Echo();
  proxy = await FaultProxy.start(await echo.listen(), { random: seeded(1) });
  clients = [];
});

afterEach(async () => {
  for (const { socket } of clients) socket.destroy();
  await proxy.close();
  await echo.close();
});

function client(): Client {
  const made = new Client(proxy.port);
  clients.push(made);
  return made;
}

/** A connection over which something has gone both ways. */
async function standing(): Promise<Client> {
  const made = client();
  made.socket.write('hello ');
  await eventually(() => made.text === 'hello ');
  return made;
}

describe('without faults', () => {
  test('forwards both ways, passes on a half-close, counts', async () => {
    const one = await standing();
    const two = await standing();
    one.socket.end('world');
    await eventually(() => one.ended === 'end');
    expect([one.text, two.text]).toEqual(['hello world', 'hello ']);
    expect(echo.ends).toEqual(['end']);
    await eventually(() => proxy.open === 1);
    expect(proxy.counts).toEqual({
      connections: 2,
      resets: 0,
      drops: 0,
      up: { passed: 17, swallowed: 0 },
      down: { passed: 17, swallowed: 0 },
    });
  });

  test('a reset passes through, both ways', async () => {
    const one = await standing();
    one.socket.resetAndDestroy();
    await eventually(() => echo.ends.includes('ECONNRESET'));
    const two = await standing();
    echo.sockets.at(-1)?.resetAndDestroy();
    await eventually(() => two.ended === 'ECONNRESET');
    await eventually(() => proxy.open === 0);
  });

  test('somebody who does not read holds up his own sender only', async () => {
    const slow = await standing();
    slow.socket.pause();
    const load = Buffer.alloc(24 * 2 ** 20, 'x');
    slow.socket.write(load);
    const other = await standing();
    other.socket.write('goes on');
    await eventually(() => other.text === 'hello goes on');
    expect(proxy.counts.down.passed).toBeLessThan(load.length);
    slow.socket.resume();
    await eventually(() => slow.received === load.length + 6);
  });
});

describe('faults', () => {
  test('latency with jitter delays and keeps the order', async () => {
    const one = await standing();
    proxy.set('both', { latencyMs: 40, jitterMs: 40 });
    const began = performance.now();
    const said = Array.from({ length: 50 }, (_, n) => `${n},`);
    for (const part of said) {
      one.socket.write(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(() => one.text === `hello ${said.join('')}`);
    expect(performance.now() - began).toBeGreaterThan(75);
  });

  test('what waits under a long latency goes at once when it is over', async () => {
    const one = await standing();
    proxy.set('up', { latencyMs: 3_600_000 });
    one.socket.write('late');
    one.socket.end();
    const two = client();
    two.socket.write('late too');
    await eventually(() => proxy.open === 2);
    expect(echo.text).toBe('hello ');
    await proxy.heal();
    await eventually(() => one.ended === 'end' && two.text === 'late too');
    expect(one.text).toBe('hello late');
  });

  test('limited bandwidth', async () => {
    const one = await standing();
    proxy.set('down', { bytesPerSecond: 100_000 });
    const began = performance.now();
    const load = Buffer.from(Array.from({ length: 20_000 }, (_, n) => n % 251));
    one.socket.write(load);
    await eventually(() => one.bytes.length === load.length + 6);
    expect(performance.now() - began).toBeGreaterThan(100);
    expect(one.bytes.subarray(6).equals(load)).toBe(true);
  });

  test('slices', async () => {
    const one = await standing();
    proxy.set('down', { slice: { bytes: 2, everyMs: 5 } });
    one.socket.write('0123456789');
    await eventually(() => one.text === 'hello 0123456789');
    expect(one.chunks.length).toBeGreaterThan(2);
  });

  test('reset: RST on both sides, and new connections are welcome', async () => {
    const one = await standing();
    proxy.reset();
    await eventually(() => one.ended === 'ECONNRESET' && echo.ends.includes('ECONNRESET'));
    await eventually(() => proxy.open === 0);
    await standing();
    expect(proxy.counts).toMatchObject({ connections: 2, resets: 1 });
  });

  test('half-open: nothing passes and nobody is told; afterwards nothing is missing', async () => {
    const one = await standing();
    proxy.set('both', { stalled: true });
    one.socket.write('into the void');
    const two = client();
    two.socket.write('me too');
    await once(two.socket, 'connect');
    await eventually(() => proxy.open === 2);
    expect([one.text, one.ended, two.ended, echo.text, echo.ends]).toEqual([
      'hello ',
      undefined,
      undefined,
      'hello ',
      [],
    ]);
    await proxy.heal();
    await eventually(() => one.text === 'hello into the void' && two.text === 'me too');
  });

  test('half-open: a client that goes away is not noticed at the other side', async () => {
    const one = await standing();
    proxy.set('both', { stalled: true });
    one.socket.resetAndDestroy();
    const two = client();
    await once(two.socket, 'connect');
    expect([echo.ends, proxy.open]).toEqual([[], 2]);
  });

  test('half-open one way: requests arrive, answers do not', async () => {
    const one = await standing();
    proxy.set('down', { stalled: true });
    one.socket.write('question');
    await eventually(() => echo.text === 'hello question');
    expect(one.text).toBe('hello ');
    proxy.set('down', { stalled: false });
    await eventually(() => one.text === 'hello question');
  });

  test('black hole: accepts and swallows; what has lost bytes stays dead, new connections live', async () => {
    const one = await standing();
    const untouched = await standing();
    proxy.set('both', { blackHole: true });
    one.socket.write('lost');
    const two = client();
    two.socket.write('lost too');
    await eventually(() => proxy.counts.up.swallowed === 12);
    expect([echo.text, echo.sockets.length]).toEqual(['hello hello ', 2]);
    await proxy.heal();
    for (const each of [one, two, untouched]) each.socket.write('after');
    await eventually(() => untouched.text === 'hello after');
    await eventually(() => proxy.counts.up.swallowed === 22);
    expect([one.text, two.text, one.ended, two.ended]).toEqual(['hello ', '', undefined, undefined]);
    proxy.reset('dead');
    await eventually(() => one.ended === 'ECONNRESET' && two.ended === 'ECONNRESET');
    expect(untouched.ended).toBeUndefined();
    await standing();
  });

  test('black hole of answers: requests arrive', async () => {
    const one = await standing();
    proxy.set('down', { blackHole: true });
    one.socket.write('question');
    await eventually(() => proxy.counts.down.swallowed === 8);
    expect([echo.text, one.text]).toEqual(['hello question', 'hello ']);
  });

  test('refuses, and listens again at the same port; what stands goes on', async () => {
    const one = await standing();
    const { port } = proxy;
    proxy.refuse();
    const two = client();
    await eventually(() => two.ended === 'ECONNREFUSED');
    one.socket.write('still here');
    await eventually(() => one.text === 'hello still here');
    await proxy.heal();
    expect(proxy.port).toBe(port);
    await standing();
  });

  test('ends a connection after N bytes, neither more nor fewer', async () => {
    const one = await standing();
    proxy.set('down', { dropAfterBytes: 1_000 });
    one.socket.write(Buffer.alloc(5_000, 'x'));
    await eventually(() => one.ended !== undefined && one.socket.closed);
    expect(one.bytes.length).toBe(1_006);
    // Of each connection anew.
    const two = client();
    two.socket.write(Buffer.alloc(5_000, 'y'));
    await eventually(() => two.ended !== undefined && two.socket.closed);
    expect(two.bytes.length).toBe(1_000);
    expect(proxy.counts.drops).toBe(2);
  });

  test('a server that is not there resets the client', async () => {
    await echo.close();
    const one = client();
    await eventually(() => one.ended === 'ECONNRESET');
    await eventually(() => proxy.open === 0);
  });
});

describe('close', () => {
  test('destroys every socket, whatever holds it, and may be called twice', async () => {
    await standing();
    proxy.set('both', { stalled: true });
    client();
    proxy.set('both', { ...HEALTHY, blackHole: true });
    client();
    await eventually(() => proxy.open === 3);
    await proxy.close();
    expect(proxy.open).toBe(0);
    await eventually(() => clients.every(({ ended, socket }) => ended !== undefined || socket.closed));
    await proxy.close();
    await proxy.accept();
    const late = client();
    await eventually(() => late.ended === 'ECONNREFUSED');
  });

  test('more connections than allowed are not kept', async () => {
    const small = await FaultProxy.start(
      { host: '127.0.0.1', port: (echo.server.address() as AddressInfo).port },
      { maxConnections: 1 },
    );
    const [one, two] = [new Client(small.port), new Client(small.port)];
    clients.push(one, two);
    await eventually(() => one.ended !== undefined || two.ended !== undefined);
    expect(small.open).toBe(1);
    await small.close();
  });
});

/** Whatever is switched on the way, as long as nothing is lost: every byte arrives once and in its place. */
test('bytes keep their order under changing faults', { timeout: 60_000 }, async () => {
  const faults: fc.Arbitrary<Partial<LinkFaults>> = fc.oneof(
    fc.record({ latencyMs: fc.integer({ min: 0, max: 5 }), jitterMs: fc.integer({ min: 0, max: 5 }) }),
    fc.record({ bytesPerSecond: fc.integer({ min: 500_000, max: 5_000_000 }) }),
    fc.record({ slice: fc.record({ bytes: fc.integer({ min: 50, max: 5_000 }), everyMs: fc.constantFrom(0, 1) }) }),
    fc.record({ stalled: fc.boolean() }),
    fc.constant({ ...HEALTHY }),
  );
  const steps = fc.array(
    fc.record({
      direction: fc.constantFrom('up' as const, 'down' as const, 'both' as const),
      faults,
      bytes: fc.nat(9_000),
    }),
    { minLength: 1, maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      await proxy.heal();
      const one = client();
      const sent: Buffer[] = [];
      for (const step of script) {
        proxy.set(step.direction, step.faults);
        const load = Buffer.from(Array.from({ length: step.bytes }, (_, n) => (n * 7 + sent.length) % 256));
        sent.push(load);
        one.socket.write(load);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await proxy.heal();
      one.socket.end();
      await eventually(() => one.ended === 'end');
      expect(one.bytes.equals(Buffer.concat(sent))).toBe(true);
    }),
    { numRuns: 40 },
  );
});
