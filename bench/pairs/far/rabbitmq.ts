import { connect } from 'amqplib';
import type { Place } from '../../../test/setup/places/place.ts';
import type { FarEnd } from './far.ts';

/** Counts by the length of the queue; reads without acknowledgement. */
export async function rabbitmqFar({ broker, target }: Place): Promise<FarEnd> {
  const queue = target['queue'] as string;
  const model = await connect(broker['url'] as string, { noDelay: true });
  const channel = await model.createChannel();
  return {
    depth: async () => (await channel.checkQueue(queue)).messageCount,
    async listen(onPayload) {
      await channel.consume(queue, (message) => message !== null && onPayload(message.content), { noAck: true });
    },
    close: () => model.close(),
  };
}
