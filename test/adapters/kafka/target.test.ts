import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { Target } from '../../../src/core/target.ts';
import { legOf } from '../../conformance/target.suite.ts';
import { extensions, jsonEvent } from '../../setup/events.ts';
import { eventually } from '../../setup/eventually.ts';
import { bootstrap, brokerOf, never, quiet, RawKafka, targetOf, unique } from './fixture.ts';

const raw = new RawKafka();
const broker = brokerOf();
const opened: Target[] = [];
afterEach(async () => {
  for (const target of opened.splice(0)) await target.close();
});
afterAll(async () => {
  await broker.close();
  await raw.close();
});

async function open(fields: object, common: object = {}): Promise<Target> {
  const target = targetOf(broker, { ...fields }, { ...common });
  opened.push(target);
  await target.open(quiet, never);
  return target;
}
const keyed = (n: number, key: string, over: object = {}) =>
  legOf(jsonEvent(n, { extensions: extensions({ partitionkey: key, to: `${key}` }), ...over }));

describe('results', () => {
  test('one too large record in a batch fails alone, and none of its key is confirmed after it', async () => {
    const topic = await raw.createTopic('large', 1, [{ name: 'max.message.bytes', value: '20000' }]);
    const target = await open({ topic, key: '{partitionkey}' });
    const legs = Array.from({ length: 16 }, (_, n) => keyed(n, `k${n % 4}`));
    legs[5] = keyed(5, 'k1', { data: Buffer.alloc(30_000) });
    const results = await target.send(legs, never);
    results.forEach((result, n) => {
      if (n === 5) expect(result).toMatchObject({ status: 'failed', code: 'E_KAFKA_TOO_LARGE', retryable: false });
      else if (n > 5 && n % 4 === 1)
        expect(result).toMatchObject({ status: 'failed', code: 'E_KAFKA_BEHIND', retryable: true });
      else expect(result.status).toBe('confirmed');
    });
    const ids = (await raw.read([topic], 13)).map(({ headers }) => String(headers['ce_id']));
    expect(ids).toEqual(legs.filter((_, n) => results[n]?.status === 'confirmed').map(({ event }) => event.id));
  });

  test('a partition that fails does not fail or hide the others', async () => {
    const good = await raw.createTopic('good');
    const small = await raw.createTopic('small', 1, [{ name: 'max.message.bytes', value: '600' }]);
    const target = await open({ topic: '{to}' });
    const to = (n: number, topic: string, size = 1) =>
      legOf(jsonEvent(n, { data: Buffer.alloc(size), extensions: extensions({ to: topic }) }));
    const results = await target.send([to(1, good), to(2, small, 900), to(3, good), to(4, unique('missing'))], never);
    expect(results).toMatchObject([
      { status: 'confirmed' },
      { status: 'failed', code: 'E_KAFKA_TOO_LARGE', retryable: false },
      { status: 'confirmed' },
      { status: 'failed', code: 'E_KAFKA_UNKNOWN_TOPIC', retryable: true },
    ]);
    const offsets = await (await raw.admin()).fetchTopicOffsets(good);
    expect(offsets.map(({ high }) => high)).toEqual(['2']);
  });

  test('an address that the event cannot fill is final, and so is an illegal topic', async () => {
    const target = await open({ topic: '{to}' });
    const legs = [legOf(jsonEvent(1)), legOf(jsonEvent(2, { extensions: extensions({ to: '../etc' }) }))];
    expect(await target.send(legs, never)).toMatchObject([
      { status: 'failed', code: 'E_KAFKA_ADDRESS', retryable: false },
      { status: 'failed', code: 'E_KAFKA_TOPIC', retryable: false },
    ]);
  });

  test('a partition that does not exist is an error, where kafkajs would send nothing and say nothing', async () => {
    const topic = await raw.createTopic('fixed', 2);
    const target = await open({ topic, partition: 7 });
    expect(await target.send([legOf(jsonEvent(1))], never)).toMatchObject([
      { code: 'E_KAFKA_PARTITION', retryable: false },
    ]);
  });

  test('records without a key on a compacted topic are refused one by one', async () => {
    const topic = await raw.createTopic('compacted', 1, [{ name: 'cleanup.policy', value: 'compact' }]);
    const target = await open({ topic, key: '{partitionkey}' });
    const results = await target.send([keyed(1, 'a'), legOf(jsonEvent(2)), keyed(3, 'b')], never);
    expect(results).toMatchObject([
      { status: 'confirmed' },
      { status: 'failed', code: 'E_KAFKA_INVALID_RECORD', retryable: false },
      { status: 'confirmed' },
    ]);
  });
});

describe('giving up', () => {
  test('a send aborted at once leaves the connection alone', async () => {
    const topic = await raw.createTopic('aborted');
    const target = await open({ topic });
    const results = await target.send([legOf(jsonEvent(1)), legOf(jsonEvent(2))], AbortSignal.abort());
    expect(results).toMatchObject([{ status: 'unknown' }, { status: 'unknown' }]);
    expect(target.health().status).toBe('up');
    expect(await target.send([legOf(jsonEvent(3))], never)).toMatchObject([{ status: 'confirmed' }]);
  });
});

