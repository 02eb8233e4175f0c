import { ChangeMessageVisibilityCommand, GetQueueAttributesCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, expect, test } from 'vitest';
import { SqsBroker } from '../../../src/adapters/sqs/client.ts';
import { SqsSource } from '../../../src/adapters/sqs/source.ts';
import { ACK } from '../../../src/core/delivery.ts';
import type { Source } from '../../../src/core/source.ts';
import { HoldingIntake } from '../../conformance/intake.ts';
import { extensions, jsonEvent } from '../../setup/events.ts';
import { eventually } from '../../setup/eventually.ts';
import { brokerConfig, context, QueueFixture, sourceConfig } from './fixture.ts';
import { callError, SqsProxy } from './proxy.ts';

const never = new AbortController().signal;
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function queueOf(fifo = false, attributes: Record<string, string> = {}): Promise<QueueFixture> {
  const fixture = await QueueFixture.create(fifo, attributes);
  cleanups.push(() => fixture.teardown());
  return fixture;
}

async function opened(source: Source, intake = new HoldingIntake()): Promise<HoldingIntake> {
  cleanups.push(() => source.close());
  await source.open(intake, never);
  return intake;
}

async function proxied(fixture: QueueFixture, over: Record<string, unknown> = {}): Promise<[SqsSource, SqsProxy]> {
  const proxy = await SqsProxy.start();
  cleanups.push(() => proxy.stop());
  const broker = new SqsBroker(brokerConfig({ endpoint: proxy.url }));
  cleanups.push(() => broker.close());
  return [new SqsSource(broker, sourceConfig(fixture.name, over), context), proxy];
}

const count = (source: Source, name: string): number => Number(source.health().detail?.[name]);

async function left(fixture: QueueFixture): Promise<number> {
  const AttributeNames = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
  const command = new GetQueueAttributesCommand({ QueueUrl: fixture.url, AttributeNames: [...AttributeNames] });
  const { Attributes = {} } = await fixture.client.send(command);
  return AttributeNames.reduce((sum, name) => sum + Number(Attributes[name]), 0);
}

test('a slow event stays invisible to others for as long as it takes, and is gone once acknowledged', async () => {
  const fixture = await queueOf();
  const source = fixture.source({ visibilityTimeout: '2s' });
  const intake = await opened(source);
  await fixture.produce(Array.from({ length: 12 }, (_, n) => jsonEvent(n)));
  await eventually(() => expect(intake.received.length).toBe(12));
  const rival = await opened(fixture.source({ visibilityTimeout: '2s' }));
  // four beats for each: twice the visibility timeout has passed
  await eventually(() => expect(count(source, 'extended')).toBeGreaterThanOrEqual(48));
  expect(rival.received.length).toBe(0);
  intake.ackAll();
  await source.drained();
  expect(count(source, 'deleted')).toBe(12);
  expect(count(source, 'expired')).toBe(0);
  expect(await left(fixture)).toBe(0);
  expect([intake.received.length, rival.received.length]).toEqual([12, 0]);
});

test('close gives the unsettled back at once, not after their visibility timeout', async () => {
  const fixture = await queueOf();
  const source = fixture.source({ visibilityTimeout: '1h' });
  const intake = await opened(source);
  await fixture.produce(Array.from({ length: 15 }, (_, n) => jsonEvent(n)));
  await eventually(() => expect(intake.received.length).toBe(15));
  for (const received of intake.received.slice(0, 5)) received.settle(ACK);
  await source.close();
  intake.received[6]?.settle(ACK); // too late: it was given back
  const again = await opened(fixture.source());
  await eventually(() => expect(again.ids().sort()).toEqual(intake.ids().slice(5).sort()));
  expect(count(source, 'returned')).toBeGreaterThanOrEqual(10); // more where the poll under way took them once more
});

