import { SendMessageBatchCommand, type SendMessageBatchRequestEntry, type SQSClient } from '@aws-sdk/client-sqs';
import { canonical } from '../../cloudevents/attributes.ts';
import { connectForever, HealthRecord } from '../../core/connection.ts';
import { FairleadError } from '../../core/errors.ts';
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
import { BATCH } from './batch-queue.ts';
import { checkQueue } from './check.ts';
import { findQueue, type Queue, type SqsBroker, waiting } from './client.ts';
import type { SqsTargetConfig } from './config.ts';
import { type EncodeOptions, encode } from './encode.ts';
import { CLOSED, fromCall, fromEntry, HELD, NOT_SENT, UNANSWERED } from './errors.ts';
import { deduplicationId, type Parcel, packOrdered, packUnordered, type Stream, sqsId } from './pack.ts';

/** More than the calls that sends at their usual concurrency make: behind this the SDK would queue them silently. */
const MAX_SOCKETS = 256;
/** Bound of letting running sends end during `close`. */
const CLOSE_MS = 5_000;

interface Running {
  readonly client: SQSClient;
  readonly queue: Queue;
  readonly options: EncodeOptions;
  readonly notify: TargetNotify;
}

/** One `send` under way: its results by index, and the lane keys of which one event failed, with that event's index. */
interface Sending {
  readonly results: SendResult[];
  readonly failedKeys: Map<string, number>;
  readonly signal: AbortSignal;
  readonly running: Running;
}

export class SqsTarget implements Target {
  /** Ten calls in a send, and few sends at once: what comes in meanwhile fills the calls, which are what SQS charges for. */
  readonly limits: SendLimits = { maxEvents: 10 * BATCH, maxBytes: 4 * 2 ** 20, concurrency: 2 };
  readonly #broker: SqsBroker;
  readonly #config: SqsTargetConfig;
  readonly #context: AdapterContext;
  readonly #health = new HealthRecord();
  readonly #group: Template | undefined;
  readonly #deduplication: Template | undefined;
  readonly #closing = new AbortController();
  readonly #sends = new Set<Promise<unknown>>();
  #running: Running | undefined;
  #recovering = false;
  #headersDropped = 0;

  constructor(broker: SqsBroker, config: SqsTargetConfig, context: AdapterContext) {
    this.#broker = broker;
    this.#config = config;
    this.#context = context;
    this.#group = config.group === undefined ? undefined : compileTemplate(config.group);
    this.#deduplication = config.deduplication === undefined ? undefined : compileTemplate(config.deduplication);
  }

  async open(notify: TargetNotify, signal: AbortSignal): Promise<void> {
    const client = this.#broker.client(MAX_SOCKETS);
    const queue = await this.#connect(client, AbortSignal.any([signal, this.#closing.signal]));
    const { encoding = 'structured', headers, mirror, maxBytes } = this.#config;
    const atQueue = Number(queue.attributes['MaximumMessageSize'] ?? maxBytes);
    const options = { encoding, headers, mirror, maxBytes: Math.min(maxBytes, atQueue) };
    this.#running = { client, queue, options, notify };
    this.#health.up();
  }

