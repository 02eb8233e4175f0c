import type { Consumer, EachBatchPayload, KafkaMessage } from 'kafkajs';
import { delay, HealthRecord } from '../../core/connection.ts';
import type { Delivery } from '../../core/delivery.ts';
import { FairleadError, messageOf } from '../../core/errors.ts';
import type { CheckItem, Health, Intake, Source } from '../../core/source.ts';
import type { AdapterContext } from '../spec.ts';
import { anchorForever, anchorLatest, seekLike } from './anchor.ts';
import { type BatchOwner, RecordBatch, ReturnedBatch } from './batch.ts';
import { checkSource } from './check.ts';
import type { KafkaBroker } from './client.ts';
import { Commits } from './commits.ts';
import type { KafkaSourceConfig } from './config.ts';
import { kafkaError, protocolType } from './errors.ts';
import { Gate } from './gate.ts';
import { Membership } from './membership.ts';
import { Gauge, groupLag } from './offsets.ts';
import { PartitionWindow } from './partition.ts';
import { RecordReader } from './records.ts';
import { SchemaRegistry } from './registry/registry.ts';

/** How long `drained` tries to get the commits through. */
const DRAIN_MS = 10_000;
/** Wait before a returned delivery comes again, where its outcome names none. */
const RETURN_MS = 1_000;

/**
 * Consumes topics as a member of a group. Records of one fetched partition batch go to the pipeline at once and kafkajs
 * fetches on; each partition has a window of what is not settled, whose contiguous watermark is committed.
 *
 * What kafkajs cannot do: it has no static membership and no hook before partitions are revoked. A rebalance that it
 * learns of from a heartbeat of ours is held up until what is in flight is settled (bounded by `rebalanceDrain`); one that it
 * learns of by itself, between fetches, only gets the settled positions committed. What was in flight then comes again
 * to the next owner.
 */
export class KafkaSource implements Source, BatchOwner {
  readonly #broker: KafkaBroker;
  readonly #config: KafkaSourceConfig;
  readonly #context: AdapterContext;
  readonly #group: string;
  readonly #like: string | undefined;
  readonly #health = new HealthRecord();
  readonly #registry: SchemaRegistry | undefined;
  readonly #reader: RecordReader;
  readonly #membership: Membership;
  readonly #commits: Commits;
  readonly #lag: Gauge;
  /** Shut by `pause`. */
  readonly #flow: Gate;
  /** Shut until a new group's beginning is fixed. */
  readonly #anchored: Gate;
  readonly #closing = new AbortController();
  readonly #returns = new Set<() => void>();
  #windows = new Map<string, PartitionWindow>();
  #intake: Intake | undefined;
  #consumer: Consumer | undefined;
  #commitFn: EachBatchPayload['commitOffsetsIfNecessary'] | undefined;
  #assignment = 0;
  #isRebalancing = false;
  #rejected = 0;
  #closed: Promise<void> | undefined;
  #onAnchored: () => void = () => {};