test('retry comes again after its delay, with a higher attempt; reject backs off', async () => {
  const fixture = await queueOf();
  const source = fixture.source();
  const intake = await opened(source);
  await fixture.produce([jsonEvent(1), jsonEvent(2)]);
  await eventually(() => expect(intake.received.length).toBe(2));
  intake.received[0]?.settle({ verdict: 'retry', reason: 'x', delayMs: 900 });
  intake.received[1]?.settle({ verdict: 'reject', reason: 'x' });
  await eventually(() => expect(intake.received.length).toBe(4));
  expect(intake.ids().slice(2)).toEqual(intake.ids().slice(0, 2)); // one second, two seconds
  expect(intake.events.map(({ attempt }) => attempt)).toEqual([1, 1, 2, 2]);
  intake.received[2]?.settle(ACK);
  intake.received[3]?.settle(ACK);
  await source.drained();
  expect(await left(fixture)).toBe(0);
});

test('FIFO: one of a group is out at a time; after a failure the later ones go back too, and order holds', async () => {
  const fixture = await queueOf(true);
  const source = fixture.source();
  const intake = await opened(source);
  const keyed = (key: string, n: number) => jsonEvent(n, { extensions: extensions({ partitionkey: key }) });
  const events = [keyed('a', 1), keyed('a', 2), keyed('a', 3), keyed('b', 4), keyed('a', 5)];
  await fixture.produce(events);
  const ids = events.map(({ id }) => id);
  await eventually(() => expect(intake.ids()).toEqual(expect.arrayContaining([ids[0], ids[3]])));
  expect(intake.received.length).toBe(2);
  expect(intake.events.map(({ orderingKey }) => orderingKey).sort()).toEqual(['a', 'b']);
  const settle = (id: string | undefined, verdict: 'ack' | 'retry'): void => {
    const at = intake.ids().lastIndexOf(id as string);
    intake.received[at]?.settle(verdict === 'ack' ? ACK : { verdict, reason: 'x', delayMs: 0 });
  };
  settle(ids[0], 'ack');
  await eventually(() => expect(intake.ids()).toContain(ids[1]));
  settle(ids[1], 'retry'); // 3 and 5 were received as well and were never handed over
  await eventually(() => expect(intake.ids().filter((id) => id === ids[1]).length).toBe(2));
  expect(intake.ids()).not.toContain(ids[2]);
  for (const id of [ids[1], ids[2], ids[4]]) {
    await eventually(() => expect(intake.ids()).toContain(id));
    settle(id, 'ack');
  }
  settle(ids[3], 'ack');
  await source.drained();
  expect(await left(fixture)).toBe(0);
  expect(intake.ids().filter((id) => id !== ids[3])).toEqual([ids[0], ids[1], ids[1], ids[2], ids[4]]);
});

test('FIFO: close gives back what waits behind its group as well', async () => {
  const fixture = await queueOf(true);
  const source = fixture.source({ visibilityTimeout: '1h' });
  const events = [1, 2, 3].map((n) => jsonEvent(n, { extensions: extensions({ partitionkey: 'a' }) }));
  await fixture.produce(events);
  const intake = await opened(source);
  await eventually(() => expect(intake.received.length).toBe(1));
  await source.close();
  const second = new HoldingIntake();
  second.onArrival = ACK;
  await opened(fixture.source(), second);
  await eventually(() => expect(second.ids()).toEqual(events.map(({ id }) => id)));
});

test('stops polling at its bound, goes on when there is room', async () => {
  const fixture = await queueOf();
  await fixture.produce(Array.from({ length: 45 }, (_, n) => jsonEvent(n)));
  const [source, proxy] = await proxied(fixture, { maxInFlight: 20 });
  const intake = await opened(source);
  await eventually(() => expect(intake.received.length).toBe(20));
  const polls = proxy.count('ReceiveMessage');
  await eventually(() => expect(count(source, 'unsettled')).toBe(20));
  expect([intake.received.length, proxy.count('ReceiveMessage')]).toEqual([20, polls]);
  intake.ackAll();
  await eventually(() => expect(intake.received.length).toBe(40));
  for (const received of intake.received.slice(20)) received.settle(ACK);
  await eventually(() => expect(intake.received.length).toBe(45));
});

