import kafkajs from 'kafkajs';
import { decodeRecord, encodeRecord } from '../../../src/adapters/kafka/codec.ts';
import { registerCodecs } from '../../../src/adapters/kafka/compression.ts';
import { unique } from '../unique.ts';
import { keyOf, type Place } from './place.ts';

export async function kafkaPlace(url: string, partitions = 4): Promise<Place> {
  registerCodecs();
  const bootstrap = new URL(url.replace(/^kafka:/, 'http:')).host;
  const kafka = new kafkajs.Kafka({ brokers: [bootstrap], clientId: 'place', logLevel: kafkajs.logLevel.NOTHING });
  const topic = unique('place');
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: partitions }] });
  await admin.disconnect();
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  let connected = false;
  const closers: (() => Promise<void>)[] = [];
  return {
    kind: 'kafka',
    broker: { type: 'kafka', brokers: [bootstrap] },
    source: { topics: [topic], startFrom: 'earliest', sessionTimeout: '6s', group: unique('group') },
    target: { topic, key: '{partitionkey}' },
    async produce(events, mode) {
      if (!connected) await producer.connect();
      connected = true;
      for (let at = 0; at < events.length; at += 500) {
        const messages = events.slice(at, at + 500).map((event) => {
          return { key: keyOf(event) ?? null, ...encodeRecord(event, mode, undefined) };
        });
        await producer.send({ topic, messages, acks: -1 });
      }
    },
    async read(onEvent) {
      const consumer = kafka.consumer({ groupId: unique('reader'), maxWaitTimeInMs: 50 });
      closers.push(() => consumer.disconnect());
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        eachBatch: async ({ batch }) => {
          for (const { value, headers } of batch.messages) {
            const decoded = decodeRecord(value, headers);
            if (!('event' in decoded)) throw new Error('not a CloudEvent');
            onEvent(decoded.event);
          }
        },
      });
    },
    async close() {
      for (const close of closers) await close();
      await producer.disconnect();
    },
  };
}
