import type { Channel, ChannelModel, ConsumeMessage, Message } from 'amqplib';
import { HealthRecord } from '../../core/connection.ts';
import type { Delivery, DeliveryBatch, Outcome } from '../../core/delivery.ts';
import { FairleadError } from '../../core/errors.ts';
import type { CheckItem, Health, Intake, Source } from '../../core/source.ts';
import type { AdapterContext } from '../spec.ts';
import { AckWindow } from './acks.ts';
import type { RabbitBroker } from './broker.ts';
import type { RabbitSourceConfig } from './config.ts';
import { DeliveryMaker } from './delivery.ts';
import { amqpError } from './errors.ts';
import { type Lease, type Role, Session, within } from './session.ts';
import { ensureQueue } from './topology.ts';

/** How long a settled delivery above an unsettled one waits for the gap to close before it is acknowledged on its own. */
const GAP_MS = 5;

/** One consumer on one channel. Settlements that come after the channel's end are dropped: the broker redelivers. */
class Consumer {
  readonly lease: Lease<Channel>;
  readonly #source: RabbitSource;
  readonly #window = new AckWindow();
  /** Arrived and not handed over yet; at most the prefetch window. */
  arrived: ConsumeMessage[] = [];
  #flushing = false;
  #gapTimer = false;
  /** Stands for the message that amqplib's ack takes; only the tag is read. */
  readonly #stub = { fields: { deliveryTag: 0 } } as Message;

  constructor(lease: Lease<Channel>, source: RabbitSource) {
    this.lease = lease;
    this.#source = source;
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
      this.#source.staleSettlements += 1;
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
    if (this.#window.waiting > 0 && !this.#gapTimer) {
      this.#gapTimer = true;
      this.#source.after(GAP_MS, () => {
        this.#gapTimer = false;
        this.flush(true);
      });
    }
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => this.flush(false));
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

/**
 * Consumes a queue with manual acknowledgement. While paused it keeps its consumer and holds what arrives, which the prefetch
 * window bounds: cancelling and consuming again would open a second window beside the unsettled deliveries of the first.
 */
export class RabbitSource implements Source, Role<Channel> {
  /** Settlements for deliveries of a channel that is gone. */
  staleSettlements = 0;
  readonly #broker: RabbitBroker;
  readonly #config: RabbitSourceConfig;
  readonly #context: AdapterContext;
  readonly #maker: DeliveryMaker;
  readonly #record = new HealthRecord();
  readonly #session: Session<Channel>;
  #intake: Intake | undefined;
  #consumer: Consumer | undefined;
  #paused = false;
  #closed = false;
  #handingOver = false;

  constructor(broker: RabbitBroker, config: RabbitSourceConfig, context: AdapterContext) {
    this.#broker = broker;
    this.#config = config;
    this.#context = context;
    this.#maker = new DeliveryMaker(config);
    const { clock, random } = context;
    this.#session = new Session(broker.consuming, this, { setUpMs: broker.setUpMs, clock, random });
  }

  async open(intake: Intake, signal: AbortSignal): Promise<void> {
    this.#intake = intake;
    await this.#session.open(signal);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#handOverSoon();
  }

  lag(): Promise<number | undefined> {
    return this.#broker.depth(this.#broker.consuming, this.#config.queue);
  }

  async check(): Promise<CheckItem[]> {
    const { queue, declare } = this.#config;
    if (declare !== undefined) {
      const steps = [...new Set(declare.bindings.map(({ exchange }) => exchange))];
      return this.#broker.check(
        steps.map((exchange) => ({ what: `exchange ${exchange}`, run: (channel) => channel.checkExchange(exchange) })),
      );
    }
    return this.#broker.check([{ what: `queue ${queue}`, run: (channel) => channel.checkQueue(queue) }]);
  }

  health(): Health {
    const { unsettled = 0, arrived } = this.#consumer ?? {};
    return this.#record.read({ unsettled, held: arrived?.length ?? 0, staleSettlements: this.staleSettlements });
  }

  async drained(): Promise<void> {
    const consumer = this.#consumer;
    if (consumer === undefined || !consumer.lease.alive) return;
    consumer.flush(true);
    // Acknowledgements have no answer; this call on the same channel has one, and comes after them.
    const answered = consumer.lease.channel.prefetch(this.#config.prefetch);
    await within(answered, this.#broker.setUpMs, this.#context.clock, 'flush acknowledgements').catch((error) =>
      this.#record.error(amqpError(error, 'flush acknowledgements')),
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    const consumer = this.#consumer;
    // Closing the channel gives the unsettled back, and those held that nobody has seen.
    await this.#session.close(() => consumer?.flush(true));
    this.#record.closed();
  }

  after(ms: number, fn: () => void): void {
    this.#context.clock.after(ms, fn);
  }

  makeChannel(model: ChannelModel): Promise<Channel> {
    return model.createChannel();
  }

  async setUp(lease: Lease<Channel>): Promise<void> {
    const { queue, declare, prefetch } = this.#config;
    await ensureQueue(lease.channel, queue, declare);
    await lease.channel.prefetch(prefetch);
    const consumer = new Consumer(lease, this);
    this.#consumer = consumer;
    await lease.channel.consume(queue, (message) => this.#onMessage(consumer, message));
  }

  up(): void {
    this.#record.up();
    this.#context.log.info({ queue: this.#config.queue }, 'consuming');
    this.#handOverSoon();
  }

  down(error: FairleadError): void {
    this.#record.down(error);
    this.#context.log.warn({ queue: this.#config.queue, code: error.code }, error.message);
  }

  #onMessage(consumer: Consumer, message: ConsumeMessage | null): void {
    if (message === null) {
      const text = `the broker cancelled the consumer: queue "${this.#config.queue}" was deleted or moved`;
      const error = new FairleadError({ code: 'E_RABBITMQ_CANCELLED', message: text, unavailable: true });
      void consumer.lease.close(this.#context.clock, error);
      return;
    }
    consumer.arrived.push(message);
    this.#handOverSoon();
  }

  /** What arrives in one turn of the event loop is handed over as one batch. */
  #handOverSoon(): void {
    if (this.#handingOver || this.#paused) return;
    this.#handingOver = true;
    setImmediate(() => {
      this.#handingOver = false;
      const consumer = this.#consumer;
      if (this.#paused || this.#closed || this.#intake === undefined || consumer?.lease.alive !== true) return;
      consumer.handOver(this.#intake, this.#maker);
    });
  }
}