  /** `like`: this is a dry run in a group of its own, which begins where that group stands, commits nothing and is deleted. */
  constructor(broker: KafkaBroker, config: KafkaSourceConfig, context: AdapterContext, like?: string) {
    this.#like = like;
    this.#broker = broker;
    this.#config = config;
    this.#context = context;
    this.#group = config.group ?? `${context.gateway}.${context.name}`;
    this.#registry =
      config.schemaRegistry && new SchemaRegistry(config.schemaRegistry, context, (error) => this.#health.error(error));
    this.#reader = new RecordReader(broker.name, config.as, config.maxEventBytes, this.#registry);
    this.#flow = new Gate(context.clock, true);
    this.#anchored = new Gate(context.clock, false);
    this.#commits = new Commits(
      context.clock,
      config.commitInterval,
      () => this.#windows.values(),
      (error) => this.#health.error(error),
    );
    this.#lag = new Gauge(context.clock, () =>
      broker.withAdmin((admin) => groupLag(admin, this.#group, config.topics, config.startFrom === 'earliest')),
    );
    this.#membership = new Membership(broker, config, this.#group, context, {
      joined: (consumer, partitions, gap) => this.#joined(consumer, partitions, gap),
      rebalancing: () => this.#rebalancing(),
      left: () => {
        this.#commitFn = undefined;
        this.#commits.bind(undefined);
      },
      batch: (payload) => this.#onBatch(payload),
      down: (error) => this.#health.down(error),
      up: () => {
        this.#isRebalancing = false; // an answered heartbeat: the group is stable
        this.#health.up();
      },
      noted: (message) => this.#health.error(new Error(message), 'E_KAFKA_UNAVAILABLE'),
    });
  }

  async open(intake: Intake, signal: AbortSignal): Promise<void> {
    this.#intake = intake;
    const anchored = new Promise<void>((resolve) => {
      this.#onAnchored = resolve;
    });
    await this.#membership.start(signal);
    await unlessAborted(anchored, signal);
  }

  pause(): void {
    this.#flow.shut();
  }

  resume(): void {
    this.#flow.open();
  }

  lag(): Promise<number | undefined> {
    return this.#lag.read();
  }

  async check(): Promise<CheckItem[]> {
    const items = await checkSource(this.#broker, this.#config, this.#group);
    return this.#registry === undefined ? items : [...items, await this.#registry.check()];
  }

  health(): Health {
    let unsettled = 0;
    for (const window of this.#windows.values()) unsettled += window.unsettled;
    return this.#health.read({ partitions: this.#windows.size, unsettled, rejected: this.#rejected });
  }

  async drained(): Promise<void> {
    const { clock } = this.#context;
    const deadline = clock.now() + DRAIN_MS;
    let failure: unknown;
    while (this.#commits.due) {
      try {
        await this.#commits.flush();
        failure = undefined;
      } catch (error) {
        failure = error;
        this.#health.error(error);
      }
      if (!this.#commits.due) return;
      if (this.#closing.signal.aborted || clock.now() > deadline) {
        throw kafkaError(failure ?? notCommitted(), 'positions are not committed');
      }
      await delay(50, this.#closing.signal, clock).catch(() => {}); // closing: seen above
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort(new FairleadError({ code: 'E_KAFKA_CLOSED', message: 'the source is closed' }));
    for (const cancel of this.#returns) cancel();
    this.#flow.wake();
    this.#anchored.wake();
    await this.#commits.flush().catch((error) => this.#health.error(error));
    this.#commits.stop();
    await this.#registry?.close();
    await this.#membership.stop();
    if (this.#like !== undefined) await this.#forget();
    for (const window of this.#windows.values()) window.live = false;
    this.#windows = new Map();
    this.#health.closed();
  }

  /** A group without members and positions goes by itself in time; this is only tidier, and may be forbidden. */
  async #forget(): Promise<void> {
    try {
      await this.#broker.withAdmin((admin) => admin.deleteGroups([this.#group]));
    } catch (error) {
      this.#context.log.debug(
        { group: this.#group, error: messageOf(error) },
        'the group of the dry run is left behind',
      );
    }
  }

  // BatchOwner

  settled(window: PartitionWindow, moved: boolean): void {
    if (moved) this.#commits.schedule();
    if (window.paused && window.roomy && !window.waiting) this.#resumeFetching(window);
  }

  rejected(): void {
    this.#rejected += 1;
  }

  returned(batch: RecordBatch, index: number, delayMs: number = RETURN_MS): void {
    const attempt = (batch.deliveries[index] as Delivery).attempt + batch.returns;
    const cancel = this.#context.clock.after(delayMs, () => {
      this.#returns.delete(cancel);
      if (batch.window.live) this.#intake?.batch(new ReturnedBatch(batch, index, attempt));
    });
    this.#returns.add(cancel);
  }

  // Group

  #joined(consumer: Consumer, partitions: ReadonlyMap<string, readonly number[]>, gap: boolean): void {
    const before = this.#windows;
    const windows = new Map<string, PartitionWindow>();
    for (const [topic, numbers] of partitions) {
      for (const partition of numbers) {
        const key = keyOf(topic, partition);
        const kept = before.get(key);
        before.delete(key);
        kept?.rejoined(gap);
        windows.set(key, kept ?? new PartitionWindow(topic, partition, this.#config.partitionWindow));
      }
    }
    for (const gone of before.values()) gone.live = false;
    this.#windows = windows;
    this.#isRebalancing = false;
    this.#assignment += 1;
    if (consumer !== this.#consumer) {
      this.#consumer = consumer;
      this.#commitFn = undefined;
      for (const window of windows.values()) window.paused = false;
    }
    // kafkajs remembers pauses by partition, also of those that left and came back
    for (const window of windows.values()) if (!window.full && !window.waiting) this.#resumeFetching(window);
    this.#commits.bind(this.#commitFn);
    this.#health.up();
    void this.#anchor(consumer, partitions);
  }

  async #anchor(consumer: Consumer, partitions: ReadonlyMap<string, readonly number[]>): Promise<void> {
    const assignment = this.#assignment;
    const like = this.#like;
    const { startFrom } = this.#config;
    if ((startFrom === 'latest' || like !== undefined) && partitions.size > 0) {
      this.#anchored.shut();
      const done = await anchorForever(
        () =>
          like === undefined
            ? anchorLatest(this.#broker, this.#group, consumer, partitions)
            : seekLike(this.#broker, like, startFrom, consumer, partitions),
        () => assignment === this.#assignment && !this.#closing.signal.aborted,
        this.#context,
        (error) => this.#health.error(error),
      );
      if (!done) return;
    }
    this.#anchored.open();
    this.#onAnchored();
  }

  #rebalancing(): void {
    this.#isRebalancing = true;
    this.#commits.flush().catch((error) => this.#health.error(error));
  }

  #resumeFetching(window: PartitionWindow): void {
    window.paused = false;
    this.#membership.consumer?.resume([{ topic: window.topic, partitions: [window.partition] }]);
  }

  #pauseFetching(window: PartitionWindow): void {
    window.paused = true;
    this.#membership.consumer?.pause([{ topic: window.topic, partitions: [window.partition] }]);
  }

  // Records

  /** Never rejects: kafkajs would retry the batch, crash and start over (kafkajs#1473). What is not resolved is fetched again. */
  async #onBatch(payload: EachBatchPayload): Promise<void> {
    const { topic, partition, messages } = payload.batch;
    if (this.#commitFn === undefined) {
      this.#commitFn = payload.commitOffsetsIfNecessary;
      this.#commits.bind(this.#commitFn);
    }
    if (!(await this.#mayDeliver(payload))) return;
    const window = this.#windows.get(keyOf(topic, partition));
    if (window === undefined || messages.length === 0) return;
    if (window.full) {
      this.#pauseFetching(window);
      return;
    }
    const missing = this.#registry?.missing(messages);
    const ready = missing === undefined ? messages : messages.slice(0, missing.index);
    const last = ready.at(-1);
    if (last !== undefined) {
      const end = missing === undefined ? payload.batch.lastOffset() : last.offset;
      this.#deliver(this.#current(window, Number(messages[0]?.offset)), ready, Number(end));
      payload.resolveOffset(last.offset);
    }
    if (missing !== undefined) this.#wait(this.#windows.get(keyOf(topic, partition)) ?? window, missing.settled);
    await this.#heartbeat(payload);
  }

  /** Waits while paused, with heartbeats; false when the batch is to be dropped. */
  async #mayDeliver(payload: EachBatchPayload): Promise<boolean> {
    for (;;) {
      if (this.#closing.signal.aborted || !payload.isRunning() || payload.isStale() || this.#isRebalancing)
        return false;
      const shut = this.#anchored.isOpen ? (this.#flow.isOpen ? undefined : this.#flow) : this.#anchored;
      if (shut === undefined) return true;
      await shut.wait(Math.min(this.#config.heartbeatInterval, 1_000));
      await this.#heartbeat(payload);
    }
  }

  /** The partition stands still until a schema is there, and is fetched again from the record that needs it. */
  #wait(window: PartitionWindow, settled: Promise<void>): void {
    window.waits += 1;
    this.#pauseFetching(window);
    void settled.then(() => {
      window.waits -= 1;
      if (window.live && window.paused && !window.waiting && !window.full) this.#resumeFetching(window);
    });
  }

  #current(window: PartitionWindow, first: number): PartitionWindow {
    if (window.accept(first)) return window;
    this.#context.log.warn({ topic: window.topic, partition: window.partition, offset: first }, 'offsets went back');
    window.live = false;
    const fresh = new PartitionWindow(window.topic, window.partition, this.#config.partitionWindow);
    fresh.accept(first);
    this.#windows.set(keyOf(window.topic, window.partition), fresh);
    return fresh;
  }

  #deliver(window: PartitionWindow, messages: readonly KafkaMessage[], last: number): void {
    const deliveries: Delivery[] = [];
    let firstSlot = -1;
    let bytes = 0;
    for (const message of messages) {
      const offset = Number(message.offset);
      if (!window.isNew(offset)) continue; // still in flight from before the rebalance
      const slot = window.deliver(offset);
      if (firstSlot < 0) firstSlot = slot;
      bytes += 256 + (message.value?.length ?? 0);
      deliveries.push(this.#reader.read(window, message, offset));
    }
    window.end(last, bytes);
    if (deliveries.length > 0) this.#intake?.batch(new RecordBatch(deliveries, window, firstSlot, bytes, this));
    if (window.full && !window.paused) this.#pauseFetching(window);
  }

  /** A refused heartbeat is the first sign of a rebalance: what is in flight gets time to be settled and committed. */
  async #heartbeat(payload: EachBatchPayload): Promise<void> {
    try {
      await payload.heartbeat();
    } catch (error) {
      this.#health.error(kafkaError(error, 'heartbeat'));
      if (protocolType(error) !== 'REBALANCE_IN_PROGRESS' || this.#isRebalancing) return;
      this.#isRebalancing = true;
      await this.#drainForRebalance();
    }
  }

  async #drainForRebalance(): Promise<void> {
    const { clock } = this.#context;
    const deadline = clock.now() + Math.min(this.#config.rebalanceDrain, this.#config.sessionTimeout / 2);
    const busy = (): boolean => [...this.#windows.values()].some((window) => window.unsettled > 0);
    while (busy() && clock.now() < deadline && !this.#closing.signal.aborted) {
      await delay(20, this.#closing.signal, clock).catch(() => {}); // closing: the loop ends
    }
    await this.#commits.flush().catch((error) => this.#health.error(error));
  }
}

function unlessAborted(done: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    void done.then(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
  });
}

function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

function notCommitted(): FairleadError {
  return new FairleadError({ code: 'E_KAFKA_COMMIT', message: 'no consumer could commit', retryable: true });
}
