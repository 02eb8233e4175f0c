import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { RabbitBroker } from '../../../src/adapters/rabbitmq/broker.ts';
import type { RabbitSourceConfig } from '../../../src/adapters/rabbitmq/config.ts';
import { RabbitSource } from '../../../src/adapters/rabbitmq/source.ts';
import { ACK } from '../../../src/core/delivery.ts';
import { HoldingIntake } from '../../conformance/intake.ts';
import { testContext } from '../../setup/context.ts';
import { extensions, jsonEvent } from '../../setup/events.ts';
import { eventually } from '../../setup/eventually.ts';
import { channelClose } from './frames.ts';
import { TcpProxy } from './proxy.ts';
import { brokerConfig, type QueueType, RawClient, sourceConfig } from './raw.ts';

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

interface Opened {
  readonly source: RabbitSource;
  readonly intake: HoldingIntake;
}

async function opened(queue: string, over: Partial<RabbitSourceConfig> = {}, url?: string): Promise<Opened> {
  const context = testContext('in', { random: () => 0 });
  const broker = new RabbitBroker(brokerConfig(url), context);
  undo.push(() => broker.close());
  const source = new RabbitSource(broker, sourceConfig(queue, over), context);
  undo.push(() => source.close());
  const intake = new HoldingIntake();
  await source.open(intake, never);
  return { source, intake };
}

const events = (count: number, from = 0) => Array.from({ length: count }, (_, n) => jsonEvent(from + n));

describe.each<QueueType>(['quorum', 'classic'])('acknowledgement on a %s queue', (type) => {
  test('settled out of order over several batches, then restarted: exactly the unsettled come again', async () => {
    const raw = await rawClient();
    const queue = await raw.queue(type);
    const first = await opened(queue);
    for (let round = 0; round < 5; round += 1) {
      await raw.putEvents(queue, events(40, round * 40));
      await eventually(() => first.intake.received.length === (round + 1) * 40);
      // every seventh stays open, the rest is settled back to front
      for (let n = 39; n >= 0; n -= 1) if (n % 7 !== 0) first.intake.received[round * 40 + n]?.settle(ACK);
    }
    const unsettled = first.intake.ids().filter((_, n) => (n % 40) % 7 === 0);
    await first.source.drained();
    expect(first.source.health().detail).toMatchObject({ unsettled: unsettled.length, staleSettlements: 0 });
    await first.source.close();
    await eventually(async () => (await raw.depth(queue)) === unsettled.length);

    const second = await opened(queue);
    await eventually(() => second.intake.received.length >= unsettled.length);
    expect(second.intake.ids().sort()).toEqual(unsettled.sort());
    second.intake.ackAll();
    await second.source.close();
    await eventually(async () => (await raw.depth(queue)) === 0);
  });

  test('what is settled above a gap is acknowledged soon, so that the window does not fill up', async () => {
    const raw = await rawClient();
    const queue = await raw.queue(type);
    const { intake } = await opened(queue, { prefetch: 10 });
    await raw.putEvents(queue, events(100));
    await eventually(() => intake.received.length === 10);
    intake.onArrival = ACK;
    for (const received of intake.received.slice(1)) received.settle(ACK);
    await eventually(() => intake.received.length === 100);
    intake.received[0]?.settle(ACK);
  });

  test('settlements for a lost channel are counted and never sent: the new channel lives', async () => {
    const raw = await rawClient();
    const queue = await raw.queue(type);
    const proxy = await proxied();
    const { source, intake } = await opened(queue, {}, proxy.url);
    await raw.putEvents(queue, events(20));
    await eventually(() => intake.received.length === 20);
    const stale = intake.received.splice(0);
    proxy.cut();
    await eventually(() => intake.received.length === 20);
    const connections = proxy.connections;
    for (const [n, received] of stale.entries()) {
      received.settle(n % 3 === 0 ? ACK : { verdict: n % 3 === 1 ? 'retry' : 'reject', reason: 'test' });
    }
    expect(intake.events.every(({ attempt }) => attempt > 1)).toBe(true);
    intake.ackAll();
    await source.drained();
    expect(source.health()).toMatchObject({ status: 'up', detail: { staleSettlements: 20, unsettled: 0 } });
    await source.close();
    expect(proxy.connections).toBe(connections);
    await eventually(async () => (await raw.depth(queue)) === 0);
  });

  test('settling twice is of no consequence: an unknown tag would close the channel (406)', async () => {
    const raw = await rawClient();
    const queue = await raw.queue(type);
    const { source, intake } = await opened(queue);
    await raw.putEvents(queue, events(3));
    await eventually(() => intake.received.length === 3);
    for (const verdict of ['ack', 'ack', 'reject', 'retry'] as const) {
      for (const received of intake.received) received.settle({ verdict, reason: 'test' });
      await source.drained();
    }
    expect(source.health()).toMatchObject({ status: 'up', lastError: undefined });
  });

  test('a rejected delivery goes to the dead-letter exchange', async () => {
    const raw = await rawClient();
    const dead = await raw.queue('classic');
    const queue = await raw.queue(type, { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead });
    const { intake } = await opened(queue);
    const [event] = events(1);
    await raw.putEvents(queue, event === undefined ? [] : [event]);
    await eventually(() => intake.received.length === 1);
    intake.received[0]?.settle({ verdict: 'reject', reason: 'test' });
    const again = await opened(dead);
    await eventually(() => again.intake.received.length === 1);
    // the broker's x-death is neither an attribute nor a header of the application
    expect(again.intake.ids()).toEqual([event?.id]);
    expect(Object.keys(again.intake.events[0]?.event.extensions ?? {})).toEqual([]);
    expect(again.intake.events[0]?.meta.headers).toBeUndefined();
    again.intake.ackAll();
  });
});

