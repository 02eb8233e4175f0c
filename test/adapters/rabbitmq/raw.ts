import { randomUUID } from 'node:crypto';
import { type ChannelModel, type ConfirmChannel, connect, type GetMessage, type Options } from 'amqplib';
import { decode, encode } from '../../../src/adapters/rabbitmq/codec.ts';
import type {
  RabbitBrokerConfig,
  RabbitSourceConfig,
  RabbitTargetConfig,
} from '../../../src/adapters/rabbitmq/config.ts';
import type { EncodeOptions } from '../../../src/adapters/rabbitmq/encoder.ts';
import type { MeshEvent } from '../../../src/core/event.ts';
import { brokerUrl } from '../../setup/brokers.ts';
import { eventually } from '../../setup/eventually.ts';

export type QueueType = 'quorum' | 'classic';

/** What the schema would make of a broker entry with this URL. */
export function brokerConfig(
  url: string = brokerUrl('RABBITMQ'),
  over: Partial<RabbitBrokerConfig> = {},
): RabbitBrokerConfig {
  return { url, heartbeat: 10_000, connectTimeout: 5_000, ...over };
}

export function sourceConfig(queue: string, over: Partial<RabbitSourceConfig> = {}): RabbitSourceConfig {
  return { queue, prefetch: 500, maxEventBytes: 2 ** 20, ...over };
}

export function targetConfig(over: Partial<RabbitTargetConfig>): RabbitTargetConfig {
  return { persistent: true, maxBytes: 16 * 2 ** 20, confirmTimeout: 30_000, headers: 'drop', ...over };
}

/** The body and properties of an event on the wire. */
export function wire(event: MeshEvent, encoding: EncodeOptions['encoding'] = 'binary'): [Buffer, Options.Publish] {
  const { content, options } = encode(event, undefined, { encoding, persistent: true, passHeaders: false });
  return [content, { ...options, mandatory: false }];
}

/** Decodes a message that must be a CloudEvent. */
export function unwire(message: GetMessage): MeshEvent {
  return decode(message, () => {
    throw new Error('not a CloudEvent');
  }).event;
}

/** amqplib by itself, beside the adapter under test. */
export class RawClient {
  readonly model: ChannelModel;
  readonly channel: ConfirmChannel;
  readonly #queues: string[] = [];
  readonly #exchanges: string[] = [];

  constructor(model: ChannelModel, channel: ConfirmChannel) {
    this.model = model;
    this.channel = channel;
  }

  static async connect(url: string = brokerUrl('RABBITMQ')): Promise<RawClient> {
    const model = await connect(url, { noDelay: true });
    return new RawClient(model, await model.createConfirmChannel());
  }

  /** Declares a durable queue that `close` deletes, and resolves with its name. */
  async queue(
    type: QueueType = 'classic',
    args: Record<string, unknown> = {},
    name = `t-${randomUUID()}`,
  ): Promise<string> {
    await this.channel.assertQueue(name, { durable: true, arguments: { ...args, 'x-queue-type': type } });
    this.#queues.push(name);
    return name;
  }

  async exchange(type: string): Promise<string> {
    const name = `t-${randomUUID()}`;
    await this.channel.assertExchange(name, type, { durable: true });
    this.#exchanges.push(name);
    return name;
  }

  /** Publishes to a queue; confirmed when it resolves. */
  async put(queue: string, content: Buffer, options: Options.Publish = {}): Promise<void> {
    this.channel.sendToQueue(queue, content, { persistent: true, ...options });
    await this.channel.waitForConfirms();
  }

  async putEvents(queue: string, events: readonly MeshEvent[]): Promise<void> {
    for (const event of events) this.channel.sendToQueue(queue, ...wire(event));
    await this.channel.waitForConfirms();
  }

  /** Takes messages off a queue until `count` are there. */
  async take(queue: string, count: number): Promise<GetMessage[]> {
    const messages: GetMessage[] = [];
    await eventually(async () => {
      for (;;) {
        const message = await this.channel.get(queue, { noAck: true });
        if (message === false) break;
        messages.push(message);
      }
      if (messages.length < count) throw new Error(`${messages.length} of ${count} messages in ${queue}`);
    });
    return messages;
  }

  async depth(queue: string): Promise<number> {
    return (await this.channel.checkQueue(queue)).messageCount;
  }

  async close(): Promise<void> {
    for (const queue of this.#queues) await this.channel.deleteQueue(queue);
    for (const exchange of this.#exchanges) await this.channel.deleteExchange(exchange);
    await this.model.close();
  }
}
