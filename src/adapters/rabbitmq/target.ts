import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { HealthRecord } from '../../core/connection.ts';
import { FairleadError } from '../../core/errors.ts';
import type { CheckItem, Health } from '../../core/source.ts';
import {
  type Leg,
  resultOf,
  type SendLimits,
  type SendResult,
  type Target,
  type TargetNotify,
} from '../../core/target.ts';
import type { AdapterContext } from '../spec.ts';
import type { CheckStep, RabbitBroker } from './broker.ts';
import type { RabbitTargetConfig } from './config.ts';
import { disconnected } from './errors.ts';
import { timedOut } from './link.ts';
import { Publisher } from './publisher.ts';
import { type Lease, type Role, Session } from './session.ts';
import { ensureExchange, ensureQueue } from './topology.ts';

/** Legs in a batch and batches at once: 2,000 events await their confirm at most. */
export const LIMITS: SendLimits = { maxEvents: 500, maxBytes: 4 * 2 ** 20, concurrency: 4 };

/** Publishes with confirms and `mandatory`. */
export class RabbitTarget implements Target, Role<ConfirmChannel> {
  readonly limits: SendLimits = LIMITS;
  readonly #broker: RabbitBroker;
  readonly #config: RabbitTargetConfig;
  readonly #context: AdapterContext;
  readonly #session: Session<ConfirmChannel>;
  readonly #record = new HealthRecord();
  readonly #publisher: Publisher;
  #notify: TargetNotify | undefined;
  /** Why nothing can be sent now. */
  #down: FairleadError | undefined;
  #closed = false;
  #cancelWatch: (() => void) | undefined;

  constructor(broker: RabbitBroker, config: RabbitTargetConfig, context: AdapterContext) {
    this.#broker = broker;
    this.#config = config;
    this.#context = context;
    this.#publisher = new Publisher(config, LIMITS.maxEvents * LIMITS.concurrency, context);
    const { clock, random } = context;
    this.#session = new Session(broker.publishing, this, { setUpMs: broker.setUpMs, clock, random });
  }

  async open(notify: TargetNotify, signal: AbortSignal): Promise<void> {
    this.#notify = notify;
    await this.#session.open(signal);
  }

  async send(legs: readonly Leg[], signal: AbortSignal): Promise<readonly SendResult[]> {
    // The check and the publishing stand in one turn, else several sends would take the same room.
    while (this.#down === undefined && !signal.aborted && !this.#publisher.hasRoom(legs.length)) {
      await this.#publisher.progress(signal);
    }
    const { lease } = this.#session;
    if (lease === undefined || this.#down !== undefined) return this.#unavailable(legs.length);
    if (signal.aborted) return new Array<SendResult>(legs.length).fill(NO_ROOM);
    const publication = this.#publisher.publish(lease, legs);
    const onAbort = (): void => publication.abandon(ABORTED);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#watch();
    try {
      return await publication.done;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async backlog(): Promise<number | undefined> {
    const { queue } = this.#config;
    return queue === undefined ? undefined : await this.#broker.depth(this.#broker.publishing, queue);
  }

  check(): Promise<CheckItem[]> {
    const { exchange, queue, declare } = this.#config;
    const steps: CheckStep[] = [];
    if (exchange !== undefined && declare?.exchange === undefined) {
      steps.push({ what: `exchange ${exchange}`, run: (channel) => channel.checkExchange(exchange) });
    }
    if (queue !== undefined && declare?.queue === undefined) {
      steps.push({ what: `queue ${queue}`, run: (channel) => channel.checkQueue(queue) });
    }
    return this.#broker.check(steps);
  }

  health(): Health {
    return this.#record.read(this.#publisher.detail());
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelWatch?.();
    await this.#session.close();
    this.#publisher.lost(new FairleadError({ code: 'E_RABBITMQ_CLOSED', message: 'closed', unavailable: true }));
    this.#record.closed();
  }

  makeChannel(model: ChannelModel): Promise<ConfirmChannel> {
    return model.createConfirmChannel();
  }

  async setUp({ channel }: Lease<ConfirmChannel>): Promise<void> {
    const { exchange, queue, declare } = this.#config;
    if (exchange !== undefined) await ensureExchange(channel, exchange, declare?.exchange);
    if (queue !== undefined) await ensureQueue(channel, queue, declare?.queue);
  }

  up(lease: Lease<ConfirmChannel>): void {
    this.#publisher.attach(lease);
    const { model } = lease.connected;
    const onBlocked = (reason: string): void => {
      const message = `the broker blocks publishers: ${reason}`;
      this.#unavailableFor(new FairleadError({ code: 'E_RABBITMQ_BLOCKED', message, unavailable: true }));
    };
    const onUnblocked = (): void => {
      this.#publisher.restartWait();
      this.#available();
    };
    model.on('blocked', onBlocked);
    model.on('unblocked', onUnblocked);
    void lease.ended.then(() => {
      model.off('blocked', onBlocked);
      model.off('unblocked', onUnblocked);
    });
    if (lease.connected.blocked === undefined) this.#available();
    else onBlocked(lease.connected.blocked);
  }

  down(error: FairleadError, lease?: Lease<ConfirmChannel>): void {
    if (lease !== undefined) this.#publisher.lost(error);
    this.#unavailableFor(error);
  }

  #available(): void {
    this.#down = undefined;
    this.#record.up();
    this.#notify?.available();
    this.#context.log.info({}, 'publishing');
  }

  #unavailableFor(error: FairleadError): void {
    this.#down = disconnected(error);
    this.#record.down(error);
    this.#context.log.warn({ code: error.code }, error.message);
    this.#publisher.wake();
    this.#notify?.unavailable(this.#down);
  }

  #unavailable(count: number): SendResult[] {
    const result = resultOf(this.#closed ? CLOSED : (this.#down ?? disconnected(undefined)));
    return new Array<SendResult>(count).fill(result);
  }

  /** Looks after the confirms while any are outstanding, also of sends that were answered because their time was up. */
  #watch(): void {
    if (this.#cancelWatch !== undefined || this.#publisher.outstanding === 0) return;
    const { confirmTimeout } = this.#config;
    const { clock } = this.#context;
    const left = this.#publisher.progressAt + confirmTimeout - clock.now();
    this.#cancelWatch = clock.after(left > 0 ? left : confirmTimeout, () => {
      this.#cancelWatch = undefined;
      const { lease } = this.#session;
      const overdue = clock.now() - this.#publisher.progressAt >= confirmTimeout;
      // A broker that blocks us says so; otherwise the link is dead, whatever TCP and the heartbeats believe.
      if (!overdue || lease === undefined || lease.connected.blocked !== undefined) this.#watch();
      else if (this.#publisher.outstanding > 0) lease.connected.kill(timedOut('confirm', confirmTimeout));
    });
  }
}

const CLOSED = new FairleadError({ code: 'E_RABBITMQ_CLOSED', message: 'closed', unavailable: true });

const ABORTED: SendResult = Object.freeze({
  status: 'unknown',
  code: 'E_RABBITMQ_TIMEOUT',
  message: 'not confirmed in time',
  retryable: true,
});

const NO_ROOM: SendResult = Object.freeze({
  status: 'failed',
  code: 'E_RABBITMQ_TIMEOUT',
  message: 'not sent in time: earlier events are still unconfirmed',
  retryable: true,
});
