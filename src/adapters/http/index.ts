import { type AdapterSpec, defineAdapter } from '../spec.ts';
import { HttpBroker } from './broker.ts';
import { VARIABLES } from './codec.ts';
import {
  brokerSchema,
  type HttpBrokerConfig,
  type HttpSourceConfig,
  type HttpTargetConfig,
  sourceSchema,
  targetSchema,
} from './config.ts';
import { lint } from './lint.ts';
import { HttpSource } from './source.ts';
import { HttpTarget } from './target.ts';

export const http: AdapterSpec = defineAdapter<HttpBrokerConfig, HttpSourceConfig, HttpTargetConfig, HttpBroker>({
  type: 'http',
  summary: 'Events POSTed to Fairlead, and web hooks: CloudEvents binary, structured and batched.',
  broker: brokerSchema,
  source: {
    schema: sourceSchema,
    features: {
      // the client owns the retry: what it was not told to be taken it sends again, or not
      redelivers: false,
      returns: false,
      delayedRetry: true,
      rejects: false,
      keyedOrder: true,
      competing: true,
      partitioned: false,
    },
    variables: VARIABLES,
  },
  target: {
    schema: targetSchema,
    features: { durability: 'broker', orderedBatch: false, binaryMode: true },
  },
  createBroker: (config, context) => new HttpBroker(config, context),
  createSource: (broker, config, context) => new HttpSource(broker.listener, config, context),
  createDryRunSource: (broker, config, _limit, context) => ({
    source: new HttpSource(broker.listener, config, context),
    settle: { verdict: 'retry', reason: 'this is a dry run: the event was looked at and not kept' },
    note: `${config.path} is served here, and every request answered with 503`,
  }),
  createTarget: (broker, config, context) => new HttpTarget(broker, config, context),
  lint,
});
