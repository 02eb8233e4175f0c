import kafkajs, { type Admin, type Consumer, type IHeaders, type Kafka, type Message } from 'kafkajs';
import { kafka } from '../../../src/adapters/kafka/index.ts';
import type { AdapterContext, BrokerHandle } from '../../../src/adapters/spec.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { silentLog } from '../../../src/core/log.ts';
import type { Source } from '../../../src/core/source.ts';
import type { Target, TargetNotify } from '../../../src/core/target.ts';
import { brokerUrl } from '../../setup/brokers.ts';
import { eventually } from '../../setup/eventually.ts';
import { unique } from '../../setup/unique.ts';

export const quiet: TargetNotify = { available(): void {}, unavailable(): void {} };
export const never: AbortSignal = new AbortController().signal;

export function context(name: string): AdapterContext {
  return { name, gateway: 'test', instance: 'i1', log: silentLog, clock: systemClock, random: Math.random };
}

export function bootstrap(): string {
  return new URL(brokerUrl('KAFKA').replace(/^kafka:/, 'http:')).host;
}

export { unique };

type Fields = Readonly<Record<string, unknown>>;

export function brokerOf(fields: Fields = {}): BrokerHandle {
  return kafka.createBroker(
    kafka.broker.parse({ brokers: fields['brokers'] ?? [bootstrap()], ...fields }),
    context('kafka'),
  );
}

export function sourceOf(broker: BrokerHandle, fields: Fields, common: Fields = {}): Source {
  const config = { startFrom: 'earliest', sessionTimeout: '6s', heartbeatInterval: '500ms', ...fields };
  const parsed = kafka.source?.schema.parse(config) as object;
  return kafka.createSource?.(broker, { ...parsed, maxEventBytes: 2 ** 20, ...common }, context('in')) as Source;
}

export function targetOf(broker: BrokerHandle, fields: Fields, common: Fields = {}): Target {
  const parsed = kafka.target?.schema.parse(fields) as object;
  return kafka.createTarget?.(broker, { ...parsed, headers: 'drop', ...common }, context('out')) as Target;
}

/** A record as a raw client reads it. */
export interface RawRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: IHeaders;
}

/** A plain kafkajs client beside the adapter, for what tests put in and read back. */
export class RawKafka {
  readonly kafka: Kafka;
  #admin: Admin | undefined;
  readonly #consumers: Consumer[] = [];

  constructor(brokers: readonly string[] = [bootstrap()]) {
    this.kafka = new kafkajs.Kafka({ brokers: [...brokers], clientId: 'test', logLevel: kafkajs.logLevel.NOTHING });
  }

  async admin(): Promise<Admin> {
    if (this.#admin === undefined) {
      this.#admin = this.kafka.admin();
      await this.#admin.connect();
    }
    return this.#admin;
  }

  async createTopic(
    prefix: string,
    numPartitions = 1,
    configEntries: { name: string; value: string }[] = [],
  ): Promise<string> {
    const topic = unique(prefix);
    const admin = await this.admin();
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions, configEntries }] });
    // metadata names a leader before that leader serves the partition
    await eventually(() => admin.fetchTopicOffsets(topic));
    return topic;
  }

  async produce(topic: string, messages: Message[], compression = 0): Promise<void> {
    const producer = this.kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
    await producer.connect();
    await producer.send({ topic, messages, acks: -1, compression });
    await producer.disconnect();
  }

  /** Reads until `count` records of the topics are there; what kafkajs fetches twice over a rebalance counts once. */
  async read(topics: string[], count: number): Promise<RawRecord[]> {
    const records = new Map<string, RawRecord>();
    const consumer = this.kafka.consumer({ groupId: unique('reader'), maxWaitTimeInMs: 50 });
    this.#consumers.push(consumer);
    await consumer.connect();
    await consumer.subscribe({ topics, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ topic, partition, message }) => {
        const { key, value, headers = {} } = message;
        const offset = Number(message.offset);
        records.set(`${topic}/${partition}/${offset}`, { topic, partition, offset, key, value, headers });
      },
    });
    await eventually(() => records.size >= count);
    return [...records.values()];
  }

  /** The group's committed offset per partition, -1 where there is none. */
  async committed(group: string, topic: string): Promise<number[]> {
    const [found] = await (await this.admin()).fetchOffsets({ groupId: group, topics: [topic] });
    const partitions = [...(found?.partitions ?? [])].sort((a, b) => a.partition - b.partition);
    return partitions.map(({ offset }) => Number(offset));
  }

  async close(): Promise<void> {
    for (const consumer of this.#consumers.splice(0)) await consumer.disconnect();
    await this.#admin?.disconnect();
    this.#admin = undefined;
  }
}
