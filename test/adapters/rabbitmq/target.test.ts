import { afterEach, describe, expect, test } from 'vitest';
import { RabbitBroker } from '../../../src/adapters/rabbitmq/broker.ts';
import type { RabbitTargetConfig } from '../../../src/adapters/rabbitmq/config.ts';
import { RabbitTarget } from '../../../src/adapters/rabbitmq/target.ts';
import type { FairleadError } from '../../../src/core/errors.ts';
import type { MeshEvent } from '../../../src/core/event.ts';
import type { SendResult } from '../../../src/core/target.ts';
import { legOf } from '../../conformance/target.suite.ts';
import { testContext } from '../../setup/context.ts';
import { extensions, jsonEvent } from '../../setup/events.ts';
import { eventually } from '../../setup/eventually.ts';
import { channelClose, connectionBlocked, connectionUnblocked } from './frames.ts';
import { TcpProxy } from './proxy.ts';
import { brokerConfig, RawClient, targetConfig, unwire } from './raw.ts';

const undo: (() => Promise<unknown>)[] = [];
const never = new AbortController().signal;

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function rawClient(): Promise<RawClient> {
  const raw = await RawClient.connect();
  undo.push(() => raw.close());
  return raw;
}

async function proxied(): Promise<TcpProxy> {
  const proxy = await TcpProxy.start();
  undo.push(() => proxy.close());
  return proxy;
}

/** Notes what the target tells its lane. */
class Notes {
  readonly heard: string[] = [];

  available(): void {
    this.heard.push('available');
  }

  unavailable(error: FairleadError): void {
    this.heard.push(error.code);
  }
}

async function opened(
  over: Partial<RabbitTargetConfig>,
  url?: string,
): Promise<{ target: RabbitTarget; notes: Notes }> {
  const context = testContext('out', { random: () => 0 });
  const broker = new RabbitBroker(brokerConfig(url), context);
  undo.push(() => broker.close());
  const target = new RabbitTarget(broker, targetConfig(over), context);
  undo.push(() => target.close());
  const notes = new Notes();
  await target.open(notes, never);
  return { target, notes };
}

const send = (target: RabbitTarget, events: readonly MeshEvent[], signal = never): Promise<readonly SendResult[]> =>
  target.send(
    events.map((event) => legOf(event)),
    signal,
  );
const statuses = (results: readonly SendResult[]): string[] => results.map(({ status }) => status);

describe('mandatory', () => {
  test('an unroutable event has failed although the broker confirms it; the others are confirmed', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const exchange = await raw.exchange('direct');
    await raw.channel.bindQueue(queue, exchange, 'bound');
    const { target } = await opened({ exchange, routingKey: '{type}' });
    const types = ['bound', 'lost', 'lost', 'bound', 'lost', 'bound'];
    const results = await send(
      target,
      types.map((type, n) => jsonEvent(n, { type })),
    );
    expect(statuses(results)).toEqual(types.map((type) => (type === 'bound' ? 'confirmed' : 'failed')));
    expect(results[1]).toMatchObject({ code: 'E_RABBITMQ_UNROUTABLE', retryable: true });
    expect(target.health().detail).toMatchObject({ returned: 3, strayReturns: 0, inFlight: 0 });
    await eventually(async () => (await raw.depth(queue)) === 3);
  });

  test('the same id many times, in one batch and in several at once: every return finds its own leg', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const exchange = await raw.exchange('headers');
    await raw.channel.bindQueue(queue, exchange, '', { 'x-match': 'all', cloudEvents_keep: 'yes' });
    const { target } = await opened({ exchange });
    // Same id, routing key and source; only the body and the header that routes differ.
    const event = (n: number, keep: boolean): MeshEvent =>
      jsonEvent(n, { id: 'same', data: Buffer.from(`${n}`), extensions: extensions({ keep: keep ? 'yes' : 'no' }) });
    const pattern = (n: number): boolean => n % 3 === 0 || n % 7 === 1;
    const batches = Array.from({ length: 4 }, (_, b) => Array.from({ length: 50 }, (_, n) => b * 50 + n));
    const results = await Promise.all(
      batches.map((batch) =>
        send(
          target,
          batch.map((n) => event(n, pattern(n))),
        ),
      ),
    );
    expect(statuses(results.flat())).toEqual(batches.flat().map((n) => (pattern(n) ? 'confirmed' : 'failed')));
    const arrived = (await raw.take(queue, 1)).map(({ content }) => Number(content.toString()));
    expect(arrived).toEqual(batches.flat().filter(pattern));
  });

  test('structured and raw events are matched as well', async () => {
    const raw = await rawClient();
    const exchange = await raw.exchange('direct');
    for (const encoding of ['structured', 'raw'] as const) {
      const { target } = await opened({ exchange, encoding });
      const results = await send(target, [jsonEvent(1), jsonEvent(2, { data: undefined, id: 'x'.repeat(300) })]);
      expect(statuses(results)).toEqual(['failed', 'failed']);
      expect(target.health().detail).toMatchObject({ returned: 2, strayReturns: 0 });
    }
  });
});

