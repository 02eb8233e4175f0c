import { type AdapterSpec, defineAdapter, type LintEntry, type LintFinding } from '../spec.ts';
import { SqsBroker } from './client.ts';
import {
  brokerSchema,
  type SqsBrokerConfig,
  type SqsSourceConfig,
  type SqsTargetConfig,
  sourceSchema,
  targetSchema,
} from './config.ts';
import { VARIABLES } from './decode.ts';
import { SqsSource } from './source.ts';
import { SqsTarget } from './target.ts';

export const sqs: AdapterSpec = defineAdapter<SqsBrokerConfig, SqsSourceConfig, SqsTargetConfig, SqsBroker>({
  type: 'sqs',
  summary: 'Amazon SQS and what speaks its protocol: standard and FIFO queues.',
  broker: brokerSchema,
  source: {
    schema: sourceSchema,
    features: {
      redelivers: true,
      returns: true,
      delayedRetry: true,
      // SQS has no reject: the redrive policy moves an event aside after maxReceiveCount receives
      rejects: false,
      keyedOrder: true,
      competing: true,
      partitioned: false,
    },
    variables: VARIABLES,
  },
  target: {
    schema: targetSchema,
    // a standard queue keeps no order of its own, so there is none to break by sending at once
    features: { durability: 'replicated', orderedBatch: true, maxBytes: 2 ** 20, binaryMode: true },
  },
  createBroker: (config) => new SqsBroker(config),
  createSource: (broker, config, context) => new SqsSource(broker, config, context),
  createDryRunSource(broker, config, limit, context) {
    const maxInFlight = Math.max(10, limit);
    const source = new SqsSource(broker, { ...config, maxInFlight, pollers: 1, waitTime: 1_000 }, context);
    const note = `queue ${config.queue} hides what is read until the end; its receive count rises, which a redrive policy counts, and a FIFO queue shows one event per group`;
    return { source, settle: undefined, note };
  },
  createTarget: (broker, config, context) => new SqsTarget(broker, config, context),
  lint,
});

function lint({ kind, config, broker }: LintEntry): readonly LintFinding[] {
  if (kind === 'target' && config['deduplication'] !== undefined && !isFifo(config['queue'])) {
    const message = 'only FIFO queues (their name ends in ".fifo") deduplicate: this has no effect';
    return [{ severity: 'warning', code: 'W_SQS_FIFO_ONLY', path: ['deduplication'], message }];
  }
  if (kind === 'broker' && broker['credentials'] !== undefined && isPlainRemote(broker['endpoint'])) {
    const message = 'the endpoint is plain HTTP on another host: events travel unencrypted';
    return [{ severity: 'warning', code: 'W_SQS_PLAIN_HTTP', path: ['endpoint'], message }];
  }
  return [];
}

function isFifo(queue: unknown): boolean {
  return typeof queue === 'string' && queue.endsWith('.fifo');
}

function isPlainRemote(endpoint: unknown): boolean {
  if (typeof endpoint !== 'string' || !endpoint.startsWith('http://') || !URL.canParse(endpoint)) return false;
  return !/^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(endpoint).hostname);
}