describe('addresses, keys and headers', () => {
  test('a key goes to the partition of the Java client; without one a send stays in one partition', async () => {
    const topic = await raw.createTopic('keys', 6);
    const target = await open({ topic, key: '{partitionkey}' });
    const legs = Array.from({ length: 60 }, (_, n) => keyed(n, `key-${n % 12}`));
    legs.push(...Array.from({ length: 5 }, (_, n) => legOf(jsonEvent(100 + n))));
    const results = await target.send(legs, never);
    expect(results.filter(({ status }) => status !== 'confirmed')).toEqual([]);
    const other = await raw.createTopic('keys-raw', 6);
    await raw.produce(
      other,
      Array.from({ length: 12 }, (_, n) => ({ key: `key-${n}`, value: 'x' })),
    );
    const records = await raw.read([topic, other], 77);
    const places = new Map(records.filter((r) => r.topic === other).map((r) => [String(r.key), r.partition]));
    const ours = records.filter((r) => r.topic === topic);
    expect(ours.length).toBe(65);
    for (const { key, partition } of ours) if (key !== null) expect(partition).toBe(places.get(String(key)));
    expect(new Set(ours.filter(({ key }) => key === null).map(({ partition }) => partition)).size).toBe(1);
  });

  test('native headers and key pass or are dropped and counted', async () => {
    const topic = await raw.createTopic('native');
    const headers = { trace: Buffer.from('on'), ce_evil: 'x', constructor: 'c' };
    const leg = legOf(jsonEvent(1), { meta: { position: {}, headers, key: Buffer.from('native') } });
    const pass = await open({ topic }, { headers: 'pass' });
    const drop = await open({ topic }, { headers: 'drop' });
    await pass.send([leg], never);
    await drop.send([leg], never);
    expect(pass.health().detail).toMatchObject({ headersDropped: 1 });
    expect(drop.health().detail).toMatchObject({ headersDropped: 3 });
    const [passed, dropped] = await raw.read([topic], 2);
    expect(passed?.key).toEqual(Buffer.from('native'));
    expect(passed?.headers).toMatchObject({
      trace: Buffer.from('on'),
      constructor: [expect.anything(), Buffer.from('c')],
    });
    expect(passed?.headers).not.toHaveProperty('ce_evil');
    expect(dropped?.key).toBeNull();
    expect(Object.keys(dropped?.headers ?? {})).not.toContain('trace');
  });

  test('a topic is created where that is wanted', async () => {
    const topic = unique('created');
    const target = await open({ topic, autoCreateTopics: true });
    expect(await target.send([legOf(jsonEvent(1))], never)).toMatchObject([{ status: 'confirmed' }]);
    const [record] = await raw.read([topic], 1);
    expect(record?.topic).toBe(topic);
  });

  test('the backlog is the lag of the watched group', async () => {
    const topic = await raw.createTopic('watched');
    const target = await open({ topic, watchGroup: unique('nobody') });
    await target.send([legOf(jsonEvent(1)), legOf(jsonEvent(2))], never);
    expect(await target.backlog()).toBe(2);
  });
});

describe('open', () => {
  test('a fixed topic that does not exist is refused', async () => {
    const target = targetOf(broker, { topic: unique('missing') });
    opened.push(target);
    await expect(target.open(quiet, never)).rejects.toMatchObject({ code: 'E_KAFKA_UNKNOWN_TOPIC', retryable: false });
  });

  test('waits for a broker that is not there yet, and tells why', async () => {
    const topic = await raw.createTopic('late');
    const gate = await relay();
    const late = brokerOf({ brokers: [`127.0.0.1:${gate.port}`] });
    const target = targetOf(late, { topic });
    opened.push(target);
    const opening = target.open(quiet, never);
    await eventually(() =>
      expect(target.health()).toMatchObject({ status: 'down', lastError: { code: 'E_KAFKA_UNAVAILABLE' } }),
    );
    expect(await target.send([legOf(jsonEvent(1))], never)).toMatchObject([{ status: 'failed', unavailable: true }]);
    await gate.start();
    await opening;
    expect(await target.send([legOf(jsonEvent(1))], never)).toMatchObject([{ status: 'confirmed' }]);
    await target.close();
    await late.close();
    await gate.stop();
  });

  test('gives up when the signal aborts', async () => {
    const gate = await relay();
    const dead = brokerOf({ brokers: [`127.0.0.1:${gate.port}`] });
    const abort = new AbortController();
    const target = targetOf(dead, { topic: 't' });
    const opening = target.open(quiet, abort.signal);
    abort.abort(new Error('enough'));
    await expect(opening).rejects.toThrow('enough');
    await target.close();
    await dead.close();
  });
});

/** A port that refuses connections until `start`, then leads to the broker. */
async function relay(): Promise<{ port: number; start(): Promise<void>; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const [host, port] = bootstrap().split(':');
  const server: Server = createServer((client) => {
    const upstream = connect(Number(port), host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    client.pipe(upstream).pipe(client);
  });
  const listen = (at: number): Promise<void> => new Promise((resolve) => server.listen(at, '127.0.0.1', resolve));
  const close = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  await listen(0);
  const own = (server.address() as { port: number }).port;
  await close();
  return {
    port: own,
    start: () => listen(own),
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return close();
    },
  };
}