  async send(legs: readonly Leg[], signal: AbortSignal): Promise<readonly SendResult[]> {
    const running = this.#running;
    if (running === undefined || this.#closing.signal.aborted) return legs.map(() => CLOSED);
    const sending: Sending = { results: new Array(legs.length), failedKeys: new Map(), signal, running };
    const parcels = this.#parcels(legs, sending);
    const pack = running.queue.fifo ? packOrdered : packUnordered;
    const streams = pack(parcels, this.#config.maxBytes);
    const all = Promise.all(streams.map((stream) => this.#stream(stream, sending)));
    this.#sends.add(all);
    await all;
    this.#sends.delete(all);
    return sending.results;
  }

  async backlog(): Promise<number | undefined> {
    if (this.#running === undefined || this.#closing.signal.aborted) return undefined;
    return waiting(this.#running.client, this.#running.queue.url);
  }

  async check(): Promise<CheckItem[]> {
    const client = this.#broker.client(1);
    try {
      return await checkQueue(client, this.#config.queue, () => []);
    } finally {
      this.#broker.release(client);
    }
  }

  health(): Health {
    return this.#health.read({ headersDropped: this.#headersDropped });
  }

  async close(): Promise<void> {
    if (this.#health.status === 'closed') return;
    const { clock } = this.#context;
    this.#closing.abort();
    await Promise.race([Promise.all(this.#sends), new Promise<void>((resolve) => clock.after(CLOSE_MS, resolve))]);
    if (this.#running !== undefined) this.#broker.release(this.#running.client);
    this.#health.closed();
  }

  #connect(client: SQSClient, signal: AbortSignal): Promise<Queue> {
    const onFailure = (error: unknown): void => this.#health.down(error);
    return connectForever(() => findQueue(client, this.#config.queue, signal), signal, onFailure, this.#context);
  }

  /** Encodes the legs; those that SQS can never take have their results at once. */
  #parcels(legs: readonly Leg[], sending: Sending): Parcel[] {
    const { queue, options } = sending.running;
    const parcels: Parcel[] = [];
    for (let index = 0; index < legs.length; index += 1) {
      const leg = legs[index] as Leg;
      try {
        const message = encode(leg.event, leg.meta.headers, options, leg.trace);
        this.#headersDropped += message.headersDropped;
        const groupId = this.#groupId(leg, queue.fifo);
        const deduplication = queue.fifo ? this.#deduplicationId(leg) : undefined;
        parcels.push({ index, key: leg.key, message, groupId, deduplicationId: deduplication });
      } catch (error) {
        if (!(error instanceof FairleadError)) throw error;
        this.#fail(leg.key, index, resultOf(error), sending);
      }
    }
    return parcels;
  }

  #groupId(leg: Leg, fifo: boolean): string | undefined {
    const resolve = resolver(leg.event);
    const configured = this.#group?.render(resolve);
    if (configured !== undefined && configured !== '') return sqsId(configured);
    if (!fifo) return undefined;
    return sqsId(resolve('partitionkey') || leg.key || leg.event.source);
  }

  #deduplicationId(leg: Leg): string {
    const configured = this.#deduplication?.render(resolver(leg.event));
    if (configured !== undefined && configured !== '') return sqsId(configured);
    return deduplicationId(leg.event.source, leg.event.id, leg.route);
  }

  async #stream(stream: Stream, sending: Sending): Promise<void> {
    for (const batch of stream) await this.#batch(batch, sending);
  }

  /** Sends what may be sent of a batch and sets the result of each of its parcels. */
  async #batch(batch: readonly Parcel[], sending: Sending): Promise<void> {
    const parcels = sending.running.queue.fifo ? this.#unblocked(batch, sending) : batch;
    if (parcels.length === 0) return;
    if (sending.signal.aborted) {
      for (const { key, index } of parcels) this.#fail(key, index, NOT_SENT, sending);
      return;
    }
    const { client, queue } = sending.running;
    try {
      const command = new SendMessageBatchCommand({ QueueUrl: queue.url, Entries: parcels.map(entryOf) });
      const answer = await client.send(command, { abortSignal: sending.signal });
      for (const { Id } of answer.Successful ?? []) sending.results[Number(Id)] = CONFIRMED;
      for (const failed of answer.Failed ?? []) {
        const error = fromEntry(failed);
        this.#health.error(error);
        sending.results[Number(failed.Id)] = resultOf(error);
      }
      for (const parcel of parcels) this.#settle(parcel, sending);
      if (this.#health.status !== 'up') this.#health.up();
    } catch (error) {
      await this.#callFailed(fromCall(error, `cannot send to "${queue.name}"`), parcels, sending);
    }
  }

  /** One bad entry can make an endpoint refuse the whole call: halves find it, and the others pass. */
  async #callFailed(error: FairleadError, parcels: readonly Parcel[], sending: Sending): Promise<void> {
    const final = !error.retryable && !error.unavailable;
    if (final && parcels.length > 1) {
      const middle = parcels.length >> 1;
      await this.#batch(parcels.slice(0, middle), sending);
      await this.#batch(parcels.slice(middle), sending);
      return;
    }
    for (const { key, index } of parcels) this.#fail(key, index, resultOf(error), sending);
    if (error.unavailable) this.#recover(error, sending.running);
    else this.#health.error(error);
  }

  /** What follows an event of the same lane key that failed in this send stays behind, so that order holds. */
  #unblocked(batch: readonly Parcel[], sending: Sending): readonly Parcel[] {
    if (sending.failedKeys.size === 0) return batch;
    return batch.filter((parcel) => {
      const failed = parcel.key === undefined ? undefined : sending.failedKeys.get(parcel.key);
      if (failed === undefined || failed > parcel.index) return true;
      sending.results[parcel.index] = HELD;
      return false;
    });
  }

  #settle({ index, key }: Parcel, sending: Sending): void {
    const result = sending.results[index] ?? UNANSWERED;
    if (result.status !== 'confirmed') this.#fail(key, index, result, sending);
  }

  #fail(key: string | undefined, index: number, result: SendResult, sending: Sending): void {
    sending.results[index] = result;
    if (key === undefined) return;
    sending.failedKeys.set(key, Math.min(index, sending.failedKeys.get(key) ?? index));
  }

  /** Tells the lane to wait and asks for the queue until it answers. */
  #recover(error: FairleadError, running: Running): void {
    this.#health.down(error);
    if (this.#recovering || this.#closing.signal.aborted) return;
    this.#recovering = true;
    this.#context.log.warn({ code: error.code }, error.message);
    running.notify.unavailable(error);
    this.#connect(running.client, this.#closing.signal).then(
      () => {
        this.#recovering = false;
        this.#health.up();
        running.notify.available();
      },
      (failure: unknown) => {
        this.#recovering = false;
        if (!this.#closing.signal.aborted) this.#health.down(failure);
      },
    );
  }
}

function entryOf(parcel: Parcel): SendMessageBatchRequestEntry {
  const { index, message, groupId, deduplicationId: deduplication } = parcel;
  return {
    Id: String(index),
    MessageBody: message.body,
    ...(message.attributes === undefined ? {} : { MessageAttributes: message.attributes }),
    ...(groupId === undefined ? {} : { MessageGroupId: groupId }),
    ...(deduplication === undefined ? {} : { MessageDeduplicationId: deduplication }),
  };
}

function resolver(event: MeshEvent): (name: string) => string | undefined {
  return (name) => {
    const value = event.attribute(name);
    return value === undefined ? undefined : canonical(value);
  };
}