describe('what one event must not do to the others', () => {
  test('a header table over 64 KiB fails for good and alone', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const { target } = await opened({ queue });
    const big = jsonEvent(2, { extensions: extensions({ big: 'x'.repeat(70_000) }) });
    const results = await send(target, [jsonEvent(1), big, jsonEvent(3)]);
    expect(statuses(results)).toEqual(['confirmed', 'failed', 'confirmed']);
    expect(results[1]).toMatchObject({ code: 'E_RABBITMQ_HEADERS', retryable: false });
    expect(target.health().status).toBe('up');
    await eventually(async () => (await raw.depth(queue)) === 2);
  });

  test('a body over maxBytes, a content type and a routing key over 255 bytes', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const exchange = await raw.exchange('fanout');
    await raw.channel.bindQueue(queue, exchange, '');
    const { target } = await opened({ exchange, routingKey: '{subject:-none}', maxBytes: 100 });
    const small = Buffer.from('1');
    const results = await send(target, [
      jsonEvent(1, { data: Buffer.alloc(101) }),
      jsonEvent(2, { data: small, datacontenttype: `text/${'x'.repeat(300)}` }),
      jsonEvent(3, { data: small, subject: 'é'.repeat(128) }),
      jsonEvent(4, { data: small, subject: 'a.#' }),
      jsonEvent(5, { data: small }),
    ]);
    expect(results.map((result) => (result.status === 'confirmed' ? 'confirmed' : result.code))).toEqual([
      'E_RABBITMQ_TOO_LARGE',
      'E_RABBITMQ_HEADERS',
      'E_RABBITMQ_ROUTING_KEY',
      'E_RABBITMQ_ROUTING_KEY',
      'confirmed',
    ]);
    const [message] = await raw.take(queue, 1);
    expect(message?.fields.routingKey).toBe('none');
  });

  test('native headers pass where they may; those that steer the broker stay behind, counted', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const other = await raw.queue();
    const { target } = await opened({ queue, headers: 'pass' });
    const headers = {
      CC: other,
      'x-death': 'forged',
      ce_id: 'mine',
      'ce-id': 'forged',
      'cloudEvents:type': 'forged',
      'correlation-id': 'c-1',
      bytes: Buffer.from([0, 255]),
      ['x'.repeat(256)]: 'too long',
    };
    const leg = legOf(jsonEvent(1), { meta: { position: {}, headers } });
    expect(statuses(await target.send([leg], never))).toEqual(['confirmed']);
    const [message] = await raw.take(queue, 1);
    expect(message?.properties).toMatchObject({
      correlationId: 'c-1',
      headers: { ce_id: 'mine', bytes: Buffer.from([0, 255]), cloudEvents_id: leg.event.id },
    });
    expect(
      Object.keys(message?.properties.headers ?? {}).filter((name) => /death|^CC$|-id|:type|^xx/.test(name)),
    ).toEqual([]);
    expect(target.health().detail).toMatchObject({ headersDropped: 5 });
    await eventually(async () => (await raw.depth(other)) === 0);
  });

  test('times are strings on the wire', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const { target } = await opened({ queue });
    const event = jsonEvent(1);
    await send(target, [event]);
    const [message] = await raw.take(queue, 1);
    expect(message?.properties.headers?.['cloudEvents_time']).toBe(event.time);
    expect(message?.properties).toMatchObject({
      deliveryMode: 2,
      messageId: event.id,
      contentType: 'application/json',
    });
  });
});

