import type { Clock } from '../../core/clock.ts';
import { FairleadError } from '../../core/errors.ts';
import type { KafkaBroker } from './client.ts';
import { kafkaError } from './errors.ts';

/** Topics get partitions rarely; the Java client asks every five minutes. */
const FRESH_MS = 60_000;
/** Topics may be templates over attributes: what is remembered is bounded. */
const MAX_TOPICS = 10_000;

interface Entry {
  /** The node that leads each partition, by its number. */
  readonly leaders: readonly number[];
  readonly at: number;
}

/** The partitions of topics and who leads them, remembered; what is a little old is used while it is asked for anew. */
export class TopicLeaders {
  readonly #broker: KafkaBroker;
  readonly #clock: Clock;
  readonly #create: boolean;
  readonly #known = new Map<string, Entry>();
  readonly #pending = new Map<string, Promise<readonly number[] | FairleadError>>();

  constructor(broker: KafkaBroker, clock: Clock, create: boolean) {
    this.#broker = broker;
    this.#clock = clock;
    this.#create = create;
  }

  /** One leader per partition, or undefined where it must be asked for first: {@link load}. */
  get(topic: string): readonly number[] | undefined {
    const entry = this.#known.get(topic);
    if (entry === undefined) return undefined;
    if (this.#clock.now() - entry.at > FRESH_MS) void this.load(topic);
    return entry.leaders;
  }

  /** Asks the brokers; never rejects. */
  load(topic: string): Promise<readonly number[] | FairleadError> {
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

  async #load(topic: string): Promise<readonly number[] | FairleadError> {
    try {
      const leaders = await this.#ask(topic);
      if (this.#known.size >= MAX_TOPICS) this.#known.delete(this.#known.keys().next().value as string);
      this.#known.delete(topic);
      this.#known.set(topic, { leaders, at: this.#clock.now() });
      return leaders;
    } catch (error) {
      return kafkaError(error, `metadata of topic ${topic}`);
    }
  }

  async #ask(topic: string): Promise<readonly number[]> {
    try {
      return await this.#fetch(topic);
    } catch (error) {
      if (!this.#create || kafkaError(error, topic).code !== 'E_KAFKA_UNKNOWN_TOPIC') throw error;
      await this.#broker.withAdmin((admin) => admin.createTopics({ topics: [{ topic }], waitForLeaders: true }));
      return await this.#fetch(topic);
    }
  }

  async #fetch(topic: string): Promise<readonly number[]> {
    const { topics } = await this.#broker.withAdmin((admin) => admin.fetchTopicMetadata({ topics: [topic] }));
    const partitions = topics.find(({ name }) => name === topic)?.partitions ?? [];
    const leaders: number[] = [];
    for (const { partitionId, leader } of partitions) leaders[partitionId] = leader;
    if (leaders.length > 0) return leaders;
    const message = 'no partitions in the metadata yet';
    throw new FairleadError({ code: 'E_KAFKA_UNKNOWN_TOPIC', message, retryable: true });
  }
}
