import type { Message, Producer, TopicMessages } from 'kafkajs';
import { equalJitter, RECONNECT } from '../../core/backoff.ts';
import { connectForever, delay, HealthRecord } from '../../core/connection.ts';
import { FairleadError, messageOf } from '../../core/errors.ts';
import type { TargetNotify } from '../../core/target.ts';
import type { AdapterContext } from '../spec.ts';
import { disconnect, type KafkaBroker, type KafkaClient } from './client.ts';
import type { KafkaTargetConfig } from './config.ts';
import { kafkaError, protocolType, rootOf } from './errors.ts';
import type { Chunk } from './plan.ts';
import { answerFor } from './produce-answer.ts';
import { useFastEncoders } from './record-encoder.ts';

interface Live {
  readonly client: KafkaClient;
  readonly producer: Producer;
  /** Answers received, so that a send without any can tell a dead connection from a slow broker. */
  answers: number;
}

export interface Mark {
  readonly answers: number;
  readonly at: number;
}

useFastEncoders();

/** A send that is given up sooner says nothing about the connection. */
const SUSPECT_MS = 1_000;

const COMPRESSION = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;
/** The partition was chosen by us; kafkajs must not choose again. */
const GIVEN_PARTITION =
  () =>
  (args: { message: Message }): number =>
    args.message.partition as number;

/**
 * The producer connection of one target. After a loss it is made anew, because what kafkajs still holds may be what
 * failed; the backoff starts over only when a send was confirmed, so a leader that cannot be reached is not hammered.
 */
export class ProducerLink {
  readonly health: HealthRecord = new HealthRecord();
  readonly #broker: KafkaBroker;
  readonly #config: KafkaTargetConfig;
  readonly #context: AdapterContext;
  readonly #closing = new AbortController();
  #live: Live | undefined;
  #notify: TargetNotify | undefined;
  #failures = 0;

  constructor(broker: KafkaBroker, config: KafkaTargetConfig, context: AdapterContext) {
    this.#broker = broker;
    this.#config = config;
    this.#context = context;
  }

  async open(notify: TargetNotify, signal: AbortSignal, ready: () => Promise<void>): Promise<void> {
    this.#notify = notify;
    const { clock, random } = this.#context;
    const connect = async (): Promise<Live> => {
      const live = await this.#connect();
      try {
        await ready();
      } catch (error) {
        await disconnect(live.producer, live.client);
        throw error;
      }
      return live;
    };
    this.#live = await connectForever(connect, signal, (error) => this.health.down(error), { clock, random });
    this.health.up();
    notify.available();
  }

  get isUp(): boolean {
    return this.#live !== undefined;
  }

  /** Why nothing can be sent now. */
  get reason(): FairleadError {
    const closed = this.#closing.signal.aborted;
    return new FairleadError({
      code: closed ? 'E_KAFKA_CLOSED' : 'E_KAFKA_UNAVAILABLE',
      message: closed ? 'the target is closed' : 'not connected to Kafka',
      unavailable: true,
    });
  }

