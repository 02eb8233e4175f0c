import { type AdapterSpec, defineAdapter, type LintEntry, type LintFinding } from '../spec.ts';
import { RabbitBroker } from './broker.ts';
import {
  brokerSchema,
  type RabbitBrokerConfig,
  type RabbitSourceConfig,
  type RabbitTargetConfig,
  sourceSchema,
  targetSchema,
} from './config.ts';
import { VARIABLES } from './delivery.ts';
import { RabbitSource } from './source.ts';
import { RabbitTarget } from './target.ts';

/** RabbitMQ (and what else speaks AMQP 0-9-1 with its extensions) through amqplib. */
export const rabbitmq: AdapterSpec = defineAdapter<
  RabbitBrokerConfig,
  RabbitSourceConfig,
  RabbitTargetConfig,
  RabbitBroker
>({
  type: 'rabbitmq',
  summary: 'RabbitMQ (AMQP 0-9-1): quorum and classic queues, exchanges, confirms',
  broker: brokerSchema,
  source: {
    schema: sourceSchema,
    features: {
      redelivers: true,
      returns: true,
      delayedRetry: false,
      rejects: true,
      keyedOrder: true,
      competing: true,
      partitioned: false,
    },
    variables: VARIABLES,
  },
  target: {
    schema: targetSchema,
    features: {
      durability: 'replicated',
      orderedBatch: false, // a nack may hit the middle of a batch
      binaryMode: true,
    },
  },
  createBroker: (config, context) => new RabbitBroker(config, context),
  createSource: (broker, config, context) => new RabbitSource(broker, config, context),
  createDryRunSource(broker, config, limit, context) {
    const prefetch = Math.min(limit, 65_535);
    return {
      source: new RabbitSource(broker, { ...config, declare: undefined, prefetch }, context),
      settle: undefined,
      note: `queue ${config.queue} lends up to ${prefetch} events, unacknowledged, and gets them back at the end, marked as redelivered; a delivery limit may count that`,
    };
  },
  createTarget: (broker, config, context) => new RabbitTarget(broker, config, context),
  lint,
});

function lint({ kind, config }: LintEntry): LintFinding[] {
  if (kind === 'target') return lintTarget(config);
  if (kind !== 'broker') return [];
  const tls = config['tls'] !== undefined;
  const url = String(config['url'] ?? '');
  if (!tls || url.startsWith('amqps:')) return [];
  return [finding('warning', 'W_RABBITMQ_TLS', ['tls'], '"tls" has no effect: the url is not amqps://')];
}

function lintTarget(config: LintEntry['config']): LintFinding[] {
  const { exchange, queue, routingKey, declare, persistent } = config;
  const { exchange: declaredExchange, queue: declaredQueue } = (declare ?? {}) as Record<string, unknown>;
  const findings: LintFinding[] = [];
  if (exchange === undefined && queue === undefined) {
    findings.push(finding('error', 'E_CONFIG_RABBITMQ_ADDRESS', [], 'give "exchange" (with "routingKey") or "queue"'));
  }
  if (exchange === undefined && routingKey !== undefined) {
    const text = '"routingKey" needs "exchange": without one the routing key is the queue';
    findings.push(finding('error', 'E_CONFIG_RABBITMQ_ADDRESS', ['routingKey'], text));
  }
  if (exchange === undefined && declaredExchange !== undefined) {
    const text = '"declare.exchange" needs "exchange", its name';
    findings.push(finding('error', 'E_CONFIG_RABBITMQ_DECLARE', ['declare', 'exchange'], text));
  }
  if (queue === undefined && declaredQueue !== undefined) {
    const text = '"declare.queue" needs "queue", its name';
    findings.push(finding('error', 'E_CONFIG_RABBITMQ_DECLARE', ['declare', 'queue'], text));
  }
  if (persistent === false) {
    const text = 'confirmed events are lost when the broker restarts ("persistent" is off)';
    findings.push(finding('warning', 'W_RABBITMQ_TRANSIENT', ['persistent'], text));
  }
  return findings;
}

function finding(
  severity: LintFinding['severity'],
  code: string,
  path: LintFinding['path'],
  message: string,
): LintFinding {
  return { severity, code, path, message };
}
