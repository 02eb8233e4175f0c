import net from 'node:net';
import kafkajs, { type EachBatchPayload, type ISocketFactory, type Message } from 'kafkajs';
import type { RawBatch, RawEnd, RawEvent, RawHeaders, RawSource, RawTarget } from './types.ts';
import { Waiting } from './waiting.ts';

const MAX_IN_FLIGHT = 10_000;
const COMMIT_MS = 200;
const REQUESTS = 2;
const REQUEST_EVENTS = 1_000;

const socketFactory: ISocketFactory = ({ host, port, onConnect }) =>
  net.connect({ host, port, noDelay: true, keepAlive: true }, onConnect);

function client({ broker }: RawEnd): kafkajs.Kafka {
  const { Kafka, logLevel } = kafkajs;
  return new Kafka({
    brokers: broker['brokers'] as string[],
    clientId: 'raw',
    logLevel: logLevel.NOTHING,
    socketFactory,
  });
}

/** One partition's share of a fetch: its last offset is committed when all of it and all before it is confirmed. */
class Fetched implements RawBatch {
  readonly events: readonly RawEvent[];
  readonly next: string;
  left: number;
  readonly #source: KafkaRawSource;

  constructor(events: readonly RawEvent[], lastOffset: string, source: KafkaRawSource) {
    this.events = events;
    this.next = String(BigInt(lastOffset) + 1n);
    this.left = events.length;
    this.#source = source;
  }

  confirmed(): void {
    this.left -= 1;
    this.#source.settled();
  }
}

/** Fetches on while batches are under way; commits the contiguous position of each partition every 200 ms. */
class KafkaRawSource implements RawSource {
  readonly #topic: string;
  readonly #consumer: kafkajs.Consumer;
  readonly #onBatch: (batch: RawBatch) => void;
  readonly #partitions = new Map<number, Fetched[]>();
  #inFlight = 0;
  #resume: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(end: RawEnd, onBatch: (batch: RawBatch) => void) {
    this.#topic = (end.at['topics'] as string[])[0] as string;
    this.#onBatch = onBatch;
    this.#consumer = client(end).consumer({
      groupId: end.at['group'] as string,
      maxBytes: 4 * 2 ** 20,
      maxWaitTimeInMs: 100,
    });
  }

  async open(): Promise<void> {
    const consumer = this.#consumer;
    await consumer.connect();
    await consumer.subscribe({ topics: [this.#topic], fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatch: (payload) => this.#fetched(payload) });
    this.#timer = setInterval(() => void this.#commit(), COMMIT_MS);
  }

  settled(): void {
    this.#inFlight -= 1;
    if (this.#resume === undefined || this.#inFlight > MAX_IN_FLIGHT / 2) return;
    this.#resume();
    this.#resume = undefined;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#commit();
    await this.#consumer.disconnect();
  }

  async #fetched({ batch: { partition, messages } }: EachBatchPayload): Promise<void> {
    const events = messages.map(({ value, headers, key }) => ({
      payload: value as Buffer,
      headers: headers as RawHeaders | undefined,
      contentType: undefined,
      key: key?.toString('latin1'),
    }));
    const fetched = new Fetched(events, messages.at(-1)?.offset ?? '0', this);
    const queue = this.#partitions.get(partition);
    if (queue === undefined) this.#partitions.set(partition, [fetched]);
    else queue.push(fetched);
    this.#inFlight += events.length;
    this.#onBatch(fetched);
    if (this.#inFlight < MAX_IN_FLIGHT) return;
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
    });
  }

  async #commit(): Promise<void> {
    const offsets: kafkajs.TopicPartitionOffset[] = [];
    for (const [partition, queue] of this.#partitions) {
      let done: Fetched | undefined;
      while (queue[0]?.left === 0) done = queue.shift();
      if (done !== undefined) offsets.push({ topic: this.#topic, partition, offset: done.next });
    }
    if (offsets.length > 0) await this.#consumer.commitOffsets(offsets);
  }
}

export async function kafkaSource(end: RawEnd, onBatch: (batch: RawBatch) => void): Promise<RawSource> {
  const source = new KafkaRawSource(end, onBatch);
  await source.open();
  return source;
}

/** Produces with acks=all: while requests are under way the next one gathers. */
export async function kafkaTarget(end: RawEnd): Promise<RawTarget> {
  const topic = end.at['topic'] as string;
  const producer = client(end).producer({
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    retry: { retries: 0 },
  });
  await producer.connect();
  const waiting = new Waiting();
  let requests = 0;
  const pump = (): void => {
    while (requests < REQUESTS && waiting.count > 0) {
      const messages: Message[] = [];
      const batches: RawBatch[] = [];
      const indices: number[] = [];
      waiting.take(REQUEST_EVENTS, (event, batch, index) => {
        messages.push({ key: event.key ?? null, value: event.payload, headers: headersOf(event) });
        batches.push(batch);
        indices.push(index);
      });
      requests += 1;
      void producer.sendBatch({ acks: -1, topicMessages: [{ topic, messages }] }).then(() => {
        requests -= 1;
        for (let n = 0; n < batches.length; n += 1) batches[n]?.confirmed(indices[n] as number);
        pump();
      });
    }
  };
  return {
    send(batch) {
      waiting.push(batch);
      pump();
    },
    close: () => producer.disconnect(),
  };
}

function headersOf({ headers, contentType }: RawEvent): Record<string, string | Buffer> {
  if (contentType === undefined) return (headers as Record<string, string | Buffer>) ?? {};
  return { ...headers, 'content-type': contentType };
}