test('an expired receipt handle stops nothing: counted, and the event comes again', async () => {
  const fixture = await queueOf();
  const [source, proxy] = await proxied(fixture);
  const intake = await opened(source);
  proxy.after = (action, answer) => {
    if (action !== 'ReceiveMessage' || intake.received.length > 0 || answer.Messages === undefined) return answer;
    for (const message of answer.Messages) message.ReceiptHandle = 'expired';
    return answer;
  };
  await fixture.produce([jsonEvent(1)]);
  await eventually(() => expect(intake.received.length).toBe(1));
  intake.received[0]?.settle(ACK);
  await source.drained();
  expect(count(source, 'expired')).toBe(1);
  expect(count(source, 'unsettled')).toBe(0);
  expect(source.health().status).toBe('up');
  await fixture.produce([jsonEvent(2)]);
  await eventually(() => expect(intake.received.length).toBe(2));
});

test('entries of a delete that failed are tried again, each for itself; the others count at once', async () => {
  const fixture = await queueOf();
  const [source, proxy] = await proxied(fixture);
  const intake = await opened(source);
  proxy.before = (action, body) => {
    if (action !== 'DeleteMessageBatch' || proxy.count(action) > 1) return undefined;
    body.Entries = body.Entries.filter(({ Id }: { Id: string }) => Id !== '3');
    return undefined;
  };
  proxy.after = (action, answer) => {
    if (action !== 'DeleteMessageBatch' || proxy.count(action) > 1) return answer;
    return { ...answer, Failed: [{ Id: '3', SenderFault: false, Code: 'InternalError' }] };
  };
  await fixture.produce(Array.from({ length: 10 }, (_, n) => jsonEvent(n)));
  await eventually(() => expect(intake.received.length).toBe(10));
  intake.ackAll();
  await source.drained();
  expect(count(source, 'deleted')).toBe(10);
  expect(source.health().lastError?.code).toBe('E_SQS_SERVICE');
  const deletes = proxy.requests.filter(({ action }) => action === 'DeleteMessageBatch');
  expect(deletes.at(-1)?.body.Entries.length).toBe(1);
  expect(await left(fixture)).toBe(0);
});

test('a delete whose answer is lost is repeated', async () => {
  const fixture = await queueOf();
  const [source, proxy] = await proxied(fixture);
  const intake = await opened(source);
  proxy.before = (action) => (action === 'DeleteMessageBatch' && proxy.count(action) < 3 ? 'reset' : undefined);
  await fixture.produce([jsonEvent(1)]);
  await eventually(() => expect(intake.received.length).toBe(1));
  intake.ackAll();
  await source.drained();
  expect([proxy.count('DeleteMessageBatch'), count(source, 'deleted')]).toEqual([3, 1]);
  expect(source.health().lastError?.code).toBe('E_SQS_CONNECTION_LOST');
});

test('one bad checksum does not fail a whole receive', async () => {
  const fixture = await queueOf();
  const [source, proxy] = await proxied(fixture);
  proxy.after = (_, answer) => {
    for (const message of answer.Messages ?? []) message.MD5OfBody = 'f'.repeat(32);
    return answer;
  };
  const intake = await opened(source);
  await fixture.produce([jsonEvent(1), jsonEvent(2)]);
  await eventually(() => expect(intake.received.length).toBe(2));
});

test('the endpoint decides where requests go, whatever host the queue URL has', async () => {
  const fixture = await queueOf();
  const elsewhere = fixture.url.replace(/^https?:\/\/[^/]+/, 'http://sqs.invalid:1');
  const source = new SqsSource(fixture.broker, sourceConfig(elsewhere), context);
  const intake = await opened(source);
  await fixture.produce([jsonEvent(1)]);
  await eventually(() => expect(intake.received.length).toBe(1));
  intake.ackAll();
  await source.drained();
  expect(await left(fixture)).toBe(0);
});

