import { z } from 'zod';
import { byteSize, duration, secret, template } from '../fields.ts';
import type { CommonSourceConfig, CommonTargetConfig } from '../spec.ts';
import { sasl } from './config-sasl.ts';
import { schemaRegistry } from './registry/config.ts';

const topicName = z.string().regex(/^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}$/, {
  error: 'expected a topic name: 1 to 249 letters, digits, ".", "_", "-"',
});

const broker = z.strictObject({
  brokers: z
    .array(z.string().regex(/^[^\s:/@]+:\d{1,5}$/, { error: 'expected host:port' }))
    .min(1)
    .describe('Bootstrap servers as `host:port`; the others are found through them. IPv6 literals are not possible.'),
  clientId: z.string().min(1).optional().describe('Client id shown by the broker. Default: the gateway and the name.'),
  sasl: sasl.optional().describe('Authentication. Default: none.'),
  tls: z
    .union([
      z.boolean(),
      z.strictObject({
        ca: z.string().min(1).optional().describe('File with the certificate authority, PEM. Default: those of Node.'),
        cert: z.string().min(1).optional().describe('File with the client certificate, PEM (mutual TLS).'),
        key: z.string().min(1).optional().describe('File with the private key of the client certificate, PEM.'),
        passphrase: secret().optional().describe('Passphrase of the private key.'),
        serverName: z.string().min(1).optional().describe('Name expected in the certificate, if not the host.'),
      }),
    ])
    .optional()
    .describe('`true` for TLS with the default authorities, or files. Read at start.'),
  connectTimeout: duration({ minMs: 100 }).prefault('5s').describe('Bound of one connection attempt.'),
  requestTimeout: duration({ minMs: 1_000 })
    .prefault('30s')
    .describe('Bound of one request; after it the outcome of a send is unknown.'),
});

const source = z.strictObject({
  topics: z.array(topicName).min(1).describe('Topics to consume. Names only, no patterns.'),
  group: z
    .string()
    .min(1)
    .max(249)
    .optional()
    .describe('Consumer group. Default `<gateway>.<source>`: replicas of one gateway share the partitions.'),
  startFrom: z
    .enum(['earliest', 'latest'])
    .describe('Where a group that has no committed position yet begins. Mandatory: neither is a safe guess.'),
  sessionTimeout: duration({ minMs: 6_000, maxMs: 1_800_000 })
    .prefault('10s')
    .describe('Without heartbeats for this long a member is dead; after a kill its partitions stand still that long.'),
  heartbeatInterval: duration({ minMs: 100 })
    .prefault('3s')
    .describe('Time between heartbeats; a third of the session.'),
  rebalanceTimeout: duration({ minMs: 1_000 }).prefault('30s').describe('How long members have to rejoin a rebalance.'),
  rebalanceDrain: duration()
    .prefault('5s')
    .describe('How long a rebalance is held up for unsettled events to be confirmed before partitions may move.'),
  fetchMaxBytes: byteSize({ min: 1_024 })
    .prefault('4MiB')
    .describe('Bytes per fetch and broker. Not a hard cap in Kafka.'),
  fetchMaxBytesPerPartition: byteSize({ min: 1_024 }).prefault('1MiB').describe('Bytes per fetch and partition.'),
  fetchMaxWait: duration({ minMs: 5, maxMs: 30_000 })
    .prefault('100ms')
    .describe('How long the broker holds an empty fetch; also the delay of a resume when all partitions are paused.'),
  commitInterval: duration({ minMs: 10 }).prefault('200ms').describe('Positions are committed this often.'),
  partitionWindow: z
    .strictObject({
      maxEvents: z.int().min(1).prefault(10_000).describe('Events above the committed position of one partition.'),
      maxBytes: byteSize({ min: 1_024 }).prefault('16MiB').describe('Bytes of them.'),
    })
    .prefault({})
    .describe('Bounds of what one partition may have delivered beyond its settled position; past them it pauses.'),
  readUncommitted: z.boolean().prefault(false).describe('Deliver records of open and aborted transactions too.'),
  autoCreateTopics: z.boolean().prefault(false).describe('Let the broker create missing topics, if it allows that.'),
  schemaRegistry: schemaRegistry
    .optional()
    .describe(
      'Confluent-compatible registry with which values in its wire format (Avro, JSON Schema) become JSON. Default: none.',
    ),
});

const target = z.strictObject({
  topic: template().describe('Topic, a template over attributes. An event without the attribute is dead-lettered.'),
  key: template()
    .optional()
    .describe(
      'Record key, a template over attributes, e.g. `{partitionkey}`; an event without the attribute has no key. Default: the native key of the source with `headers: pass`, else none.',
    ),
  partition: z
    .int()
    .nonnegative()
    .optional()
    .describe(
      'Fixed partition. Default: by key as the Java client does (murmur2); without a key one partition per send.',
    ),
  compression: z
    .enum(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
    .prefault('none')
    .describe('Compression of record batches.'),
  maxBatchBytes: byteSize({ min: 1_024 })
    .prefault('900KiB')
    .describe('Largest record batch for one partition; keep it under the `max.message.bytes` of the topics.'),
  watchGroup: z
    .string()
    .min(1)
    .optional()
    .describe('Consumer group behind a fixed topic whose lag counts as the backlog of this target.'),
  autoCreateTopics: z.boolean().prefault(false).describe('Let the broker create missing topics, if it allows that.'),
});

export const brokerSchema: z.ZodObject = broker;
export const sourceSchema: z.ZodObject = source;
export const targetSchema: z.ZodObject = target;

export type KafkaBrokerConfig = z.output<typeof broker>;
export type KafkaSourceConfig = z.output<typeof source> & CommonSourceConfig;
export type KafkaTargetConfig = z.output<typeof target> & CommonTargetConfig;

/** Whether a rendered template is a topic that Kafka accepts. */
export function isTopicName(name: string): boolean {
  return topicName.safeParse(name).success;
}
