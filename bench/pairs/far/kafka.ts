import kafkajs from 'kafkajs';
import type { Place } from '../../../test/setup/places/place.ts';
import { unique } from '../../../test/setup/unique.ts';
import type { FarEnd } from './far.ts';

/** Counts by the ends of the partitions. */
export async function kafkaFar({ broker, target }: Place): Promise<FarEnd> {
  const topic = target['topic'] as string;
  const { Kafka, logLevel } = kafkajs;
  const kafka = new Kafka({
    brokers: broker['brokers'] as string[],
    clientId: 'bench',
    logLevel: logLevel.NOTHING,
  });
  const admin = kafka.admin();
  await admin.connect();
  const consumer = kafka.consumer({ groupId: unique('bench'), maxWaitTimeInMs: 100 });
  return {
    async depth() {
      const offsets = await admin.fetchTopicOffsets(topic);
      return offsets.reduce((sum, { high }) => sum + Number(high), 0);
    },
    async listen(onPayload) {
      await consumer.connect();
      const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch: { messages } }) => {
          for (const { value } of messages) onPayload(value as Buffer);
        },
      });
      await joined;
    },
    async close() {
      await consumer.disconnect();
      await admin.disconnect();
    },
  };
}