test('polling that fails is down in health with its cause, and mends itself', async () => {
  const fixture = await queueOf();
  const [source, proxy] = await proxied(fixture);
  const intake = await opened(source);
  proxy.before = (action) => (action === 'ReceiveMessage' ? callError(400, 'ExpiredTokenException') : undefined);
  await eventually(() =>
    expect(source.health()).toMatchObject({ status: 'down', lastError: { code: 'E_SQS_CREDENTIALS' } }),
  );
  proxy.before = () => undefined;
  await fixture.produce([jsonEvent(1)]);
  await eventually(() => expect(intake.received.length).toBe(1));
  expect(source.health()).toMatchObject({ status: 'up', lastError: { code: 'E_SQS_CREDENTIALS' } });
});

test('a receive that never answers is given up after its bound, and counted as down', async () => {
  const fixture = await queueOf();
  const proxy = await SqsProxy.start();
  cleanups.push(() => proxy.stop());
  const broker = new SqsBroker(brokerConfig({ endpoint: proxy.url, requestTimeout: '200ms' }));
  const source = new SqsSource(broker, sourceConfig(fixture.name), context);
  const intake = await opened(source);
  proxy.before = (action) => (action === 'ReceiveMessage' ? 'hang' : undefined);
  await eventually(() => expect(source.health().lastError?.code).toBe('E_SQS_TIMEOUT'));
  proxy.before = () => undefined;
  await fixture.produce([jsonEvent(1)]);
  await eventually(() => expect(intake.received.length).toBe(1));
});

test('open waits for a queue that does not exist yet, saying so, and ends when told', async () => {
  const fixture = await queueOf();
  const source = new SqsSource(fixture.broker, sourceConfig('not-there-yet'), context);
  const abort = new AbortController();
  const opening = source.open(new HoldingIntake(), abort.signal);
  await eventually(() => expect(source.health().lastError?.code).toBe('E_SQS_QUEUE_MISSING'));
  abort.abort(new Error('enough'));
  await expect(opening).rejects.toThrow('enough');
  await source.close();
});

test('a message that someone else lets go is not extended against their will for ever', async () => {
  const fixture = await queueOf();
  const [source, proxy] = await proxied(fixture, { visibilityTimeout: '2s' });
  const intake = await opened(source);
  proxy.before = (action) =>
    action === 'ChangeMessageVisibilityBatch' ? { status: 200, body: expiredFor(proxy) } : undefined;
  await fixture.produce([jsonEvent(1)]);
  await eventually(() => expect(intake.received.length).toBe(1));
  await eventually(() => expect(count(source, 'expired')).toBe(1));
  // it lapsed at the broker and comes again; the old one is settled without harm
  await eventually(() => expect(intake.received.length).toBe(2));
  intake.ackAll();
  await source.drained();
  expect(count(source, 'unsettled')).toBe(0);
});

function expiredFor(proxy: SqsProxy): unknown {
  const entries: { Id: string }[] = proxy.requests.at(-1)?.body.Entries ?? [];
  return { Failed: entries.map(({ Id }) => ({ Id, SenderFault: true, Code: 'MessageNotInflight' })), Successful: [] };
}

test('lag is what waits in the queue', async () => {
  const fixture = await queueOf();
  const source = fixture.source();
  source.pause();
  await opened(source);
  await fixture.produce(Array.from({ length: 7 }, (_, n) => jsonEvent(n)));
  await eventually(async () => expect(await source.lag()).toBe(7));
  const { Messages = [] } = await fixture.client.send(new ReceiveMessageCommand({ QueueUrl: fixture.url }));
  expect(await source.lag()).toBe(6);
  const ReceiptHandle = Messages[0]?.ReceiptHandle;
  await fixture.client.send(
    new ChangeMessageVisibilityCommand({ QueueUrl: fixture.url, ReceiptHandle, VisibilityTimeout: 0 }),
  );
});
