import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { ACK } from '../../../src/core/delivery.ts';
import type { Source } from '../../../src/core/source.ts';
import { HoldingIntake } from '../../conformance/intake.ts';
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

async function open(intake: HoldingIntake, topic: string, group: string, over: object = {}): Promise<Source> {
  const source = sourceOf(broker, { topics: [topic], group, ...over });
  opened.push(source);
  await source.open(intake, never);
  return source;
}
const partitionsOf = (source: Source): unknown => source.health().detail?.['partitions'];
const placeOf = ({ received }: HoldingIntake, index: number): { partition: number; offset: number } =>
  received[index]?.delivery.meta.position as { partition: number; offset: number };
const byPartition = (count: number): { partition: number; value: string }[] =>
  Array.from({ length: count }, (_, n) => ({ partition: n % 4, value: String(n) }));

describe('a second member', () => {
  test('takes half of the partitions: nothing lost, no commit for what has left, nothing twice for what stayed', async () => {
    const topic = await raw.createTopic('rebalance', 4);
    const group = unique('group');
    const [a, b] = [new HoldingIntake(), new HoldingIntake()];
    const first = await open(a, topic, group, { rebalanceDrain: '0ms' });
    await raw.produce(topic, byPartition(40));
    await eventually(() => a.received.length === 40);
    const second = await open(b, topic, group);
    await eventually(() => partitionsOf(first) === 2 && partitionsOf(second) === 2);
    // the second member gets what the first has in flight of the partitions that moved
    await eventually(() => b.received.length === 20);
    const moved = new Set(b.received.map((_, i) => placeOf(b, i).partition));
    expect(moved.size).toBe(2);
    // settlements of the first for partitions that moved come late and must not be committed
    for (const { settle } of a.received.slice()) settle(ACK);
    await first.drained();
    const committed = await raw.committed(group, topic);
    for (let partition = 0; partition < 4; partition += 1) {
      expect(committed[partition]).toBe(moved.has(partition) ? -1 : 10);
    }
    // what stayed was refetched by kafkajs from the commit, and is not delivered again
    await raw.produce(topic, byPartition(4));
    await eventually(() => a.received.length + b.received.length === 64);
    const places = a.received.map((_, i) => `${placeOf(a, i).partition}/${placeOf(a, i).offset}`);
    expect(new Set(places).size).toBe(places.length);
  });

  test('waits for what is in flight when the rebalance is noticed in time: nothing is delivered twice', async () => {
    const topic = await raw.createTopic('drain', 4);
    const group = unique('group');
    const [a, b] = [new HoldingIntake(), new HoldingIntake()];
    const first = await open(a, topic, group, { rebalanceDrain: '3s', heartbeatInterval: '100ms' });
    await raw.produce(topic, byPartition(40));
    await eventually(() => a.received.length === 40);
    first.pause(); // held in a batch, where heartbeats are ours
    await raw.produce(topic, byPartition(4));
    const opening = open(b, topic, group);
    await eventually(() => first.health().lastError?.code === 'E_KAFKA_REBALANCE');
    for (const { settle } of a.received.slice()) settle(ACK);
    await opening;
    first.resume();
    await eventually(() => a.received.length + b.received.length === 44);
    expect(await raw.committed(group, topic)).toEqual([10, 10, 10, 10]);
  });

  test('leaving gives the partitions back, and late settlements of an earlier ownership stay discarded', async () => {
    const topic = await raw.createTopic('leave', 4);
    const group = unique('group');
    const [a, b] = [new HoldingIntake(), new HoldingIntake()];
    const first = await open(a, topic, group, { rebalanceDrain: '0ms' });
    const second = await open(b, topic, group);
    await eventually(() => partitionsOf(first) === 2 && partitionsOf(second) === 2);
    await raw.produce(topic, byPartition(40));
    await eventually(() => a.received.length + b.received.length === 40);
    const inFlight = b.received.slice();
    await second.close();
    await eventually(() => partitionsOf(first) === 4);
    for (const { settle } of inFlight) settle(ACK); // after close: nobody commits them
    await eventually(() => a.received.length === 40);
    for (const { settle } of a.received.slice()) settle(ACK);
    await first.drained();
    expect(await raw.committed(group, topic)).toEqual([10, 10, 10, 10]);
  });
});
