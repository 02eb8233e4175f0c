import type { Consumer } from 'kafkajs';
import { fullJitter, RECONNECT } from '../../core/backoff.ts';
import type { AdapterContext } from '../spec.ts';
import type { KafkaBroker } from './client.ts';
import { committedOf, rangeOf } from './offsets.ts';

interface Start {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

/**
 * Fixes where a new group begins with `startFrom: latest`. Left alone, kafkajs asks for the end of the log at its first
 * fetch and commits nothing, so what arrives before the first commit is skipped by a restart. Here the end of each
 * partition without a position is looked up once, committed at once and sought to, before anything is delivered.
 */
export async function anchorLatest(
  broker: KafkaBroker,
  group: string,
  consumer: Consumer,
  assigned: ReadonlyMap<string, readonly number[]>,
): Promise<void> {
  const topics = [...assigned.keys()];
  const starts = await broker.withAdmin(async (admin) => {
    const committed = await committedOf(admin, group, topics);
    const found: Start[] = [];
    for (const [topic, partitions] of assigned) {
      const missing = partitions.filter((partition) => committed.get(topic)?.has(partition) !== true);
      if (missing.length === 0) continue;
      const ranges = await rangeOf(admin, topic);
      for (const partition of missing) {
        found.push({ topic, partition, offset: String(ranges.get(partition)?.high ?? 0) });
      }
    }
    return found;
  });
  if (starts.length === 0) return;
  for (const start of starts) consumer.seek(start);
  await consumer.commitOffsets(starts);
}

/** Goes to where another group stands, or would begin; commits nothing. */
export async function seekLike(
  broker: KafkaBroker,
  group: string,
  startFrom: 'earliest' | 'latest',
  consumer: Consumer,
  assigned: ReadonlyMap<string, readonly number[]>,
): Promise<void> {
  const starts = await broker.withAdmin(async (admin) => {
    const committed = await committedOf(admin, group, [...assigned.keys()]);
    const found: Start[] = [];
    for (const [topic, partitions] of assigned) {
      const ranges = await rangeOf(admin, topic);
      for (const partition of partitions) {
        const { low = 0, high = 0 } = ranges.get(partition) ?? {};
        const begin = startFrom === 'latest' ? high : low;
        const offset = committed.get(topic)?.get(partition) ?? begin;
        found.push({ topic, partition, offset: String(Math.max(low, offset)) });
      }
    }
    return found;
  });
  for (const start of starts) consumer.seek(start);
}

/** Tries until it works or `isCurrent` says that the assignment is over. */
export async function anchorForever(
  anchor: () => Promise<void>,
  isCurrent: () => boolean,
  context: AdapterContext,
  onFailure: (error: unknown) => void,
): Promise<boolean> {
  for (let attempt = 1; isCurrent(); attempt += 1) {
    try {
      await anchor();
      return isCurrent();
    } catch (error) {
      onFailure(error);
      const waitMs = fullJitter(RECONNECT, attempt, context.random);
      await new Promise<void>((resolve) => {
        context.clock.after(waitMs, resolve);
      });
    }
  }
  return false;
}
