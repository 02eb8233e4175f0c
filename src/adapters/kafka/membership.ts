import type { Consumer, ConsumerGroupJoinEvent, EachBatchPayload } from 'kafkajs';
import { equalJitter, RECONNECT } from '../../core/backoff.ts';
import { delay } from '../../core/connection.ts';
import { FairleadError } from '../../core/errors.ts';
import type { AdapterContext } from '../spec.ts';
import { disconnect, type KafkaBroker, type KafkaClient } from './client.ts';
import type { KafkaSourceConfig } from './config.ts';
import { kafkaError } from './errors.ts';

export interface MembershipEvents {
  /** `partitions` is the whole assignment; `gap` where we were not a member the moment before. Synchronous: fetching goes on after it. */
  joined(consumer: Consumer, partitions: ReadonlyMap<string, readonly number[]>, gap: boolean): void;
  /** The group is about to be joined again: last moment to commit. */
  rebalancing(): void;
  /** The consumer is at its end: nothing can be committed before the next join. */
  left(): void;
  batch(payload: EachBatchPayload): Promise<void>;
  /** No answer from the brokers, or the consumer is gone and will be made anew. */
  down(error: FairleadError): void;
  up(): void;
  noted(message: string): void;
}

/** A missing topic may be one that was made a moment ago; after this many attempts `open` gives up on it. */
const TOPIC_ATTEMPTS = 3;
const TICK_MS = 1_000;

/**
 * Membership in the group, for ever: makes a kafkajs consumer, and another with backoff when it crashes or goes quiet.
 * kafkajs' own restart is off, because it keeps state that may be what failed (kafkajs#659, #1441).
 */
export class Membership {
  readonly #broker: KafkaBroker;
  readonly #config: KafkaSourceConfig;
  readonly #group: string;
  readonly #context: AdapterContext;
  readonly #events: MembershipEvents;
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;
  #consumer: Consumer | undefined;
  #memberId: string | undefined;
  #attempt = 0;
  #quietTicks = 0;
  #isRebalancing = false;

  constructor(
    broker: KafkaBroker,
    config: KafkaSourceConfig,
    group: string,
    context: AdapterContext,
    events: MembershipEvents,
  ) {
    this.#broker = broker;
    this.#config = config;
    this.#group = group;
    this.#context = context;
    this.#events = events;
  }

  /** The consumer while it is a member. */
  get consumer(): Consumer | undefined {
    return this.#consumer;
  }

