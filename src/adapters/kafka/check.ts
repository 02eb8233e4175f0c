import type { Admin } from 'kafkajs';
import { FairleadError } from '../../core/errors.ts';
import type { CheckItem } from '../../core/source.ts';
import { disconnect, type KafkaBroker } from './client.ts';
import type { KafkaSourceConfig } from './config.ts';
import { kafkaError } from './errors.ts';

/** Connects on its own, looks at topics and group, and disconnects. */
export async function checkSource(broker: KafkaBroker, config: KafkaSourceConfig, group: string): Promise<CheckItem[]> {
  return withOwnAdmin(broker, async (admin, items) => {
    for (const topic of config.topics) items.push(await checkTopic(admin, topic, config.autoCreateTopics));
    items.push(await attempt(`group ${group}`, () => admin.fetchOffsets({ groupId: group, topics: [] })));
  });
}

/** As {@link checkSource}; a templated topic cannot be looked up beforehand. Write permission shows only when something is written. */
export async function checkTarget(
  broker: KafkaBroker,
  topic: string | undefined,
  created: boolean,
): Promise<CheckItem[]> {
  return withOwnAdmin(broker, async (admin, items) => {
    if (topic !== undefined) items.push(await checkTopic(admin, topic, created));
  });
}

async function withOwnAdmin(
  broker: KafkaBroker,
  fn: (admin: Admin, items: CheckItem[]) => Promise<void>,
): Promise<CheckItem[]> {
  const items: CheckItem[] = [];
  const client = broker.client(`${broker.name}-check`);
  const admin = client.kafka.admin({ retry: { retries: 2 } });
  try {
    const connected = await attempt(`connect to ${broker.config.brokers.join(', ')}`, () => admin.connect());
    items.push(connected);
    if (connected.ok) await fn(admin, items);
  } finally {
    await disconnect(admin, client);
  }
  return items;
}

async function checkTopic(admin: Admin, topic: string, created: boolean): Promise<CheckItem> {
  const item = await attempt(`topic ${topic}`, async () => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const partitions = topics.find(({ name }) => name === topic)?.partitions ?? [];
    const leaderless = partitions.filter(({ leader }) => leader < 0).map(({ partitionId }) => partitionId);
    if (leaderless.length === 0) return;
    const message = `partitions ${leaderless.join(', ')} have no leader: a broker of theirs must come back`;
    throw new FairleadError({ code: 'E_KAFKA_LEADER', message });
  });
  if (item.code !== 'E_KAFKA_UNKNOWN_TOPIC') return item;
  if (created) return { what: item.what, ok: true, message: 'does not exist yet and will be created' };
  return { ...item, message: `topic ${topic} does not exist: create it or set autoCreateTopics` };
}

async function attempt(what: string, fn: () => Promise<unknown>): Promise<CheckItem> {
  try {
    await fn();
    return { what, ok: true };
  } catch (error) {
    const { code, message } = kafkaError(error, what);
    return { what, ok: false, code, message };
  }
}
