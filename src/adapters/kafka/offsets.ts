import type { Admin } from 'kafkajs';
import type { Clock } from '../../core/clock.ts';

/** Next offset per partition that the group has committed; partitions without one are absent. */
export async function committedOf(
  admin: Admin,
  groupId: string,
  topics: string[],
): Promise<Map<string, Map<number, number>>> {
  const found = new Map<string, Map<number, number>>();
  for (const { topic, partitions } of await admin.fetchOffsets({ groupId, topics })) {
    const offsets = new Map<number, number>();
    for (const { partition, offset } of partitions) if (Number(offset) >= 0) offsets.set(partition, Number(offset));
    found.set(topic, offsets);
  }
  return found;
}

/** First and next offset per partition. */
export async function rangeOf(admin: Admin, topic: string): Promise<Map<number, { low: number; high: number }>> {
  const found = new Map<number, { low: number; high: number }>();
  for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
    found.set(partition, { low: Number(low), high: Number(high) });
  }
  return found;
}

/** Records that a group has still to consume, over all partitions of the topics. */
export async function groupLag(
  admin: Admin,
  groupId: string,
  topics: readonly string[],
  fromEarliest: boolean,
): Promise<number> {
  const committed = await committedOf(admin, groupId, [...topics]);
  let lag = 0;
  for (const topic of topics) {
    for (const [partition, { low, high }] of await rangeOf(admin, topic)) {
      const from = committed.get(topic)?.get(partition) ?? (fromEarliest ? low : high);
      lag += Math.max(0, high - Math.max(low, from));
    }
  }
  return lag;
}

const FRESH_MS = 1_000;
const ANSWER_MS = 5_000;

/** A figure asked of the broker at most once a second; undefined where it does not answer in time. */
export class Gauge {
  readonly #read: () => Promise<number | undefined>;
  readonly #clock: Clock;
  #at = Number.NEGATIVE_INFINITY;
  #pending: Promise<number | undefined> | undefined;

  constructor(clock: Clock, read: () => Promise<number | undefined>) {
    this.#clock = clock;
    this.#read = read;
  }

  read(): Promise<number | undefined> {
    if (this.#pending === undefined || this.#clock.now() - this.#at > FRESH_MS) {
      this.#at = this.#clock.now();
      this.#pending = this.#bounded();
    }
    return this.#pending;
  }

  #bounded(): Promise<number | undefined> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ANSWER_MS, () => resolve(undefined));
      const done = (value: number | undefined): void => {
        cancel();
        resolve(value);
      };
      this.#read().then(done, () => done(undefined)); // what is wrong with the broker shows in health
    });
  }
}
