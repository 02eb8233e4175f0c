import type { AdapterSpec } from '../spec.ts';
import { defineAdapter } from '../spec.ts';
import { KafkaBroker } from './client.ts';
import {
  brokerSchema,
  type KafkaBrokerConfig,
  type KafkaSourceConfig,
  type KafkaTargetConfig,
  sourceSchema,
  targetSchema,
} from './config.ts';
import { dryRunSource } from './dry-run.ts';
import { lintKafka } from './lint.ts';
import { VARIABLES } from './records.ts';
import { KafkaSource } from './source.ts';
import { KafkaTarget } from './target.ts';

export const kafka: AdapterSpec = defineAdapter<KafkaBrokerConfig, KafkaSourceConfig, KafkaTargetConfig, KafkaBroker>({
  type: 'kafka',
  summary: 'Apache Kafka through kafkajs: consumer groups with contiguous commits; produces with acks=all.',
  broker: brokerSchema,
  source: {
    schema: sourceSchema,
    features: {
      redelivers: true,
      returns: false,
      delayedRetry: false,
      rejects: false,
      keyedOrder: true,
      competing: true,
      partitioned: true,
    },
    variables: VARIABLES,
  },
  target: {
    schema: targetSchema,
    features: { durability: 'replicated', orderedBatch: true, binaryMode: true },
  },
  createBroker: (config, context) => new KafkaBroker(config, context),
  createSource: (broker, config, context) => new KafkaSource(broker, config, context),
  createDryRunSource: (broker, config, _limit, context) => dryRunSource(broker, config, context),
  createTarget: (broker, config, context) => new KafkaTarget(broker, config, context),
  lint: lintKafka,
});
