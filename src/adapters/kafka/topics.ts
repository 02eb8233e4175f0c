import type { Clock } from '../../core/clock.ts';
import { FairleadError } from '../../core/errors.ts';
import type { KafkaBroker } from './client.ts';
import { kafkaError } from './errors.ts';

/** Topics get partitions rarely; the Java client asks every five minutes. */
const FRESH_MS = 60_000;
/** Topics may be templates over attributes: what is remembered is bounded. */
const MAX_TOPICS = 10_000;

interface Entry {
  readonly partitions: number;
  readonly at: number;
}

/** How many partitions a topic has, remembered; a figure that is a little old is used while a new one is asked for. */
export class TopicCounts {
  readonly #broker: KafkaBroker;
  readonly #clock: Clock;
  readonly #create: boolean;
  readonly #known = new Map<string, Entry>();
  readonly #pending = new Map<string, Promise<number | FairleadError>>();

  constructor(broker: KafkaBroker, clock: Clock, create: boolean) {
    this.#broker = broker;
    this.#clock = clock;
    this.#create = create;
  }

  /** The count, or undefined where it must be asked for first: {@link load}. */
  get(topic: string): number | undefined {
    const entry = this.#known.get(topic);
    if (entry === undefined) return undefined;
    if (this.#clock.now() - entry.at > FRESH_MS) void this.load(topic);
    return entry.partitions;
  }

  /** Asks the brokers; never rejects. */
  load(topic: string): Promise<number | FairleadError> {
    let pending = this.#pending.get(topic);
    if (pending === undefined) {
      pending = this.#load(topic).finally(() => this.#pending.delete(topic));
      this.#pending.set(topic, pending);
    }
    return pending;
  }

  /** The brokers know better: ask again before the next send. */
  forget(topic: string): void {
    this.#known.delete(topic);
  }

  async #load(topic: string): Promise<number | FairleadError> {
    try {
      const partitions = await this.#ask(topic);
      if (this.#known.size >= MAX_TOPICS) this.#known.delete(this.#known.keys().next().value as string);
      this.#known.delete(topic);
      this.#known.set(topic, { partitions, at: this.#clock.now() });
      return partitions;
    } catch (error) {
      return kafkaError(error, `metadata of topic ${topic}`);
    }
  }

  async #ask(topic: string): Promise<number> {
    try {
      return await this.#count(topic);
    } catch (error) {
      if (!this.#create || kafkaError(error, topic).code !== 'E_KAFKA_UNKNOWN_TOPIC') throw error;
      await this.#broker.withAdmin((admin) => admin.createTopics({ topics: [{ topic }], waitForLeaders: true }));
      return await this.#count(topic);
    }
  }

  async #count(topic: string): Promise<number> {
    const { topics } = await this.#broker.withAdmin((admin) => admin.fetchTopicMetadata({ topics: [topic] }));
    const count = topics.find(({ name }) => name === topic)?.partitions.length ?? 0;
    if (count > 0) return count;
    const message = 'no partitions in the metadata yet';
    throw new FairleadError({ code: 'E_KAFKA_UNKNOWN_TOPIC', message, retryable: true });
  }
}
