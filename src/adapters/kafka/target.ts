import type { Message } from 'kafkajs';
import { canonical } from '../../cloudevents/attributes.ts';
import { writtenMode } from '../../cloudevents/content-mode.ts';
import type { Clock } from '../../core/clock.ts';
import { FairleadError, messageOf } from '../../core/errors.ts';
import type { MeshEvent } from '../../core/event.ts';
import type { CheckItem, Health } from '../../core/source.ts';
import {
  CONFIRMED,
  type Leg,
  resultOf,
  type SendLimits,
  type SendResult,
  type Target,
  type TargetNotify,
} from '../../core/target.ts';
import { compileTemplate, type Template } from '../../core/template.ts';
import type { AdapterContext } from '../spec.ts';
import { checkTarget } from './check.ts';
import type { KafkaBroker } from './client.ts';
import { addTrace, canCarry, encodeRecord } from './codec.ts';
import { isTopicName, type KafkaTargetConfig } from './config.ts';
import { partitionOf } from './murmur2.ts';
import { Gauge, groupLag } from './offsets.ts';
import { type Chunk, halves, Plan } from './plan.ts';
import { ProducerLink } from './producer.ts';
import { TopicLeaders } from './topics.ts';

/** Errors of single records, for which the broker refuses their whole batch: halving finds them. */
const OF_ONE_RECORD = new Set(['E_KAFKA_TOO_LARGE', 'E_KAFKA_INVALID_RECORD', 'E_KAFKA_CLIENT']);

/** How long `close` waits for sends under way. */
const CLOSE_MS = 5_000;

const BEHIND: SendResult = Object.freeze({
  status: 'failed',
  code: 'E_KAFKA_BEHIND',
  message: 'an earlier event of its key failed in the same send',
  retryable: true,
});

const ABORTED: SendResult = Object.freeze({
  status: 'unknown',
  code: 'E_KAFKA_TIMEOUT',
  message: 'no answer from Kafka before the send was given up',
  retryable: true,
});

/**
 * Produces with acks=all: one request per leader, of which each leg gets the result of its partition. Order within a send holds per key and partition: events of
 * one key that a key template sends to several partitions have no order in Kafka, and none is kept here.
 */
export class KafkaTarget implements Target {
  readonly limits: SendLimits;
  readonly #broker: KafkaBroker;
  readonly #config: KafkaTargetConfig;
  readonly #clock: Clock;
  readonly #topic: Template;
  readonly #fixedTopic: string | undefined;
  readonly #key: Template | undefined;
  readonly #link: ProducerLink;
  readonly #leaders: TopicLeaders;
  readonly #backlog: Gauge | undefined;
  readonly #running = new Set<Promise<void>>();
  readonly #legal = new Set<string>();
  #turn = 0;
  #headersDropped = 0;
  #event: MeshEvent | undefined;
  #closed: Promise<void> | undefined;

