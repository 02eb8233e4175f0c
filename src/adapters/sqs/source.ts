import { type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { connectForever, HealthRecord } from '../../core/connection.ts';
import type { Delivery, DeliveryBatch, Outcome } from '../../core/delivery.ts';
import type { CheckItem, Health, Intake, Source } from '../../core/source.ts';
import type { AdapterContext } from '../spec.ts';
import { BATCH } from './batch-queue.ts';
import { checkQueue, inspectSource } from './check.ts';
import { findQueue, type Queue, type SqsBroker, waiting } from './client.ts';
import type { SqsSourceConfig } from './config.ts';
import { Decoder, SYSTEM_ATTRIBUTES } from './decode.ts';
import type { Entry, Lease } from './entry.ts';
import { fromCall } from './errors.ts';
import { GroupGate } from './groups.ts';
import { Heartbeat } from './heartbeat.ts';
import { Pollers } from './pollers.ts';
import { Settler } from './settler.ts';

/** How much longer than a poll lasts `close` waits for it; a long one is aborted after this. */
const POLL_GRACE_MS = 1_000;
/** Bound of telling SQS about the rest during `close`. */
const CLOSE_MS = 5_000;
/** Longest wait before a rejected event comes again. */
const REJECT_MAX_S = 900;

/** What stands once the queue has been found. */
interface Running {
  readonly queue: Queue;
  readonly intake: Intake;
  readonly decoder: Decoder;
  readonly heartbeat: Heartbeat;
  readonly settler: Settler;
  readonly pollers: Pollers;
}

export class SqsSource implements Source {
  readonly #broker: SqsBroker;
  readonly #config: SqsSourceConfig;
  readonly #context: AdapterContext;
  readonly #health = new HealthRecord();
  readonly #gate = new GroupGate();
  readonly #closing = new AbortController();
  #polling: SQSClient | undefined;
  #settling: SQSClient | undefined;
  #running: Running | undefined;
  /** Received and not yet ended at SQS. */
  #held = 0;
  #received = 0;
  /** FIFO events whose turn has come, handed over in one batch. */
  #ready: Entry[] = [];
  #handing = false;
  #paused = false;
  #closed: Promise<void> | undefined;

  constructor(broker: SqsBroker, config: SqsSourceConfig, context: AdapterContext) {
    this.#broker = broker;
    this.#config = config;
    this.#context = context;
  }

  async open(intake: Intake, signal: AbortSignal): Promise<void> {
    const { waitTime, pollers, queue: name } = this.#config;
    const polling = this.#broker.client(pollers, waitTime);
    const settling = this.#broker.client(32);
    this.#polling = polling;
    this.#settling = settling;
    const either = AbortSignal.any([signal, this.#closing.signal]);
    const queue = await connectForever(
      () => findQueue(settling, name, either),
      either,
      (error) => this.#failed(error),
      this.#context,
    );
    this.#running = this.#run(queue, intake, polling, settling);
    this.#health.up();
    this.#running.pollers.start();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#ready.length > 0) this.#handSoon();
    this.#running?.pollers.wake();
  }

  async lag(): Promise<number | undefined> {
    if (this.#running === undefined || this.#settling === undefined || this.#closing.signal.aborted) return undefined;
    return waiting(this.#settling, this.#running.queue.url);
  }

  async check(): Promise<CheckItem[]> {
    const client = this.#broker.client(1);
    try {
      return await checkQueue(client, this.#config.queue, inspectSource);
    } finally {
      this.#broker.release(client);
    }
  }

  health(): Health {
    return this.#health.read({
      received: this.#received,
      unsettled: this.#held,
      ...(this.#running?.settler.counts ?? {}),
    });
  }

  async drained(): Promise<void> {
    await this.#running?.settler.idle();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    if (this.#running !== undefined) await this.#end(this.#running);
    if (this.#polling !== undefined) this.#broker.release(this.#polling);
    if (this.#settling !== undefined) this.#broker.release(this.#settling);
    this.#health.closed();
  }

  /**
   * An aborted poll may go on at SQS and take what becomes visible, for the whole visibility timeout and for nobody. So the
   * unsettled are given back first: a poll under way is answered with them, ends by that, and they are given back again.
   */
  async #end({ pollers, heartbeat, settler }: Running): Promise<void> {
    const { waitTime } = this.#config;
    const stopped = pollers.stop(waitTime <= 2 * POLL_GRACE_MS ? waitTime + POLL_GRACE_MS : POLL_GRACE_MS);
    for (const entry of heartbeat.stop()) this.#finish(entry, 'return', 0);
    await stopped;
    const bound = new Promise<void>((resolve) => this.#context.clock.after(CLOSE_MS, resolve));
    await Promise.race([settler.idle(), bound]);
    settler.stop();
  }

  #run(queue: Queue, intake: Intake, polling: SQSClient, client: SQSClient): Running {
    const { clock, random } = this.#context;
    const { visibilityTimeout: visibilityMs, maxInFlight, pollers: count } = this.#config;
    const seconds = Math.ceil(visibilityMs / 1_000);
    const onFailure = (error: unknown): void => this.#failed(error);
    const settler = new Settler({
      client,
      queueUrl: queue.url,
      clock,
      random,
      onFailure: (error) => this.#health.error(error),
      done: () => this.#ended(),
    });
    const heartbeat = new Heartbeat({
      clock,
      visibilityMs,
      extend: (entry) => settler.extend(entry, seconds),
      release: (entry) => {
        entry.lapsed = true;
        settler.extend(entry, 0);
      },
    });
    const decoder = new Decoder(queue, this.#config);
    const room = (events: number): boolean => !this.#paused && this.#held + events <= maxInFlight;
    const receive = (signal: AbortSignal): Promise<number> => this.#receive(polling, queue.url, seconds, signal);
    const pollers = new Pollers({ count, receive, room, onFailure, clock, random });
    return { queue, intake, decoder, heartbeat, settler, pollers };
  }

  async #receive(client: SQSClient, url: string, visibility: number, abortSignal: AbortSignal): Promise<number> {
    const command = new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: BATCH,
      WaitTimeSeconds: Math.floor(this.#config.waitTime / 1_000),
      VisibilityTimeout: visibility,
      MessageSystemAttributeNames: [...SYSTEM_ATTRIBUTES],
      MessageAttributeNames: ['All'],
    });
    const { Messages = [] } = await client.send(command, { abortSignal });
    if (this.#health.status !== 'up') this.#health.up();
    if (Messages.length > 0) this.#take(Messages);
    return Messages.length;
  }

  #take(messages: readonly Message[]): void {
    const { decoder, heartbeat } = this.#running as Running;
    const lease: Lease = { receivedAt: this.#context.clock.now(), entries: [], dueAt: 0, open: messages.length };
    const now: Entry[] = [];
    for (const message of messages) {
      const delivery = decoder.decode(message);
      const entry: Entry = {
        handle: message.ReceiptHandle ?? '',
        group: delivery.orderingKey,
        attempt: delivery.attempt,
        lease,
        delivery,
        end: undefined,
        lapsed: false,
        extending: false,
        returnIn: undefined,
      };
      lease.entries.push(entry);
      if (this.#gate.admit(entry)) now.push(entry);
    }
    this.#received += messages.length;
    this.#held += messages.length;
    if (this.#closing.signal.aborted) {
      for (const entry of lease.entries) this.#finish(entry, 'return', 0);
      return;
    }
    heartbeat.track(lease);
    this.#hand(now);
  }

  #hand(entries: Entry[]): void {
    if (entries.length === 0) return;
    const deliveries = entries.map((entry) => {
      const delivery = entry.delivery as Delivery;
      entry.delivery = undefined; // the batch holds it from here on
      return delivery;
    });
    this.#running?.intake.batch(new ReceivedBatch(deliveries, entries, this));
  }

  /** Gathers the FIFO events that follow on those settled in this turn of the event loop. */
  #handSoon(): void {
    if (this.#handing) return;
    this.#handing = true;
    setImmediate(() => {
      this.#handing = false;
      if (this.#paused || this.#closing.signal.aborted) return;
      this.#hand(this.#ready.splice(0));
    });
  }

  /** @internal Called by the batch, once for each entry. */
  settle(entry: Entry, outcome: Outcome): void {
    if (entry.end !== undefined || this.#running === undefined) return; // closed meanwhile: it was given back then
    if (outcome.verdict === 'ack') {
      this.#finish(entry, 'delete', 0);
      const next = this.#gate.next(entry);
      if (next === undefined) return;
      this.#ready.push(next);
      this.#handSoon();
      return;
    }
    const seconds = outcome.verdict === 'retry' ? retryDelay(outcome.delayMs, entry) : rejectDelay(entry);
    this.#finish(entry, 'return', seconds);
    for (const later of this.#gate.fail(entry)) this.#finish(later, 'return', seconds);
  }

  #finish(entry: Entry, end: 'delete' | 'return', seconds: number): void {
    const { heartbeat, settler } = this.#running as Running;
    entry.end = end;
    entry.delivery = undefined;
    heartbeat.settled(entry.lease);
    if (end === 'delete') settler.delete(entry);
    else settler.giveBack(entry, seconds);
  }

  #ended(): void {
    this.#held -= 1;
    this.#running?.pollers.wake();
  }

  #failed(error: unknown): void {
    const failure = fromCall(error, `cannot receive from "${this.#config.queue}"`);
    if (this.#health.status !== 'down') this.#context.log.warn({ code: failure.code }, failure.message);
    this.#health.down(failure);
  }
}

/** Seconds, rounded up. Without a delay the first return is immediate and later ones back off, so that none of them spins. */
function retryDelay(delayMs: number | undefined, entry: Entry): number {
  if (delayMs === undefined) return entry.attempt < 2 ? 0 : Math.min(2 ** (entry.attempt - 2), 60);
  return Math.min(Math.ceil(delayMs / 1_000), 39_600);
}

/** SQS cannot refuse: its redrive policy moves the event after `maxReceiveCount` receives, which this spreads out. */
function rejectDelay(entry: Entry): number {
  return Math.min(2 ** Math.min(entry.attempt, 12), REJECT_MAX_S);
}

class ReceivedBatch implements DeliveryBatch {
  readonly deliveries: readonly Delivery[];
  readonly #entries: readonly Entry[];
  readonly #source: SqsSource;

  constructor(deliveries: readonly Delivery[], entries: readonly Entry[], source: SqsSource) {
    this.deliveries = deliveries;
    this.#entries = entries;
    this.#source = source;
  }

  settle(index: number, outcome: Outcome): void {
    this.#source.settle(this.#entries[index] as Entry, outcome);
  }
}
