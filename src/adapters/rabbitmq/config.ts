import { z } from 'zod';
import { byteSize, duration, secret, template } from '../fields.ts';
import type { CommonSourceConfig, CommonTargetConfig } from '../spec.ts';

/** A name on the wire is a short string: at most 255 bytes (AMQP 0-9-1 §4.2.5.3). */
const name = z
  .string()
  .min(1)
  .refine((text) => Buffer.byteLength(text) <= 255, { error: 'expected at most 255 bytes' });

const tableArguments = z.record(z.string().min(1), z.union([z.string(), z.number(), z.boolean()]));

const broker = z.strictObject({
  url: secret()
    .refine((text) => URL.canParse(text) && /^amqps?:$/.test(new URL(text).protocol), {
      error: 'expected amqp://user:password@host:5672/vhost or amqps://…',
    })
    .describe('`amqp://user:password@host:5672/vhost`, or `amqps://` for TLS. Without a path the virtual host is `/`.'),
  tls: z
    .strictObject({
      ca: z.string().optional().describe('PEM file of the authorities to trust instead of the system’s.'),
      cert: z.string().optional().describe('PEM file of the client certificate.'),
      key: z.string().optional().describe('PEM file of the client certificate’s private key.'),
      passphrase: secret().optional().describe('Passphrase of the private key.'),
      servername: z
        .string()
        .optional()
        .describe('Name expected in the broker’s certificate. Default: the host of `url`.'),
    })
    .optional()
    .describe('TLS files for `amqps://`, read again at every connect.'),
  heartbeat: duration({ minMs: 1_000, maxMs: 600_000 })
    .prefault('10s')
    .describe('Heartbeat interval, in whole seconds; a peer silent for two of them is taken for dead.'),
  connectTimeout: duration({ minMs: 100, maxMs: 600_000 })
    .prefault('10s')
    .describe('Bound of one connection attempt with its handshake, and of one set-up of a channel.'),
});

const queueDeclaration = z.strictObject({
  type: z
    .enum(['quorum', 'classic'])
    .prefault('quorum')
    .describe('`x-queue-type`: quorum is replicated, classic is not.'),
  durable: z.boolean().prefault(true).describe('The queue survives a restart of the broker; quorum queues always do.'),
  bindings: z
    .array(
      z.strictObject({
        exchange: name.describe('Exchange to bind to; it must exist.'),
        routingKey: z.string().prefault('').describe('Binding key, e.g. `orders.#`.'),
      }),
    )
    .prefault([])
    .describe('Bindings of the queue.'),
  arguments: tableArguments
    .prefault({})
    .describe('Further `x-` arguments, e.g. `x-dead-letter-exchange`, `x-delivery-limit`, `x-max-length`.'),
});

const exchangeDeclaration = z.strictObject({
  type: z.enum(['direct', 'fanout', 'headers', 'topic']).prefault('topic').describe('Type of the exchange.'),
  durable: z.boolean().prefault(true).describe('The exchange survives a restart of the broker.'),
  arguments: tableArguments.prefault({}).describe('Arguments, e.g. `alternate-exchange`.'),
});

const source = z.strictObject({
  queue: name.describe('Queue to consume. It must exist unless `declare` is given.'),
  declare: queueDeclaration
    .optional()
    .describe('Declare the queue and its bindings at every connect. Default: only check that the queue exists.'),
  prefetch: z
    .int()
    .min(1)
    .max(65_535)
    .prefault(500)
    .describe('Unsettled events the broker hands over at most: the bound of memory and of duplicates after a crash.'),
});

const target = z.strictObject({
  exchange: name
    .optional()
    .describe('Exchange to publish to. Without it events go to `queue` through the default exchange.'),
  queue: name
    .optional()
    .describe(
      'Queue to publish to; beside `exchange`, the queue whose backlog is shown (and that `declare.queue` declares).',
    ),
  routingKey: template()
    .optional()
    .describe(
      'Routing key on `exchange`, e.g. `{type}`; at most 255 bytes, default empty. Values with `#`, `*` or control characters are refused.',
    ),
  declare: z
    .strictObject({
      exchange: exchangeDeclaration.optional().describe('How to declare `exchange`.'),
      queue: queueDeclaration.optional().describe('How to declare `queue`.'),
    })
    .optional()
    .describe('Declare the topology at every connect. Default: only check that it exists.'),
  persistent: z
    .boolean()
    .prefault(true)
    .describe('Events survive a restart of the broker in durable queues. Off, a confirmed event may be lost.'),
  maxBytes: byteSize({ min: 1 })
    .prefault('16MiB')
    .describe(
      'Largest body; larger is dead-lettered, since RabbitMQ closes the channel on it (16 MiB is its default from 4.0 on).',
    ),
  confirmTimeout: duration({ minMs: 100 })
    .prefault('30s')
    .describe(
      'A link on which a publish stays unconfirmed this long, while the broker does not block it, is taken for dead.',
    ),
});

export const brokerSchema: z.ZodObject = broker;
export const sourceSchema: z.ZodObject = source;
export const targetSchema: z.ZodObject = target;

export type QueueDeclaration = z.output<typeof queueDeclaration>;
export type ExchangeDeclaration = z.output<typeof exchangeDeclaration>;
export type RabbitBrokerConfig = z.output<typeof broker>;
export type RabbitSourceConfig = z.output<typeof source> & CommonSourceConfig;
export type RabbitTargetConfig = z.output<typeof target> & CommonTargetConfig;
