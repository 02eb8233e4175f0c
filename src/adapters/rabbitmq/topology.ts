import type { Channel } from 'amqplib';
import type { ExchangeDeclaration, QueueDeclaration } from './config.ts';

/** Declares the queue with its bindings where a declaration is given, else only checks that it exists. */
export async function ensureQueue(
  channel: Channel,
  queue: string,
  declare: QueueDeclaration | undefined,
): Promise<void> {
  if (declare === undefined) {
    await channel.checkQueue(queue);
    return;
  }
  await channel.assertQueue(queue, {
    durable: declare.durable,
    arguments: { ...declare.arguments, 'x-queue-type': declare.type },
  });
  for (const { exchange, routingKey } of declare.bindings) await channel.bindQueue(queue, exchange, routingKey);
}

/** Declares the exchange where a declaration is given, else only checks that it exists. */
export async function ensureExchange(
  channel: Channel,
  exchange: string,
  declare: ExchangeDeclaration | undefined,
): Promise<void> {
  if (declare === undefined) await channel.checkExchange(exchange);
  else await channel.assertExchange(exchange, declare.type, { durable: declare.durable, arguments: declare.arguments });
}
