import { type Channel, type ConsumeMessage, connect, type Message, type Options } from 'amqplib';
import { keyIn } from './key.ts';
import type { RawBatch, RawEnd, RawEvent, RawHeaders, RawSource, RawTarget } from './types.ts';
import { Waiting } from './waiting.ts';

const PREFETCH = 500;
const WINDOW = 500;
const RING = 1_024;
const OPTIONS = { noDelay: true };

/** Acknowledges with one `multiple` frame per turn, up to the lowest tag that is not confirmed. */
export async function rabbitmqSource(end: RawEnd, onBatch: (batch: RawBatch) => void): Promise<RawSource> {
  const model = await connect(end.broker['url'] as string, OPTIONS);
  const channel = await model.createChannel();
  await channel.prefetch(PREFETCH);
  const acks = new Acks(channel);
  let arrived: ConsumeMessage[] = [];
  const handOver = (): void => {
    const messages = arrived;
    arrived = [];
    const first = messages[0]?.fields.deliveryTag ?? 0;
    onBatch({ events: messages.map(eventOf), confirmed: (index) => acks.confirmed(first + index) });
  };
  await channel.consume(end.at['queue'] as string, (message) => {
    if (message === null) return;
    if (arrived.push(message) === 1) setImmediate(handOver);
  });
  return {
    async close() {
      acks.flush();
      await channel.close();
      await model.close();
    },
  };
}

function eventOf({ content, properties }: ConsumeMessage): RawEvent {
  const headers = properties.headers as RawHeaders | undefined;
  const key = headers?.['cloudEvents_partitionkey'];
  return {
    payload: content,
    headers,
    contentType: properties.contentType as string | undefined,
    key: typeof key === 'string' ? key : keyIn(content),
  };
}

class Acks {
  readonly #channel: Channel;
  /** Confirmed tags by their place in the ring; the prefetch window bounds how far apart they are. */
  readonly #confirmed = new Uint8Array(RING);
  readonly #stub = { fields: { deliveryTag: 0 } } as Message;
  #acked = 0;
  #scheduled = false;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  confirmed(tag: number): void {
    this.#confirmed[tag % RING] = 1;
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.flush());
  }

  flush(): void {
    this.#scheduled = false;
    let tag = this.#acked;
    while (this.#confirmed[(tag + 1) % RING] === 1) {
      tag += 1;
      this.#confirmed[tag % RING] = 0;
    }
    if (tag === this.#acked) return;
    this.#acked = tag;
    this.#stub.fields.deliveryTag = tag;
    this.#channel.ack(this.#stub, true);
  }
}

/** Persistent, mandatory, confirmed; 500 in flight. Confirms come as events of the channel: no callback per publish. */
export async function rabbitmqTarget(end: RawEnd): Promise<RawTarget> {
  const model = await connect(end.broker['url'] as string, OPTIONS);
  const channel = await model.createConfirmChannel();
  const queue = end.at['queue'] as string;
  const waiting = new Waiting();
  const batches: (RawBatch | undefined)[] = new Array(RING).fill(undefined);
  const indices = new Uint32Array(RING);
  let published = 0;
  let lowest = 1;
  let outstanding = 0;
  const publish = (event: RawEvent, batch: RawBatch, index: number): void => {
    channel.publish('', queue, event.payload, optionsOf(event));
    published += 1;
    batches[published % RING] = batch;
    indices[published % RING] = index;
  };
  const pump = (): void => {
    const count = Math.min(WINDOW - outstanding, waiting.count);
    outstanding += count;
    waiting.take(count, publish);
  };
  const confirm = (tag: number): void => {
    const batch = batches[tag % RING];
    if (batch === undefined) return;
    batches[tag % RING] = undefined;
    outstanding -= 1;
    batch.confirmed(indices[tag % RING] as number);
  };
  channel.on('ack', ({ deliveryTag, multiple }: { deliveryTag: number; multiple: boolean }) => {
    for (let tag = multiple ? lowest : deliveryTag; tag <= deliveryTag; tag += 1) confirm(tag);
    while (lowest <= published && batches[lowest % RING] === undefined) lowest += 1;
    pump();
  });
  const refused = (): never => {
    throw new Error('the broker refused an event');
  };
  channel.on('nack', refused);
  channel.on('return', refused);
  return {
    send(batch) {
      waiting.push(batch);
      pump();
    },
    async close() {
      await channel.waitForConfirms();
      await model.close();
    },
  };
}

function optionsOf({ contentType, headers }: RawEvent): Options.Publish {
  const options: Options.Publish = { persistent: true, mandatory: true };
  if (contentType !== undefined) options.contentType = contentType;
  if (headers !== undefined) options.headers = headers;
  return options;
}
