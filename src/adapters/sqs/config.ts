import { z } from 'zod';
import { byteSize, duration, secret, template } from '../fields.ts';
import type { CommonSourceConfig, CommonTargetConfig } from '../spec.ts';

/** A queue's name, or its URL. */
const queue = z.string().regex(/^(?:[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo|https?:\/\/\S+)$/, {
  error: 'expected a queue name (letters, digits, "-", "_", ".fifo" at the end for FIFO) or a queue URL',
});

const broker = z.strictObject({
  region: z
    .string()
    .min(1)
    .optional()
    .describe('AWS region, e.g. `eu-central-1`. Default: what the AWS SDK finds (`AWS_REGION`, the profile).'),
  endpoint: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'URL of the SQS endpoint, for emulators, VPC endpoints and proxies. Its host wins over that of queue URLs.',
    ),
  credentials: z
    .strictObject({
      accessKeyId: secret().describe('Access key id.'),
      secretAccessKey: secret().describe('Secret access key.'),
      sessionToken: secret().optional().describe('Session token of temporary credentials.'),
    })
    .optional()
    .describe(
      'Static credentials. Default: the provider chain of the AWS SDK (environment, profile, container, instance role).',
    ),
  connectTimeout: duration({ minMs: 100 }).prefault('5s').describe('Bound of one connection attempt.'),
  requestTimeout: duration({ minMs: 100 })
    .prefault('15s')
    .describe('Bound of one request; a long poll has its wait time on top.'),
});

const source = z.strictObject({
  queue: queue.describe('Name or URL of the queue. A name that ends in `.fifo` is a FIFO queue.'),
  waitTime: duration({ minMs: 1_000, maxMs: 20_000 })
    .prefault('20s')
    .describe('Long poll: how long one receive waits for an event, in whole seconds from 1 s to 20 s.'),
  visibilityTimeout: duration({ minMs: 2_000, maxMs: 21_600_000 })
    .prefault('30s')
    .describe(
      'How long a received event stays invisible to others. It is extended while the event is unsettled, so this is the wait before redelivery after a crash, not a bound of the work.',
    ),
  pollers: z
    .int()
    .min(1)
    .max(32)
    .prefault(4)
    .describe('Receives under way at once while there is a backlog; an idle queue is polled by one.'),
  maxInFlight: z
    .int()
    .min(10)
    .max(100_000)
    .prefault(1_000)
    .describe('Events received and not yet settled at which polling stops (SQS itself ends at 120,000, FIFO 20,000).'),
});

const target = z.strictObject({
  queue: queue.describe('Name or URL of the queue. A name that ends in `.fifo` is a FIFO queue.'),
  maxBytes: byteSize({ min: 1_024, max: 2 ** 20 })
    .prefault('1MiB')
    .describe(
      'Largest event and largest batch as sent, attributes included: 1 MiB at AWS; emulators may still be at 256 KiB. An event over it is dead-lettered.',
    ),
  mirror: z
    .array(
      z
        .string()
        .regex(/^(?!specversion$)[a-z0-9]+$/, { error: 'expected a CloudEvents attribute name but specversion' }),
    )
    .max(10)
    .prefault(['type', 'source'])
    .describe(
      'CloudEvents attributes copied into message attributes (`ce_type`, …) for filtering. SQS has room for ten in all.',
    ),
  group: template()
    .optional()
    .describe(
      'Message group id. FIFO queues: default `{partitionkey}`, else the ordering key, else the source attribute. Standard queues: none unless given. Over 128 characters or with characters SQS refuses, its SHA-256 is sent.',
    ),
  deduplication: template()
    .optional()
    .describe(
      'Deduplication id on FIFO queues. Default: SHA-256 of source, id and route, so that a resend within five minutes is dropped by SQS.',
    ),
});

export const brokerSchema: z.ZodObject = broker;
export const sourceSchema: z.ZodObject = source;
export const targetSchema: z.ZodObject = target;

export type SqsBrokerConfig = z.output<typeof broker>;
export type SqsSourceConfig = z.output<typeof source> & CommonSourceConfig;
export type SqsTargetConfig = z.output<typeof target> & CommonTargetConfig;