  constructor(broker: KafkaBroker, config: KafkaTargetConfig, context: AdapterContext) {
    this.#broker = broker;
    this.#config = config;
    this.#clock = context.clock;
    this.#topic = compileTemplate(config.topic);
    this.#fixedTopic = this.#topic.names.length === 0 ? this.#topic.render(() => undefined) : undefined;
    this.#key = config.key === undefined ? undefined : compileTemplate(config.key);
    this.#link = new ProducerLink(broker, config, context);
    this.#leaders = new TopicLeaders(broker, context.clock, config.autoCreateTopics);
    // Kafka answers the requests of a connection one after the other: more sends at once would make them smaller and later,
    // not faster.
    this.limits = { maxEvents: 1_000, maxBytes: 2 ** 20, concurrency: 1 };
    const { watchGroup } = config;
    const topic = this.#fixedTopic;
    if (watchGroup !== undefined && topic !== undefined) {
      this.#backlog = new Gauge(context.clock, () =>
        broker.withAdmin((admin) => groupLag(admin, watchGroup, [topic], true)),
      );
    }
  }

  open(notify: TargetNotify, signal: AbortSignal): Promise<void> {
    let attempts = 0;
    return this.#link.open(notify, signal, async () => {
      if (this.#fixedTopic === undefined) return;
      const leaders = await this.#leaders.load(this.#fixedTopic);
      if (!(leaders instanceof FairleadError)) return;
      attempts += 1;
      // a topic made a moment ago may not have reached every broker
      if (leaders.code !== 'E_KAFKA_UNKNOWN_TOPIC' || attempts < 3) throw leaders;
      throw new FairleadError({ code: leaders.code, message: leaders.message, cause: leaders });
    });
  }

  async send(legs: readonly Leg[], signal: AbortSignal): Promise<readonly SendResult[]> {
    const results: (SendResult | undefined)[] = new Array(legs.length).fill(undefined);
    if (!this.#link.isUp) return results.fill(resultOf(this.#link.reason)) as SendResult[];
    const plan = new Plan(this.#config.maxBatchBytes);
    const mark = this.#link.mark;
    let onAbort = (): void => {};
    const aborted = new Promise<void>((resolve) => {
      onAbort = resolve;
    });
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const work = this.#work(plan, legs, results, signal);
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
    await Promise.race([work, aborted]);
    signal.removeEventListener('abort', onAbort);
    if (signal.aborted && results.includes(undefined)) this.#link.suspect(mark);
    return results.map((result) => result ?? ABORTED);
  }

  async #work(
    plan: Plan,
    legs: readonly Leg[],
    results: (SendResult | undefined)[],
    signal: AbortSignal,
  ): Promise<void> {
    const loading = this.#unknownTopics(legs);
    const failures = loading === undefined ? undefined : await loading;
    const turn = this.#turn++;
    for (let i = 0; i < legs.length; i += 1) {
      results[i] = this.#place(plan, legs[i] as Leg, i, turn, failures);
    }
    const groups = this.#byLeader(plan.queues);
    await Promise.all(groups.map((queues) => this.#sendQueues(queues, legs, results, signal)));
  }

  /** Partitions with one leader share requests: one leader that hangs does not keep the answers of the others. */
  #byLeader(queues: readonly Chunk[][]): readonly (readonly Chunk[][])[] {
    const groups = new Map<number, Chunk[][]>();
    for (const queue of queues) {
      const { topic, partition } = queue[0] as Chunk;
      const leader = this.#leaders.get(topic)?.[partition] ?? -1;
      const group = groups.get(leader);
      if (group === undefined) groups.set(leader, [queue]);
      else group.push(queue);
    }
    return [...groups.values()];
  }

  async #sendQueues(
    queues: readonly Chunk[][],
    legs: readonly Leg[],
    results: (SendResult | undefined)[],
    signal: AbortSignal,
  ): Promise<void> {
    for (let round = 0; ; round += 1) {
      const chunks = queues.flatMap((queue) => queue[round] ?? []);
      if (chunks.length === 0) return;
      await this.#sendChunks(chunks, legs, results, signal);
    }
  }

  /** Topics not asked for yet; resolves with those that could not be had. Undefined in the usual case: nothing to wait for. */
  #unknownTopics(legs: readonly Leg[]): Promise<Map<string, FairleadError>> | undefined {
    const unknown = new Set<string>();
    if (this.#fixedTopic !== undefined) {
      if (this.#leaders.get(this.#fixedTopic) === undefined) unknown.add(this.#fixedTopic);
    } else {
      for (const leg of legs) {
        const topic = this.#topicOf(leg.event);
        if (topic !== undefined && this.#isLegal(topic) && this.#leaders.get(topic) === undefined) unknown.add(topic);
      }
    }
    return unknown.size === 0 ? undefined : this.#load([...unknown]);
  }

  async #load(topics: string[]): Promise<Map<string, FairleadError>> {
    const loaded = await Promise.all(topics.map((topic) => this.#leaders.load(topic)));
    const failures = new Map<string, FairleadError>();
    loaded.forEach((leaders, i) => {
      if (leaders instanceof FairleadError) failures.set(topics[i] as string, leaders);
    });
    return failures;
  }

  /** Puts a leg into the plan, or tells at once why not. */
  #place(
    plan: Plan,
    leg: Leg,
    index: number,
    turn: number,
    failures: Map<string, FairleadError> | undefined,
  ): SendResult | undefined {
    const { event } = leg;
    const topic = this.#fixedTopic ?? this.#topicOf(event);
    if (topic === undefined) {
      return refused(
        'E_KAFKA_ADDRESS',
        `topic "${this.#config.topic}" names an attribute that the event does not have`,
      );
    }
    if (!this.#isLegal(topic)) return refused('E_KAFKA_TOPIC', 'the rendered topic is not a legal topic name');
    const count = this.#leaders.get(topic)?.length;
    if (count === undefined) {
      const failure = failures?.get(topic);
      return failure === undefined
        ? refused('E_KAFKA_UNKNOWN_TOPIC', 'topic is not known yet', true)
        : resultOf(failure);
    }
    try {
      const key = this.#keyOf(leg);
      const partition = this.#config.partition ?? (key === undefined ? turn % count : partitionOf(key, count));
      if (partition >= count) return refused('E_KAFKA_PARTITION', `topic ${topic} has ${count} partitions`);
      const native = leg.meta.headers;
      const passed = this.#config.headers === 'pass' ? native : undefined;
      if (native !== undefined) this.#countDropped(native, passed !== undefined);
      const record = encodeRecord(event, writtenMode(event, this.#config.encoding), passed);
      if (leg.trace !== undefined) addTrace(record.headers, leg.trace);
      const message: Message = { key: key ?? null, value: record.value, headers: record.headers, partition };
      plan.add(index, topic, partition, message, 512 + (record.value?.length ?? 0));
      return undefined;
    } catch (error) {
      return refused(error instanceof FairleadError ? error.code : 'E_KAFKA_CLIENT', messageOf(error));
    }
  }

  /** Sends chunks of different partitions in one request. */
  async #sendChunks(
    planned: readonly Chunk[],
    legs: readonly Leg[],
    results: (SendResult | undefined)[],
    signal: AbortSignal,
  ): Promise<void> {
    const chunks = planned
      .map((chunk) => (chunk.failed.size === 0 ? chunk : withoutFailed(chunk, legs, results)))
      .filter((chunk) => chunk.legs.length > 0);
    if (chunks.length === 0 || signal.aborted) return;
    const errors = await this.#link.send(chunks);
    for (const [i, chunk] of chunks.entries()) {
      const error = errors[i];
      if (error?.code === 'E_KAFKA_UNKNOWN_TOPIC' || error?.code === 'E_KAFKA_LEADER')
        this.#leaders.forget(chunk.topic);
      if (error !== undefined && chunk.legs.length > 1 && OF_ONE_RECORD.has(error.code)) {
        for (const half of halves(chunk)) await this.#sendChunks([half], legs, results, signal);
        continue;
      }
      const result = error === undefined ? CONFIRMED : resultOf(error);
      for (const index of chunk.legs) {
        results[index] = result;
        const key = legs[index]?.key;
        if (error !== undefined && key !== undefined) chunk.failed.add(key);
      }
    }
  }

  backlog(): Promise<number | undefined> {
    return this.#backlog?.read() ?? Promise.resolve(undefined);
  }

  check(): Promise<CheckItem[]> {
    return checkTarget(this.#broker, this.#fixedTopic, this.#config.autoCreateTopics);
  }

  health(): Health {
    return this.#link.health.read({ headersDropped: this.#headersDropped });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    // What still runs after a while hangs: closing the connection ends it.
    await Promise.race([Promise.all(this.#running), this.#lastCall()]);
    await this.#link.close();
  }

  #lastCall(): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(this.#running.size === 0 ? 0 : CLOSE_MS, resolve);
    });
  }

  #keyOf(leg: Leg): Buffer | undefined {
    if (this.#key === undefined) return this.#config.headers === 'pass' ? leg.meta.key : undefined;
    this.#event = leg.event;
    const key = this.#key.render(this.#resolve);
    return key === undefined ? undefined : Buffer.from(key);
  }

  #topicOf(event: MeshEvent): string | undefined {
    this.#event = event;
    return this.#topic.render(this.#resolve);
  }

  readonly #resolve = (name: string): string | undefined => {
    const value = this.#event?.attribute(name);
    return value === undefined ? undefined : canonical(value);
  };

  #isLegal(topic: string): boolean {
    if (this.#legal.has(topic)) return true;
    if (!isTopicName(topic)) return false;
    if (this.#legal.size >= 10_000) this.#legal.clear();
    this.#legal.add(topic);
    return true;
  }

  #countDropped(native: Readonly<Record<string, unknown>>, passed: boolean): void {
    for (const name in native) if (!passed || !canCarry(name)) this.#headersDropped += 1;
  }
}

/** The chunk without legs of keys that have failed before in this send; those get their result. */
function withoutFailed(chunk: Chunk, legs: readonly Leg[], results: (SendResult | undefined)[]): Chunk {
  const kept: Chunk = { ...chunk, messages: [], legs: [], bytes: 0 };
  chunk.legs.forEach((index, i) => {
    const key = legs[index]?.key;
    if (key !== undefined && chunk.failed.has(key)) {
      results[index] = BEHIND;
      return;
    }
    kept.legs.push(index);
    kept.messages.push(chunk.messages[i] as Message);
  });
  return kept;
}

function refused(code: string, message: string, retryable = false): SendResult {
  return { status: 'failed', code, message, retryable };
}
