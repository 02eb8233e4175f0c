import { describe, expect, test } from 'vitest';
import { jsonEvent } from '../../setup/events.ts';
import { eventually } from '../../setup/eventually.ts';
import { channelClose, connectionBlocked, connectionUnblocked } from './frames.ts';
import { brokerAt, opened, proxied, rawClient, send, statuses } from './open-target.ts';
import { unwire } from './raw.ts';

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
    const broker = brokerAt(proxy.url);
    const doomed = await opened({ exchange }, undefined, broker);
    const other = await opened({ queue }, undefined, broker);
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