  /** One produce request to one leader; gives what became of each chunk: undefined where it was appended. */
  async send(chunks: readonly Chunk[]): Promise<readonly (FairleadError | undefined)[]> {
    const live = this.#live;
    if (live === undefined) return chunks.map(() => this.reason);
    const { requestTimeout } = this.#broker.config;
    let results: (FairleadError | undefined)[];
    try {
      const answer = await live.producer.sendBatch({
        topicMessages: byTopic(chunks),
        acks: -1,
        timeout: Math.max(1_000, requestTimeout - 1_000),
        compression: COMPRESSION[this.#config.compression] as number,
      });
      this.#failures = 0;
      results = chunks.map(({ topic, partition }) =>
        answer.some((entry) => entry.topicName === topic && entry.partition === partition && entry.errorCode === 0)
          ? undefined
          : leftOut(topic, partition),
      );
      if (results.some((result) => result !== undefined)) this.#lost(live, results.find(Boolean) as FairleadError);
    } catch (error) {
      results = chunks.map((chunk) => failureOf(error, chunk));
      this.#failed(live, results);
    }
    return results;
  }

  /** What a later {@link suspect} compares with. */
  get mark(): Mark {
    return { answers: this.#live?.answers ?? 0, at: this.#context.clock.now() };
  }

  /** A send was given up: when nothing at all was answered since `mark`, and that is a while ago, the connection is taken for dead. */
  suspect(mark: Mark): void {
    const live = this.#live;
    if (live === undefined || live.answers !== mark.answers) return;
    if (this.#context.clock.now() - mark.at < SUSPECT_MS) return;
    this.#lost(
      live,
      new FairleadError({
        code: 'E_KAFKA_TIMEOUT',
        message: 'no answer from Kafka',
        unavailable: true,
        sent: 'unknown',
      }),
    );
  }

  async close(): Promise<void> {
    this.#closing.abort(this.reason);
    const live = this.#live;
    this.#live = undefined;
    if (live !== undefined) await disconnect(live.producer, live.client);
    this.health.closed();
  }

  async #connect(): Promise<Live> {
    const noted = (message: string): void => this.health.error(new Error(message), 'E_KAFKA_UNAVAILABLE');
    const client = this.#broker.client(this.#context.name, noted);
    const producer = client.kafka.producer({
      createPartitioner: GIVEN_PARTITION,
      allowAutoTopicCreation: false,
      metadataMaxAge: 60_000,
      retry: { retries: 0 },
    });
    const live: Live = { client, producer, answers: 0 };
    producer.on(producer.events.REQUEST, () => {
      live.answers += 1;
    });
    try {
      await producer.connect();
      return live;
    } catch (error) {
      await disconnect(producer, client);
      throw kafkaError(error, 'producer cannot connect');
    }
  }

  #failed(live: Live, results: readonly (FairleadError | undefined)[]): void {
    const gone = results.find((result) => result?.unavailable === true);
    if (gone !== undefined) {
      this.#lost(live, gone);
      return;
    }
    for (const result of results) if (result !== undefined) this.health.error(result);
  }

  #lost(live: Live, error: FairleadError): void {
    if (this.#live !== live) return;
    this.#live = undefined;
    this.health.down(error);
    this.#notify?.unavailable(error);
    this.#context.log.warn({ code: error.code }, `producer is down: ${error.message}`);
    void disconnect(live.producer, live.client);
    void this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    const { signal } = this.#closing;
    const { clock, random } = this.#context;
    try {
      while (!signal.aborted) {
        this.#failures += 1;
        await delay(equalJitter(RECONNECT, this.#failures, random), signal, clock);
        const live = await this.#connect().catch((error: unknown) => {
          this.health.down(error);
          return undefined;
        });
        if (live === undefined) continue;
        if (signal.aborted) return await disconnect(live.producer, live.client);
        this.#live = live;
        this.health.up();
        this.#notify?.available();
        return;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

function byTopic(chunks: readonly Chunk[]): TopicMessages[] {
  const topics = new Map<string, Message[]>();
  for (const { topic, messages } of chunks) {
    const others = topics.get(topic);
    topics.set(topic, others === undefined ? messages : others.concat(messages));
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }));
}

/** A partition that kafkajs' metadata does not have yet is left out of the request without an error. */
function leftOut(topic: string, partition: number): FairleadError {
  const message = `produce to ${topic}/${partition}: the partition is not known yet`;
  return new FairleadError({ code: 'E_KAFKA_LEADER', message, retryable: true });
}

function failureOf(error: unknown, { topic, partition }: Chunk): FairleadError | undefined {
  const doing = `produce to ${topic}/${partition}`;
  const root = rootOf(error);
  const answer = answerFor(root, topic, partition);
  if (answer === 'none') return undefined;
  const coded = kafkaError(answer ?? error, doing, true);
  if (answer !== undefined || coded.unavailable || protocolType(root) === undefined) return coded;
  // The answer of another leader: the metadata was old, and this partition's request may have been appended.
  return new FairleadError({
    code: 'E_KAFKA_LEADER',
    message: `${doing}: ${messageOf(root)}`,
    retryable: true,
    sent: 'unknown',
  });
}
