import { connect } from 'amqplib';
import { decode, encode } from '../../../src/adapters/rabbitmq/codec.ts';
import { unique } from '../unique.ts';
import type { Place } from './place.ts';

export async function rabbitmqPlace(url: string, type: 'quorum' | 'classic' = 'classic'): Promise<Place> {
  const model = await connect(url, { noDelay: true });
  // A broker that a test stops closes this connection; what waits on it fails by itself.
  model.on('error', () => undefined);
  const channel = await model.createConfirmChannel();
  channel.on('error', () => undefined);
  const queue = unique('place');
  await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': type } });
  const closers: (() => Promise<void>)[] = [];
  const wrap = (): never => {
    throw new Error('not a CloudEvent');
  };
  return {
    kind: 'rabbitmq',
    broker: { type: 'rabbitmq', url },
    source: { queue },
    target: { queue },
    async produce(events, encoding) {
      for (const event of events) {
        const { content, options } = encode(event, undefined, { encoding, persistent: true, passHeaders: false });
        channel.sendToQueue(queue, content, { ...options, mandatory: false });
      }
      await channel.waitForConfirms();
    },
    async read(onEvent) {
      const own = await connect(url, { noDelay: true });
      own.on('error', () => undefined);
      closers.push(() => own.close());
      const reader = await own.createChannel();
      reader.on('error', () => undefined);
      await reader.prefetch(500);
      await reader.consume(queue, (message) => {
        if (message === null) return;
        onEvent(decode(message, wrap).event);
        reader.ack(message);
      });
    },
    async close() {
      for (const close of closers) await close();
      await channel.deleteQueue(queue);
      await model.close();
    },
  };
}