  /** Resolves at the first join; rejects for what retrying cannot cure, or when `signal` aborts. */
  start(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#closing.abort(signal.reason);
        reject(signal.reason);
      };
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort, { once: true });
      const settled = (): void => signal.removeEventListener('abort', abort);
      this.#running = this.#run(
        () => {
          settled();
          resolve();
        },
        (error) => {
          settled();
          reject(error);
        },
      );
    });
  }

  async stop(): Promise<void> {
    this.#closing.abort(new FairleadError({ code: 'E_KAFKA_CLOSED', message: 'the source is closed' }));
    await this.#running;
  }

  async #run(joined: () => void, failed: (error: FairleadError) => void): Promise<void> {
    const { signal } = this.#closing;
    let opened = false;
    while (!signal.aborted) {
      this.#attempt += 1;
      const error = await this.#live(() => {
        opened = true;
        joined();
      });
      if (signal.aborted) return;
      this.#events.down(error);
      if (!opened && this.#isFatal(error)) {
        failed(error);
        return;
      }
      const waitMs = equalJitter(RECONNECT, this.#attempt, this.#context.random);
      this.#context.log.warn({ code: error.code, waitMs: Math.round(waitMs) }, `consumer is down: ${error.message}`);
      await delay(waitMs, signal, this.#context.clock).catch(() => {}); // closing: the loop ends
    }
  }

  #isFatal(error: FairleadError): boolean {
    if (error.code === 'E_KAFKA_UNKNOWN_TOPIC') return this.#attempt >= TOPIC_ATTEMPTS;
    return !error.retryable && !error.unavailable;
  }

  /** One consumer from connect to its end; resolves with why it ended. */
  async #live(joined: () => void): Promise<FairleadError> {
    const client = this.#broker.client(this.#context.name, this.#events.noted);
    const consumer = this.#make(client);
    this.#quietTicks = 0;
    this.#isRebalancing = true;
    let stopWatch = (): void => {};
    let onClose = (): void => {};
    try {
      return await new Promise<FairleadError>((resolve) => {
        onClose = () => resolve(closedError());
        this.#closing.signal.addEventListener('abort', onClose, { once: true });
        stopWatch = this.#watch(resolve);
        consumer.on(consumer.events.CRASH, ({ payload }) => resolve(kafkaError(payload.error, 'consumer crashed')));
        consumer.on(consumer.events.GROUP_JOIN, (event) => {
          this.#joined(consumer, event);
          joined();
        });
        consumer.on(consumer.events.REBALANCING, () => {
          this.#isRebalancing = true;
          this.#events.rebalancing();
        });
        consumer.on(consumer.events.HEARTBEAT, () => this.#progress());
        this.#begin(consumer).catch((error) => resolve(kafkaError(error, 'consumer cannot start')));
      });
    } finally {
      stopWatch();
      this.#closing.signal.removeEventListener('abort', onClose);
      this.#consumer = undefined;
      this.#events.left();
      await disconnect(consumer, client);
    }
  }

  #make(client: KafkaClient): Consumer {
    const config = this.#config;
    return client.kafka.consumer({
      groupId: this.#group,
      sessionTimeout: config.sessionTimeout,
      heartbeatInterval: Math.min(config.heartbeatInterval, config.sessionTimeout / 3),
      rebalanceTimeout: config.rebalanceTimeout,
      maxBytes: config.fetchMaxBytes,
      maxBytesPerPartition: config.fetchMaxBytesPerPartition,
      maxWaitTimeInMs: config.fetchMaxWait,
      readUncommitted: config.readUncommitted,
      allowAutoTopicCreation: false,
      // Long enough to sit out a broker's restart as the same member: a new one waits for the session of the old one.
      retry: { retries: 8, initialRetryTime: 200, maxRetryTime: 2_000, restartOnFailure: async () => false },
    });
  }

  async #begin(consumer: Consumer): Promise<void> {
    const { topics, startFrom, autoCreateTopics } = this.#config;
    await consumer.connect();
    if (autoCreateTopics) await this.#createTopics();
    await consumer.subscribe({ topics: [...topics], fromBeginning: startFrom === 'earliest' });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (payload) => this.#events.batch(payload),
    });
  }

  async #createTopics(): Promise<void> {
    const topics = this.#config.topics.map((topic) => ({ topic }));
    await this.#broker.withAdmin((admin) => admin.createTopics({ topics, waitForLeaders: true }));
  }

  #joined(consumer: Consumer, { payload }: ConsumerGroupJoinEvent): void {
    const gap = payload.memberId !== this.#memberId;
    this.#memberId = payload.memberId;
    this.#consumer = consumer;
    this.#attempt = 0;
    this.#isRebalancing = false;
    this.#progress();
    this.#events.joined(consumer, new Map(Object.entries(payload.memberAssignment)), gap);
  }

  #progress(): void {
    this.#quietTicks = 0;
    if (this.#consumer !== undefined) this.#events.up();
  }

  /** Counts ticks, not time: a process that was stopped for a while is not a consumer that hangs. */
  #watch(stalled: (error: FairleadError) => void): () => void {
    const { sessionTimeout, rebalanceTimeout, heartbeatInterval } = this.#config;
    const { clock } = this.#context;
    const quiet = (2 * heartbeatInterval + 5_000) / TICK_MS;
    const limit = (2 * sessionTimeout + 10_000) / TICK_MS;
    const joining = limit + (rebalanceTimeout + this.#broker.config.requestTimeout) / TICK_MS;
    const tick = (): void => {
      cancel = clock.after(TICK_MS, tick);
      this.#quietTicks += 1;
      if (this.#quietTicks > (this.#isRebalancing ? joining : limit)) stalled(silence('the consumer hangs'));
      else if (this.#quietTicks > quiet && !this.#isRebalancing) this.#events.down(silence('no answer'));
    };
    let cancel = clock.after(TICK_MS, tick);
    return () => cancel();
  }
}

function silence(what: string): FairleadError {
  return new FairleadError({
    code: 'E_KAFKA_SILENT',
    message: `${what}: no heartbeat was answered`,
    unavailable: true,
  });
}

function closedError(): FairleadError {
  return new FairleadError({ code: 'E_KAFKA_CLOSED', message: 'the source is closed', unavailable: true });
}
