import { z } from 'zod';
import { byteSize, duration, secret, template } from '../fields.ts';
import type { CommonSourceConfig, CommonTargetConfig } from '../spec.ts';

type Table = Readonly<Record<string, string | number | boolean>>;

export interface RabbitBrokerConfig {
  readonly url: string;
  readonly tls?:
    | {
        readonly ca?: string | undefined;
        readonly cert?: string | undefined;
        readonly key?: string | undefined;
        readonly passphrase?: string | undefined;
        readonly servername?: string | undefined;
      }
    | undefined;
  /** Milliseconds. */
  readonly heartbeat: number;
  /** Milliseconds. */
  readonly connectTimeout: number;
}

export interface QueueDeclaration {
  readonly type: 'quorum' | 'classic';
  readonly durable: boolean;
  readonly bindings: readonly { readonly exchange: string; readonly routingKey: string }[];
  readonly arguments: Table;
}

export interface ExchangeDeclaration {
  readonly type: 'direct' | 'fanout' | 'headers' | 'topic';
  readonly durable: boolean;
  readonly arguments: Table;
}

interface Source {
  readonly queue: string;
  readonly declare?: QueueDeclaration | undefined;
  readonly prefetch: number;
}

interface Target {
  readonly exchange?: string | undefined;
  readonly queue?: string | undefined;
  readonly routingKey?: string | undefined;
  readonly declare?:
    | { readonly exchange?: ExchangeDeclaration | undefined; readonly queue?: QueueDeclaration | undefined }
    | undefined;
  readonly persistent: boolean;
  readonly maxBytes: number;
  /** Milliseconds. */
  readonly confirmTimeout: number;
}

export type RabbitSourceConfig = Source & CommonSourceConfig;
export type RabbitTargetConfig = Target & CommonTargetConfig;

/** A name on the wire is a short string: at most 255 bytes (AMQP 0-9-1 §4.2.5.3). */
const name: z.ZodType<string> = z
  .string()
  .min(1)
  .refine((text) => Buffer.byteLength(text) <= 255, { error: 'expected at most 255 bytes' });

const tableArguments: z.ZodType<Table> = z.record(z.string().min(1), z.union([z.string(), z.number(), z.boolean()]));

export const brokerSchema: z.ZodObject & z.ZodType<RabbitBrokerConfig> = z.strictObject({
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

const queueDeclaration: z.ZodType<QueueDeclaration> = z.strictObject({
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

const exchangeDeclaration: z.ZodType<ExchangeDeclaration> = z.strictObject({
  type: z.enum(['direct', 'fanout', 'headers', 'topic']).prefault('topic').describe('Type of the exchange.'),
  durable: z.boolean().prefault(true).describe('The exchange survives a restart of the broker.'),
  arguments: tableArguments.prefault({}).describe('Arguments, e.g. `alternate-exchange`.'),
});

export const sourceSchema: z.ZodObject & z.ZodType<Source> = z.strictObject({
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

export const targetSchema: z.ZodObject & z.ZodType<Target> = z.strictObject({
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
