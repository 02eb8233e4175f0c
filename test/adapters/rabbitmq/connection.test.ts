import { readFile } from 'node:fs/promises';
import { createServer, Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { RabbitBroker } from '../../../src/adapters/rabbitmq/broker.ts';
import { dial } from '../../../src/adapters/rabbitmq/link.ts';
import { RabbitSource } from '../../../src/adapters/rabbitmq/source.ts';
import { RabbitTarget } from '../../../src/adapters/rabbitmq/target.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { FairleadError } from '../../../src/core/errors.ts';
import { HoldingIntake } from '../../conformance/intake.ts';
import { brokerUrl } from '../../setup/brokers.ts';
import { testContext } from '../../setup/context.ts';
import { jsonEvent } from '../../setup/events.ts';
import { eventually } from '../../setup/eventually.ts';
import { TcpProxy } from './proxy.ts';
import { brokerConfig, RawClient, sourceConfig, targetConfig } from './raw.ts';

const undo: (() => Promise<unknown>)[] = [];
const never = new AbortController().signal;
const notify = { available(): void {}, unavailable(): void {} };

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
  vi.restoreAllMocks();
});

function brokerAt(url: string, over: Parameters<typeof brokerConfig>[1] = {}): RabbitBroker {
  const broker = new RabbitBroker(brokerConfig(url, over), testContext('jobs', { random: () => 0 }));
  undo.push(() => broker.close());
  return broker;
}

function sourceOn(broker: RabbitBroker, queue: string): RabbitSource {
  const source = new RabbitSource(broker, sourceConfig(queue), testContext('in', { random: () => 0 }));
  undo.push(() => source.close());
  return source;
}

async function rawClient(): Promise<RawClient> {
  const raw = await RawClient.connect();
  undo.push(() => raw.close());
  return raw;
}

