import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { HealthRecord } from '../../core/connection.ts';
import { FairleadError } from '../../core/errors.ts';
import type { CheckItem, Health, Intake, Source } from '../../core/source.ts';
import type { AdapterContext } from '../spec.ts';
import type { RabbitBroker } from './broker.ts';
import type { RabbitSourceConfig } from './config.ts';
import { Consumer } from './consumer.ts';
import { DeliveryMaker } from './delivery.ts';
import { amqpError } from './errors.ts';
import { type Lease, type Role, Session, within } from './session.ts';
import { ensureQueue } from './topology.ts';

/**
 * Consumes a queue with manual acknowledgement. While paused it keeps its consumer and holds what arrives, which the prefetch
 * window bounds: cancelling and consuming again would open a second window beside the unsettled deliveries of the first.
 */
export class RabbitSource implements Source, Role<Channel> {
  readonly #broker: RabbitBroker;
  readonly #config: RabbitSourceConfig;
  readonly #context: AdapterContext;
  readonly #maker: DeliveryMaker;
  readonly #record = new HealthRecord();
  readonly #session: Session<Channel>;
  /** Settlements for deliveries of a channel that is gone. */
  #staleSettlements = 0;
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
    return this.#record.read({ unsettled, held: arrived?.length ?? 0, staleSettlements: this.#staleSettlements });
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

  makeChannel(model: ChannelModel): Promise<Channel> {
    return model.createChannel();
  }

  async setUp(lease: Lease<Channel>): Promise<void> {
    const { queue, declare, prefetch } = this.#config;
    await ensureQueue(lease.channel, queue, declare);
    await lease.channel.prefetch(prefetch);
    const consumer = new Consumer(lease, prefetch, this.#context.clock, () => {
      this.#staleSettlements += 1;
    });
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