describe('confirms', () => {
  test('a nack fails its leg; the target lives', async () => {
    const raw = await rawClient();
    const queue = await raw.queue('classic', { 'x-max-length': 2, 'x-overflow': 'reject-publish' });
    const { target } = await opened({ queue });
    const results = await send(
      target,
      [1, 2, 3, 4].map((n) => jsonEvent(n)),
    );
    expect(statuses(results).sort()).toEqual(['confirmed', 'confirmed', 'failed', 'failed']);
    expect(results.find(({ status }) => status === 'failed')).toMatchObject({
      code: 'E_RABBITMQ_NACKED',
      retryable: true,
    });
  });

  test('more than amqplib buffers: everything is published once', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const { target } = await opened({ queue });
    const batches = Array.from({ length: 8 }, (_, b) =>
      Array.from({ length: 500 }, (_, n) => jsonEvent(b * 500 + n, { data: Buffer.alloc(3_000, n) })),
    );
    const results = await Promise.all(batches.map((batch) => send(target, batch)));
    expect(results.flat().every(({ status }) => status === 'confirmed')).toBe(true);
    await eventually(async () => (await raw.depth(queue)) === 4_000);
    expect(target.health().detail).toMatchObject({ inFlight: 0 });
  });

  test('while amqplib buffers more than it should, the next batch waits', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const { target } = await opened({ queue });
    // Two frames an event: the fourth batch goes over amqplib's 2 × 1,024, and is published whole all the same.
    const batch = Array.from({ length: 300 }, (_, n) => jsonEvent(n, { data: Buffer.alloc(3_000) }));
    const sends = [1, 2, 3, 4, 5].map(() => send(target, batch));
    expect(target.health().detail).toMatchObject({ inFlight: 1_200 });
    expect((await Promise.all(sends)).flat().every(({ status }) => status === 'confirmed')).toBe(true);
    await eventually(async () => (await raw.depth(queue)) === 1_500);
  });

  test('a connection killed while publishing: unknown and unavailable, then sent again', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const proxy = await proxied();
    const { target, notes } = await opened({ queue }, proxy.url);
    proxy.freeze();
    const events = Array.from({ length: 50 }, (_, n) => jsonEvent(n));
    const sending = send(target, events);
    await eventually(() => target.health().detail?.['inFlight'] === 50);
    proxy.thaw();
    proxy.cut();
    const results = await sending;
    expect(new Set(statuses(results))).toEqual(new Set(['unknown']));
    expect(results[0]).toMatchObject({ unavailable: true, retryable: true, code: 'E_RABBITMQ_CONNECTION' });
    await eventually(() => target.health().status === 'up');
    expect(notes.heard).toEqual(['available', 'E_RABBITMQ_CONNECTION', 'available']);
    expect(statuses(await send(target, events))).toEqual(Array(50).fill('confirmed'));
    const ids = new Set((await raw.take(queue, 50)).map((message) => unwire(message).id));
    expect(ids.size).toBe(50);
  });

  test('while disconnected a send fails at once, certainly not sent', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const proxy = await proxied();
    const { target, notes } = await opened({ queue }, proxy.url);
    proxy.refusing = true;
    proxy.cut();
    await eventually(() => notes.heard.length > 1);
    const [result] = await send(target, [jsonEvent(1)]);
    expect(result).toMatchObject({ status: 'failed', unavailable: true });
    expect(await target.backlog()).toBeUndefined();
    proxy.refusing = false;
    await eventually(() => target.health().status === 'up');
    expect(statuses(await send(target, [jsonEvent(1)]))).toEqual(['confirmed']);
    expect(await target.backlog()).toBe(1);
  });

  test('a frozen link: overdue confirms end it, and it is made again', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const proxy = await proxied();
    const { target } = await opened({ queue, confirmTimeout: 200 }, proxy.url);
    proxy.freeze();
    const sending = send(target, [jsonEvent(1)]);
    await eventually(() => target.health().detail?.['inFlight'] === 1);
    proxy.thaw();
    expect((await sending)[0]).toMatchObject({ status: 'unknown', unavailable: true, code: 'E_RABBITMQ_TIMEOUT' });
    await eventually(() => target.health().status === 'up');
    expect(statuses(await send(target, [jsonEvent(1)]))).toEqual(['confirmed']);
  });

  test('a link is found frozen although the lane gave up on its sends before', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const proxy = await proxied();
    const { target, notes } = await opened({ queue, confirmTimeout: 300 }, proxy.url);
    proxy.freeze();
    const abort = new AbortController();
    const sending = send(target, [jsonEvent(1)], abort.signal);
    await eventually(() => target.health().detail?.['inFlight'] === 1);
    abort.abort();
    expect((await sending)[0]).toMatchObject({ status: 'unknown', code: 'E_RABBITMQ_TIMEOUT' });
    proxy.thaw();
    await eventually(() => notes.heard.join() === 'available,E_RABBITMQ_TIMEOUT,available');
    expect(target.health().detail).toMatchObject({ inFlight: 0 });
  });

  test('an aborted send is unknown; its late confirms free the window and touch nobody else', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const proxy = await proxied();
    const { target } = await opened({ queue }, proxy.url);
    proxy.freeze();
    const abort = new AbortController();
    const sending = send(target, [jsonEvent(1), jsonEvent(2)], abort.signal);
    const beside = send(target, [jsonEvent(3)]);
    await eventually(() => target.health().detail?.['inFlight'] === 3);
    abort.abort();
    expect(await sending).toMatchObject(
      Array(2).fill({ status: 'unknown', code: 'E_RABBITMQ_TIMEOUT', retryable: true }),
    );
    expect(target.health().detail).toMatchObject({ inFlight: 3 });
    proxy.resume();
    expect(statuses(await beside)).toEqual(['confirmed']);
    expect(target.health().detail).toMatchObject({ inFlight: 0 });
    await eventually(async () => (await raw.depth(queue)) === 3);
  });

  test('what is abandoned still counts against the window; a send without room has certainly not been sent', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const proxy = await proxied();
    const { target } = await opened({ queue }, proxy.url);
    proxy.freeze();
    const abort = new AbortController();
    const small = Array.from({ length: 500 }, (_, n) => jsonEvent(n));
    const sends = Array.from({ length: 5 }, () => send(target, small, abort.signal));
    await eventually(() => (target.health().detail?.['inFlight'] as number) >= 1_000);
    abort.abort();
    const results = (await Promise.all(sends)).flat();
    const published = results.filter(({ status }) => status === 'unknown').length;
    expect(published).toBeLessThanOrEqual(2_000);
    expect(results.filter(({ status }) => status === 'failed').length).toBe(2_500 - published);
    expect(target.health().detail).toMatchObject({ inFlight: published });
    proxy.resume();
    await eventually(() => target.health().detail?.['inFlight'] === 0);
    await eventually(async () => (await raw.depth(queue)) === published);
  });

  test('a channel that the broker closes takes no other with it', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const exchange = await raw.exchange('fanout');
    const proxy = await proxied();
    const context = testContext('out', { random: () => 0 });
    const broker = new RabbitBroker(brokerConfig(proxy.url), context);
    undo.push(() => broker.close());
    const [doomed, other] = [targetConfig({ exchange }), targetConfig({ queue })].map((config) => {
      const target = new RabbitTarget(broker, config, context);
      undo.push(() => target.close());
      return { target, notes: new Notes() };
    }) as [{ target: RabbitTarget; notes: Notes }, { target: RabbitTarget; notes: Notes }];
    for (const { target, notes } of [doomed, other]) await target.open(notes, never);
    await raw.channel.deleteExchange(exchange);
    const results = await Promise.all([send(doomed.target, [jsonEvent(1)]), send(other.target, [jsonEvent(2)])]);
    expect(results.flat().map(({ status }) => status)).toEqual(['unknown', 'confirmed']);
    await eventually(() => doomed.notes.heard.filter((word) => word === 'E_RABBITMQ_NOT_FOUND').length >= 2);
    expect(other.notes.heard).toEqual(['available']);
    expect(proxy.connections).toBe(1);
  });

  test('a broker that blocks publishers is unavailable until it unblocks', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const proxy = await proxied();
    const { target, notes } = await opened({ queue, confirmTimeout: 100 }, proxy.url);
    proxy.freeze();
    const outstanding = send(target, [jsonEvent(1)]);
    proxy.inject(connectionBlocked('low on memory'));
    await eventually(() => notes.heard.length === 2);
    const [refused] = await send(target, [jsonEvent(2)]);
    expect(refused).toMatchObject({ status: 'failed', code: 'E_RABBITMQ_BLOCKED', unavailable: true });
    expect(target.health()).toMatchObject({ status: 'down', lastError: { code: 'E_RABBITMQ_BLOCKED' } });
    proxy.inject(connectionUnblocked());
    proxy.resume();
    // What was published before waits through the block: the link is not taken for dead.
    expect(statuses(await outstanding)).toEqual(['confirmed']);
    expect(notes.heard).toEqual(['available', 'E_RABBITMQ_BLOCKED', 'available']);
    expect(statuses(await send(target, [jsonEvent(3)]))).toEqual(['confirmed']);
  });

  test('a channel closed for what was sent on it (406): an attempt is consumed, so the same cannot go round for ever', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const proxy = await proxied();
    const { target } = await opened({ queue }, proxy.url);
    proxy.freeze();
    const sending = send(target, [jsonEvent(1)]);
    await eventually(() => target.health().detail?.['inFlight'] === 1);
    proxy.inject(channelClose(1, 406, 'PRECONDITION_FAILED - message size 1 is larger than configured max size 0'));
    expect((await sending)[0]).toMatchObject({
      status: 'unknown',
      code: 'E_RABBITMQ_PRECONDITION',
      retryable: true,
      unavailable: false,
    });
    proxy.thaw();
    proxy.cut();
    await eventually(() => target.health().status === 'up');
    expect(statuses(await send(target, [jsonEvent(1)]))).toEqual(['confirmed']);
  });

  test('an exchange that disappears: the channel is closed by the broker and comes back with the exchange', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const declare = { exchange: { type: 'fanout', durable: true, arguments: {} } } as const;
    const exchange = await raw.exchange('fanout');
    const { target } = await opened({ exchange, declare });
    await raw.channel.deleteExchange(exchange);
    const [result] = await send(target, [jsonEvent(1)]);
    expect(result).toMatchObject({
      status: 'unknown',
      code: 'E_RABBITMQ_NOT_FOUND',
      retryable: true,
      unavailable: true,
    });
    await eventually(() => target.health().status === 'up');
    await raw.channel.bindQueue(queue, exchange, '');
    expect(statuses(await send(target, [jsonEvent(1)]))).toEqual(['confirmed']);
  });
});
