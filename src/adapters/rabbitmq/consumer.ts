import type { Channel, ConsumeMessage, Message } from 'amqplib';
import type { Clock } from '../../core/clock.ts';
import type { Delivery, DeliveryBatch, Outcome } from '../../core/delivery.ts';
import type { Intake } from '../../core/source.ts';
import { AckWindow } from './acks.ts';
import type { DeliveryMaker } from './delivery.ts';
import { amqpError } from './errors.ts';
import type { Lease } from './session.ts';

/**
 * How long a settled delivery waits for others to share its acknowledgement, and above an unsettled one for the gap to close,
 * before it is acknowledged on its own.
 */
const ACK_MS = 4;
/** With so many waiting they are acknowledged in the same turn; less where the prefetch window is small. */
const ACK_BATCH = 64;

/** One consumer on one channel. Settlements that come after the channel's end are dropped: the broker redelivers. */
export class Consumer {
  readonly lease: Lease<Channel>;
  readonly #clock: Clock;
  readonly #onStale: () => void;
  readonly #window = new AckWindow();
  /** Arrived and not handed over yet; at most the prefetch window. */
  arrived: ConsumeMessage[] = [];
  readonly #batch: number;
  #flushing = false;
  #timer = false;
  /** Stands for the message that amqplib's ack takes; only the tag is read. */
  readonly #stub = { fields: { deliveryTag: 0 } } as Message;

  /** `onStale` hears of each settlement that came too late. */
  constructor(lease: Lease<Channel>, prefetch: number, clock: Clock, onStale: () => void) {
    this.lease = lease;
    this.#batch = Math.min(ACK_BATCH, Math.max(1, prefetch >> 3));
    this.#clock = clock;
    this.#onStale = onStale;
  }

  get unsettled(): number {
    return this.#window.unsettled;
  }

  handOver(intake: Intake, maker: DeliveryMaker): void {
    const messages = this.arrived;
    if (messages.length === 0) return;
    this.arrived = [];
    const deliveries: Delivery[] = [];
    for (const message of messages) {
      this.#window.deliver(message.fields.deliveryTag);
      deliveries.push(maker.make(message));
    }
    intake.batch(new ConsumedBatch(deliveries, messages[0]?.fields.deliveryTag ?? 0, this));
  }

  settle(tag: number, outcome: Outcome): void {
    if (!this.lease.alive) {
      this.#onStale();
    } else if (outcome.verdict === 'ack') {
      if (this.#window.ack(tag)) this.#flushSoon();
    } else if (this.#window.drop(tag)) {
      // From RabbitMQ 4.3 on a reject counts towards the delivery limit of quorum queues and a nack does not: this is a failure.
      this.#send((channel) => channel.reject(this.#message(tag), outcome.verdict === 'retry'));
    }
  }

  /** Sends the acknowledgements that wait, those above a gap included. */
  flush(all: boolean): void {
    this.#flushing = false;
    if (!this.lease.alive) return;
    const { upTo, each } = this.#window.take(all);
    if (upTo !== undefined) this.#send((channel) => channel.ack(this.#message(upTo), true));
    for (const tag of each) this.#send((channel) => channel.ack(this.#message(tag), false));
  }

  #flushSoon(): void {
    if (this.#window.waiting >= this.#batch && !this.#flushing) {
      this.#flushing = true;
      setImmediate(() => this.flush(false));
    }
    if (this.#timer) return;
    this.#timer = true;
    this.#clock.after(ACK_MS, () => {
      this.#timer = false;
      this.flush(true);
    });
  }

  #message(tag: number): Message {
    this.#stub.fields.deliveryTag = tag;
    return this.#stub;
  }

  #send(send: (channel: Channel) => void): void {
    if (!this.lease.alive) return;
    try {
      send(this.lease.channel);
    } catch (error) {
      this.lease.end(amqpError(error, 'settle')); // the channel is closing: what was not sent is redelivered
    }
  }
}

class ConsumedBatch implements DeliveryBatch {
  readonly deliveries: readonly Delivery[];
  /** Tags run on by one within a channel, so the first tells them all. */
  readonly #firstTag: number;
  readonly #consumer: Consumer;

  constructor(deliveries: readonly Delivery[], firstTag: number, consumer: Consumer) {
    this.deliveries = deliveries;
    this.#firstTag = firstTag;
    this.#consumer = consumer;
  }

  settle(index: number, outcome: Outcome): void {
    this.#consumer.settle(this.#firstTag + index, outcome);
  }
}
