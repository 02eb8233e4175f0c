import { type AdapterSpec, defineAdapter } from '../spec.ts';
import { MemoryBroker } from './broker.ts';
import {
  type BrokerConfig,
  brokerSchema,
  type SourceConfig,
  sourceSchema,
  type TargetConfig,
  targetSchema,
} from './config.ts';
import { MemorySource } from './source.ts';
import { MemoryTarget } from './target.ts';

/** The reference adapter: topics in the process, for tests, demos and as the example to copy. */
export const memory: AdapterSpec = defineAdapter<BrokerConfig, SourceConfig, TargetConfig, MemoryBroker>({
  type: 'memory',
  summary: 'Topics in the process: the reference adapter, for tests and demos; nothing survives a restart.',
  broker: brokerSchema,
  source: {
    schema: sourceSchema,
    features: {
      redelivers: true,
      returns: true,
      delayedRetry: true,
      rejects: true,
      keyedOrder: true,
      competing: true,
      partitioned: false,
    },
    variables: ['topic', 'key', 'offset'],
  },
  target: {
    schema: targetSchema,
    features: { durability: 'none', orderedBatch: true, binaryMode: true },
  },
  createBroker: (config) => new MemoryBroker(config.maxEvents),
  createSource: (broker, config, context) => new MemorySource(broker.topic(config.topic), config, context),
  createDryRunSource: (broker, config, _limit, context) => ({
    source: new MemorySource(broker.topic(config.topic), config, context),
    settle: undefined,
    note: `topic ${config.topic} is in this process, so nothing is in it`,
  }),
  createTarget: (broker, config) => new MemoryTarget(broker.topic(config.topic), config),
});