describe('flow', () => {
  test('prefetch bounds what is unsettled', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const { source, intake } = await opened(queue, { prefetch: 7 });
    await raw.putEvents(queue, events(30));
    await eventually(() => intake.received.length === 7);
    await eventually(async () => (await source.lag()) === 23);
    for (const received of intake.received.splice(0, 3)) received.settle(ACK);
    await eventually(async () => (await source.lag()) === 20);
    expect(intake.received.length).toBe(7);
  });

  test('paused, at most the prefetch window is held; nothing is handed over, nothing is lost', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const { source, intake } = await opened(queue, { prefetch: 5 });
    intake.onArrival = ACK;
    source.pause();
    await raw.putEvents(queue, events(30));
    await eventually(async () => (await source.lag()) === 25);
    await eventually(() => source.health().detail?.['held'] === 5);
    expect(intake.received.length).toBe(0);
    source.resume();
    await eventually(() => intake.received.length === 30);
    expect(new Set(intake.ids()).size).toBe(30);
  });

  test('what arrives together is handed over together', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    await raw.putEvents(queue, events(400));
    const { intake } = await opened(queue);
    await eventually(() => intake.received.length === 400);
    expect(intake.batches).toBeLessThan(100);
  });

  test('the partition key orders', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const { intake } = await opened(queue);
    await raw.putEvents(queue, [jsonEvent(1, { extensions: extensions({ partitionkey: 'k' }) }), jsonEvent(2)]);
    await eventually(() => intake.received.length === 2);
    expect(intake.events.map(({ orderingKey }) => orderingKey)).toEqual(['k', undefined]);
  });

  test('two replicas share a queue', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const replicas = [await opened(queue, { prefetch: 5 }), await opened(queue, { prefetch: 5 })];
    for (const { intake } of replicas) intake.onArrival = ACK;
    await raw.putEvents(queue, events(100));
    await eventually(() => replicas.reduce((sum, { intake }) => sum + intake.received.length, 0) === 100);
    for (const { intake } of replicas) expect(intake.received.length).toBeGreaterThan(0);
  });
});

describe('recovery', () => {
  test('a deleted queue is noticed; when it is there again, consuming goes on', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const { source, intake } = await opened(queue);
    intake.onArrival = ACK;
    await raw.putEvents(queue, events(1));
    await eventually(() => intake.received.length === 1);
    await raw.channel.deleteQueue(queue);
    await eventually(() => source.health().lastError?.code === 'E_RABBITMQ_NOT_FOUND');
    expect(source.health().status).toBe('down');
    expect(await source.lag()).toBeUndefined();
    await raw.queue('classic', {}, queue);
    await raw.putEvents(queue, events(1, 1));
    await eventually(() => intake.received.length === 2);
    expect(source.health()).toMatchObject({ status: 'up', lastError: { code: 'E_RABBITMQ_NOT_FOUND' } });
  });

  test('a declared queue with its bindings is declared again after every loss', async () => {
    const raw = await rawClient();
    const queue = `t-${randomUUID()}`;
    const exchange = await raw.exchange('topic');
    const bindings = [{ exchange, routingKey: 'a.#' }];
    const declare = { type: 'quorum' as const, durable: true, bindings, arguments: { 'x-delivery-limit': 5 } };
    const { intake } = await opened(queue, { declare });
    intake.onArrival = ACK;
    for (const count of [1, 2]) {
      await eventually(async () => {
        raw.channel.publish(exchange, 'a.b', Buffer.from('x'));
        await raw.channel.waitForConfirms();
        expect(intake.received.length).toBeGreaterThanOrEqual(count);
      });
      await raw.channel.deleteQueue(queue);
    }
    undo.push(() => raw.channel.deleteQueue(queue));
  });

  test('deliveries held while paused are dropped with their channel, and come again', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const proxy = await proxied();
    const { source, intake } = await opened(queue, {}, proxy.url);
    intake.onArrival = ACK;
    source.pause();
    await raw.putEvents(queue, events(10));
    await eventually(() => source.health().detail?.['held'] === 10);
    proxy.cut();
    await eventually(() => proxy.connections === 2 && source.health().detail?.['held'] === 10);
    source.resume();
    await eventually(() => intake.received.length === 10);
    await source.close();
    await eventually(async () => (await raw.depth(queue)) === 0);
  });

  test('a channel closed by the broker, as its consumer_timeout does, is made again and the unsettled come again', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const proxy = await proxied();
    const { source, intake } = await opened(queue, {}, proxy.url);
    await raw.putEvents(queue, events(3));
    await eventually(() => intake.received.length === 3);
    proxy.inject(channelClose(1, 406, 'PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out'));
    await eventually(() => intake.received.length === 6);
    expect(source.health()).toMatchObject({ status: 'up', lastError: { code: 'E_RABBITMQ_PRECONDITION' } });
    intake.ackAll();
    await source.close();
    expect(source.health().detail).toMatchObject({ staleSettlements: 3 });
    await eventually(async () => (await raw.depth(queue)) === 0);
  });

  test('close is bounded on a link that went dead', async () => {
    const raw = await rawClient();
    const queue = await raw.queue();
    const proxy = await proxied();
    const { source } = await opened(queue, {}, proxy.url);
    proxy.freeze();
    await source.close();
    expect(source.health().status).toBe('closed');
  });
});
