import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { encodeRecord } from '../../../src/adapters/kafka/codec.ts';
import { ACK } from '../../../src/core/delivery.ts';
import type { Source } from '../../../src/core/source.ts';
import { HoldingIntake } from '../../conformance/intake.ts';
import { jsonEvent } from '../../setup/events.ts';
import { eventually } from '../../setup/eventually.ts';
import { brokerOf, never, RawKafka, sourceOf, unique } from './fixture.ts';

const raw = new RawKafka();
const broker = brokerOf();
const opened: Source[] = [];
afterEach(async () => {
  for (const source of opened.splice(0)) await source.close();
});
afterAll(async () => {
  await broker.close();
  await raw.close();
});

type Fields = Record<string, unknown>;

async function open(intake: HoldingIntake, fields: Fields, common: Fields = {}): Promise<Source> {
  const source = sourceOf(broker, fields, common);
  opened.push(source);
  await source.open(intake, never);
  return source;
}
const texts = (count: number, from = 0): { key: string; value: string }[] =>
  Array.from({ length: count }, (_, n) => ({ key: `k${(from + n) % 5}`, value: String(from + n) }));
const bodies = (intake: HoldingIntake): number[] => intake.events.map(({ event }) => Number(String(event.data)));
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);

describe('commits', () => {
  test('never go over a gap; a restart brings everything from the first unsettled again', async () => {
    const topic = await raw.createTopic('gap');
    const group = unique('group');
    await raw.produce(topic, texts(10));
    const first = new HoldingIntake();
    const source = await open(first, { topics: [topic], group });
    await eventually(() => first.received.length === 10);
    for (const index of [0, 1, 2, 4, 9]) first.received[index]?.settle(ACK);
    await source.drained();
    expect(await raw.committed(group, topic)).toEqual([3]);
    await source.close();
    const second = new HoldingIntake();
    await open(second, { topics: [topic], group });
    await eventually(() => second.received.length === 7);
    expect(bodies(second)).toEqual(range(3, 10));
  });

  test('happen by themselves after the interval, offset plus one', async () => {
    const topic = await raw.createTopic('interval');
    const group = unique('group');
    await raw.produce(topic, texts(3));
    const intake = new HoldingIntake();
    intake.onArrival = ACK;
    await open(intake, { topics: [topic], group, commitInterval: '10ms' });
    await eventually(async () => expect(await raw.committed(group, topic)).toEqual([3]));
  });

  test('reach the end over transaction markers and aborted records', async () => {
    const topic = await raw.createTopic('transactions');
    const group = unique('group');
    const producer = raw.kafka.producer({ transactionalId: unique('tx'), maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    for (const isKept of [true, false, true]) {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: texts(2, isKept ? 0 : 50) });
      await (isKept ? transaction.commit() : transaction.abort());
    }
    await producer.disconnect();
    const intake = new HoldingIntake();
    intake.onArrival = ACK;
    await open(intake, { topics: [topic], group });
    await eventually(() => intake.received.length === 4);
    expect(bodies(intake)).toEqual([0, 1, 0, 1]);
    await eventually(async () => expect(await raw.committed(group, topic)).toEqual([9]));
  });
});

describe('startFrom', () => {
  test('latest begins at open, and what was delivered but never settled comes again after a restart', async () => {
    const topic = await raw.createTopic('latest', 2);
    const group = unique('group');
    await raw.produce(topic, texts(5));
    const first = new HoldingIntake();
    const source = await open(first, { topics: [topic], group, startFrom: 'latest' });
    await raw.produce(topic, texts(10, 100));
    await eventually(() => first.received.length === 10);
    expect(bodies(first).sort((a, b) => a - b)).toEqual(range(100, 110));
    await source.close();
    await raw.produce(topic, texts(5, 200));
    const second = new HoldingIntake();
    await open(second, { topics: [topic], group, startFrom: 'latest' });
    await eventually(() => second.received.length === 15);
    expect(bodies(second).sort((a, b) => a - b)).toEqual([...range(100, 110), ...range(200, 205)]);
  });
});

