import { randomUUID } from 'node:crypto';
import type { AdapterContext, DryRunSource } from '../spec.ts';
import type { KafkaBroker } from './client.ts';
import type { KafkaSourceConfig } from './config.ts';
import { KafkaSource } from './source.ts';

/** A source in a group of its own, so that the members of the real one are not disturbed and its positions stay. */
export function dryRunSource(broker: KafkaBroker, config: KafkaSourceConfig, context: AdapterContext): DryRunSource {
  const like = config.group ?? `${context.gateway}.${context.name}`;
  const group = `${like}.dry-run-${randomUUID().slice(0, 8)}`;
  return {
    source: new KafkaSource(broker, { ...config, group, autoCreateTopics: false }, context, like),
    settle: undefined,
    note: `${config.topics.join(', ')} is read from where group ${like} stands, by the group ${group}, which commits nothing`,
  };
}
