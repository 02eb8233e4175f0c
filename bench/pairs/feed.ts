import { connect } from 'amqplib';
import { encode } from '../../src/adapters/rabbitmq/codec.ts';
import type { MeshEvent } from '../../src/core/event.ts';
import type { Place } from '../../test/setup/places/place.ts';
import { modeOf } from './event.ts';

/** How events enter at a steady rate: many small sends, none of which waits for another. */
export interface Feed {
  send(events: readonly MeshEvent[]): Promise<void>;
  close(): Promise<void>;
}

export async function openFeed(place: Place): Promise<Feed> {
  if (place.kind === 'rabbitmq') return rabbitmqFeed(place);
  return { send: (events) => place.produce(events, modeOf(place.kind)), close: async () => {} };
}

/** Without confirms: amqplib's `waitForConfirms` looks at every outstanding publish each time. */
async function rabbitmqFeed({ broker, source }: Place): Promise<Feed> {
  const model = await connect(broker['url'] as string, { noDelay: true });
  const channel = await model.createChannel();
  return {
    async send(events) {
      for (const event of events) {
        const { content, options } = encode(event, undefined, {
          encoding: 'binary',
          persistent: true,
          passHeaders: false,
        });
        channel.sendToQueue(source['queue'] as string, content, { ...options, mandatory: false });
      }
    },
    close: () => model.close(),
  };
}