describe('records', () => {
  test('tombstones with and without attributes, wrapped bodies, keys, native headers', async () => {
    const topic = await raw.createTopic('wrap.me.nicely');
    const as = { type: 'x.{header.kind}', source: '/{topic.1}/{partition}', subject: '{key}', time: '{timestamp}' };
    await raw.produce(topic, [
      { key: 'k1', value: null, headers: { kind: 'gone' }, timestamp: '1767225600123' },
      { key: 'k2', ...encodeRecord(jsonEvent(1, { id: 'ce', data: undefined }), 'binary', { trace: 'on' }) },
      { value: 'plain', headers: { kind: 'p', 'content-type': 'text/plain' } },
    ]);
    const intake = new HoldingIntake();
    await open(intake, { topics: [topic], group: unique('group') }, { as });
    await eventually(() => intake.received.length === 3);
    const [gone, ce, plain] = intake.events;
    expect(gone?.event).toMatchObject({ id: `${topic}/0/0`, type: 'x.gone', source: '/me/0', subject: 'k1' });
    expect(gone?.event).toMatchObject({ time: '2026-01-01T00:00:00.123Z', data: undefined });
    expect(ce?.event).toMatchObject({ id: 'ce', data: undefined, extensions: {} });
    expect(ce?.orderingKey).toBe('k2');
    expect(ce?.meta).toMatchObject({ key: Buffer.from('k2'), position: { topic, partition: 0, offset: 1 } });
    expect({ ...ce?.meta.headers }).toEqual({ trace: Buffer.from('on') });
    expect(plain?.event).toMatchObject({ type: 'x.p', datacontenttype: 'text/plain', subject: undefined });
    expect(plain?.orderingKey).toBe('p:0');
  });

  test('one batch per fetched partition batch; an oversized value is poison', async () => {
    const topic = await raw.createTopic('batch');
    await raw.produce(topic, [...texts(500), { key: 'big', value: Buffer.alloc(2_000) }]);
    const intake = new HoldingIntake();
    await open(intake, { topics: [topic], group: unique('group') }, { maxEventBytes: 1_000 });
    await eventually(() => intake.received.length === 501);
    expect(intake.batches).toBe(1);
    expect(intake.received[500]?.delivery.poison).toMatchObject({ code: 'E_EVENT_TOO_LARGE' });
  });

  test('a wrap whose template has no value is poison, not a crash', async () => {
    const topic = await raw.createTopic('nowrap');
    await raw.produce(topic, [{ value: 'a' }, { value: 'b', headers: { kind: 'k' } }]);
    const intake = new HoldingIntake();
    await open(intake, { topics: [topic], group: unique('group') }, { as: { type: '{header.kind}', source: '/s' } });
    await eventually(() => intake.received.length === 2);
    expect(intake.received.map(({ delivery }) => delivery.poison?.code)).toEqual(['E_WRAP', undefined]);
  });

  test('a returned delivery comes again with a higher attempt and still counts once', async () => {
    const topic = await raw.createTopic('returned');
    const group = unique('group');
    await raw.produce(topic, texts(2));
    const intake = new HoldingIntake();
    const source = await open(intake, { topics: [topic], group });
    await eventually(() => intake.received.length === 2);
    intake.received[1]?.settle(ACK);
    intake.received[0]?.settle({ verdict: 'retry', reason: 'later', delayMs: 10 });
    await eventually(() => intake.received.length === 3);
    expect(intake.received[2]?.delivery).toMatchObject({ attempt: 2, meta: { position: { offset: 0 } } });
    intake.received[2]?.settle({ verdict: 'reject', reason: 'dead-lettered' });
    await source.drained();
    expect(await raw.committed(group, topic)).toEqual([2]);
    expect(source.health().detail).toMatchObject({ unsettled: 0, rejected: 1 });
  });
});

describe('backpressure', () => {
  test('a partition pauses at its window while others go on, and resumes when settled', async () => {
    const topic = await raw.createTopic('window', 2);
    const small = Array.from({ length: 300 }, (_, n) => ({ partition: 0, value: String(n) }));
    // several record batches: the broker hands out whole ones
    for (let at = 0; at < 300; at += 20) await raw.produce(topic, small.slice(at, at + 20));
    const intake = new HoldingIntake();
    const fields = {
      topics: [topic],
      group: unique('group'),
      partitionWindow: { maxEvents: 50, maxBytes: '1MiB' },
      fetchMaxBytesPerPartition: 1_024,
    };
    await open(intake, fields);
    await eventually(() => intake.received.length >= 50);
    const held = intake.received.length;
    await raw.produce(topic, [{ partition: 1, value: '1000' }]);
    await eventually(() => bodies(intake).includes(1000));
    expect(intake.received.length).toBeLessThanOrEqual(held + 1);
    expect(held).toBeLessThan(300);
    intake.onArrival = ACK;
    for (const { settle } of intake.received.slice()) settle(ACK);
    await eventually(() => intake.received.length === 301);
    expect(bodies(intake).filter((n) => n < 1000)).toEqual(range(0, 300));
  });

  test('paused for longer than the session it stays a member and loses nothing', async () => {
    const topic = await raw.createTopic('paused');
    const group = unique('group');
    const intake = new HoldingIntake();
    intake.onArrival = ACK;
    const source = await open(intake, { topics: [topic], group });
    const admin = await raw.admin();
    const member = async (): Promise<unknown> => (await admin.describeGroups([group])).groups[0]?.members[0]?.memberId;
    const before = await member();
    source.pause();
    await raw.produce(topic, texts(20));
    const until = performance.now() + 7_000; // the session is 6 s
    await eventually(() => performance.now() > until);
    expect(intake.received.length).toBe(0);
    expect(await member()).toBe(before);
    expect(source.health().status).toBe('up');
    expect(await source.lag()).toBe(20);
    source.resume();
    await eventually(() => intake.received.length === 20);
    expect(bodies(intake)).toEqual(range(0, 20));
  });
});