describe('connecting', () => {
  test('Nagle is off', async () => {
    const noDelay = vi.spyOn(Socket.prototype, 'setNoDelay');
    const connected = await dial(brokerConfig(), 'test', systemClock);
    await connected.close(systemClock);
    expect(noDelay).toHaveBeenCalledWith(true);
    expect(noDelay).not.toHaveBeenCalledWith(false);
  });

  /** Opens something through a proxy that ends the connection after each of the byte counts a clean set-up passes through. */
  async function cutEverywhere(
    open: (broker: RabbitBroker, queue: string) => Promise<RabbitSource | RabbitTarget>,
  ): Promise<void> {
    const raw = await rawClient();
    const queue = await raw.queue();
    const proxy = await TcpProxy.start();
    undo.push(() => proxy.close());
    const clean = brokerAt(proxy.url);
    await (await open(clean, queue)).close();
    await clean.close();
    const total = proxy.passed;
    for (const limit of [1, Math.floor(total / 2), ...Array.from({ length: 6 }, (_, n) => total - 115 + n * 20)]) {
      proxy.limit = limit;
      const broker = brokerAt(proxy.url);
      const before = proxy.connections;
      const opened = open(broker, queue);
      await eventually(() => proxy.connections >= before + 2);
      proxy.limit = Number.POSITIVE_INFINITY;
      proxy.cut();
      const component = await opened;
      await eventually(() => component.health().status === 'up');
      await component.close();
      await broker.close();
    }
  }

  test('the connection closes while a source is set up, wherever that may be: the process lives and it is made again', async () => {
    await cutEverywhere(async (broker, queue) => {
      const source = sourceOn(broker, queue);
      await source.open(new HoldingIntake(), never);
      return source;
    });
  });

  test('the connection closes while a target is set up', async () => {
    await cutEverywhere(async (broker, queue) => {
      const target = new RabbitTarget(broker, targetConfig({ queue }), testContext('out', { random: () => 0 }));
      undo.push(() => target.close());
      await target.open(notify, never);
      return target;
    });
  });

  test('an unreachable broker is tried until the signal aborts; health has the actual error', async () => {
    const source = sourceOn(brokerAt('amqp://127.0.0.1:1'), 'q');
    const abort = new AbortController();
    const opened = source.open(new HoldingIntake(), abort.signal);
    await eventually(() => source.health().lastError?.message.includes('ECONNREFUSED') === true);
    expect(source.health()).toMatchObject({ status: 'down', lastError: { code: 'E_RABBITMQ_CONNECTION' } });
    abort.abort(new Error('enough'));
    await expect(opened).rejects.toThrow('enough');
  });

  test('a peer that never answers is given up after the connect timeout', async () => {
    const server = createServer((socket) => {
      undo.push(async () => socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    undo.push(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.address() as { port: number };
    const dialled = dial(brokerConfig(`amqp://127.0.0.1:${port}`, { connectTimeout: 200 }), 'test', systemClock);
    await expect(dialled).rejects.toMatchObject({ code: 'E_RABBITMQ_TIMEOUT', unavailable: true });
  });
});

describe('TLS', () => {
  const file = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
  async function tlsUrl(): Promise<string> {
    const [cert, key] = await Promise.all([readFile(file('localhost.pem')), readFile(file('localhost-key.pem'))]);
    const proxy = await TcpProxy.start({ cert, key });
    undo.push(() => proxy.close());
    return proxy.url;
  }

  test('a broker whose authority is configured is trusted, with Nagle off', async () => {
    const noDelay = vi.spyOn(Socket.prototype, 'setNoDelay');
    const tls = { ca: file('localhost.pem') };
    const items = await sourceOn(brokerAt(await tlsUrl(), { tls }), 'no-such-queue').check();
    expect(items.map(({ what, ok, code }) => [what, ok, code])).toEqual([
      ['connect', true, undefined],
      ['queue no-such-queue', false, 'E_RABBITMQ_NOT_FOUND'],
    ]);
    expect(noDelay).toHaveBeenCalledWith(true);
  });

  test('the reason of a refusal is found over TLS as well', async () => {
    const url = new URL(await tlsUrl());
    url.password = 'wrong';
    const [item] = await sourceOn(brokerAt(url.toString(), { tls: { ca: file('localhost.pem') } }), 'q').check();
    expect(item).toMatchObject({ ok: false, code: 'E_RABBITMQ_CREDENTIALS' });
    expect(item?.message).not.toContain('wrong');
  });

  test('an unknown authority, a wrong name and a missing file are configuration', async () => {
    const url = await tlsUrl();
    for (const [tls, code] of [
      [undefined, 'E_RABBITMQ_TLS'],
      [{ ca: file('localhost.pem'), servername: 'elsewhere.example' }, 'E_RABBITMQ_TLS'],
      [{ ca: file('missing.pem') }, 'E_RABBITMQ_TLS_FILE'],
      [
        { ca: file('localhost.pem'), cert: file('localhost-key.pem'), key: file('localhost-key.pem') },
        'E_RABBITMQ_TLS_FILE',
      ],
    ] as const) {
      const broker = brokerAt(url, { tls });
      await expect(sourceOn(broker, 'q').open(new HoldingIntake(), never)).rejects.toMatchObject({
        code,
        unavailable: false,
      });
    }
  });

  test('a link that goes silent under TLS is destroyed as well', async () => {
    const connected = await dial(
      brokerConfig(await tlsUrl(), { tls: { ca: file('localhost.pem') } }),
      'test',
      systemClock,
    );
    const closed = new Promise((resolve) => connected.model.on('close', resolve));
    connected.kill(new FairleadError({ code: 'E_RABBITMQ_TIMEOUT', message: 'silent', unavailable: true }));
    await closed;
    expect(connected.lost?.code).toBe('E_RABBITMQ_TIMEOUT');
  });
});

describe('what asking again cannot cure', () => {
  const withUser = (user: string, path = ''): string => {
    const url = new URL(brokerUrl('RABBITMQ'));
    url.username = user;
    url.pathname = path;
    return url.toString();
  };

  test('refused credentials fail open, by the reply code and not by the text', async () => {
    const source = sourceOn(brokerAt(withUser('nobody')), 'q');
    await expect(source.open(new HoldingIntake(), never)).rejects.toMatchObject({
      code: 'E_RABBITMQ_CREDENTIALS',
      retryable: false,
      unavailable: false,
    });
  });

  test('a virtual host that does not exist', async () => {
    const broker = brokerAt(withUser('guest', '/no-such-vhost'));
    await expect(sourceOn(broker, 'q').open(new HoldingIntake(), never)).rejects.toMatchObject({
      code: 'E_RABBITMQ_NOT_ALLOWED',
    });
    const [item] = await sourceOn(broker, 'q').check();
    expect(item).toMatchObject({ what: 'connect', ok: false, code: 'E_RABBITMQ_NOT_ALLOWED' });
  });

  test('a queue or exchange that must exist', async () => {
    const broker = brokerAt(brokerUrl('RABBITMQ'));
    await expect(sourceOn(broker, 'no-such-queue').open(new HoldingIntake(), never)).rejects.toMatchObject({
      code: 'E_RABBITMQ_NOT_FOUND',
    });
    const target = new RabbitTarget(broker, targetConfig({ exchange: 'no-such-exchange' }), testContext('out'));
    undo.push(() => target.close());
    await expect(target.open(notify, never)).rejects.toMatchObject({ code: 'E_RABBITMQ_NOT_FOUND' });
  });

  test('a queue declared otherwise before', async () => {
    const raw = await rawClient();
    const queue = await raw.queue('classic');
    const declare = { type: 'quorum' as const, durable: true, bindings: [], arguments: {} };
    const source = new RabbitSource(
      brokerAt(brokerUrl('RABBITMQ')),
      sourceConfig(queue, { declare }),
      testContext('in'),
    );
    undo.push(() => source.close());
    await expect(source.open(new HoldingIntake(), never)).rejects.toMatchObject({ code: 'E_RABBITMQ_PRECONDITION' });
  });
});

test('sources and targets of a broker share one connection each way, named after the gateway and the broker', async () => {
  const raw = await rawClient();
  const queue = await raw.queue();
  const proxy = await TcpProxy.start();
  undo.push(() => proxy.close());
  const broker = brokerAt(proxy.url);
  const intake = new HoldingIntake();
  const sources = [sourceOn(broker, queue), sourceOn(broker, queue)];
  await Promise.all(sources.map((source) => source.open(intake, never)));
  const targets = [1, 2].map((n) => new RabbitTarget(broker, targetConfig({ queue }), testContext(`out-${n}`)));
  for (const target of targets) undo.push(() => target.close());
  await Promise.all(targets.map((target) => target.open(notify, never)));
  expect(proxy.connections).toBe(2);
  await raw.putEvents(queue, [jsonEvent(1)]);
  await eventually(() => intake.received.length === 1);
});
