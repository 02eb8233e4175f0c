import type { ConfirmChannel, Message } from 'amqplib';
import type { Clock } from '../../core/clock.ts';
import { codeOf, FairleadError, messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { type Leg, resultOf, type SendResult } from '../../core/target.ts';
import type { AdapterContext } from '../spec.ts';
import type { RabbitTargetConfig } from './config.ts';
import { Confirms, type Publication } from './confirms.ts';
import { bodyOf, type EncodeOptions, Encoder, messageIdOf } from './encoder.ts';
import { amqpError } from './errors.ts';
import { RoutingKey } from './routing.ts';
import type { Lease } from './session.ts';

/** Encodes legs, publishes them on the confirm channel and tells each publication what the broker answered. */
export class Publisher {
  readonly #exchange: string;
  readonly #routingKey: RoutingKey;
  readonly #encoding: EncodeOptions['encoding'];
  readonly #encoder: Encoder;
  readonly #maxBytes: number;
  readonly #maxInFlight: number;
  readonly #log: Log;
  readonly #clock: Clock;
  #confirms = new Confirms();
  #legs = new WeakMap<Publication, readonly Leg[]>();
  /** amqplib's buffer is over its high-water mark: what was published is kept, more has to wait. */
  #full = false;
  #waiting: (() => void)[] = [];
  #returned = 0;
  #strayReturns = 0;
  #progressAt = 0;

  constructor(config: RabbitTargetConfig, maxInFlight: number, { log, clock }: Pick<AdapterContext, 'log' | 'clock'>) {
    const { exchange, queue, routingKey, encoding, persistent, headers, maxBytes } = config;
    if (exchange === undefined && queue === undefined) {
      throw new FairleadError({ code: 'E_CONFIG', message: 'a rabbitmq target needs "exchange" or "queue"' });
    }
    this.#exchange = exchange ?? '';
    this.#routingKey = new RoutingKey(exchange === undefined ? literal(queue as string) : (routingKey ?? ''));
    this.#encoding = encoding;
    this.#encoder = new Encoder({ encoding, persistent, passHeaders: headers === 'pass' });
    this.#maxBytes = maxBytes;
    this.#maxInFlight = maxInFlight;
    this.#log = log;
    this.#clock = clock;
  }

  /** Published and not confirmed. */
  get outstanding(): number {
    return this.#confirms.outstanding;
  }

  /** When the broker last confirmed something, or the first of the outstanding was published; by the monotonic clock. */
  get progressAt(): number {
    return this.#progressAt;
  }

  /** Counts the wait for confirms from now on. */
  restartWait(): void {
    this.#progressAt = this.#clock.now();
  }

  detail(): Record<string, number> {
    return {
      inFlight: this.#confirms.outstanding,
      headersDropped: this.#encoder.headersDropped,
      returned: this.#returned,
      strayReturns: this.#strayReturns,
    };
  }

  /** Takes up a new channel: confirm tags begin at 1 again. */
  attach(lease: Lease<ConfirmChannel>): void {
    const confirms = new Confirms();
    this.#confirms = confirms;
    this.#full = false;
    // The channel's own events instead of a callback per publish: nothing is allocated per event.
    lease.channel.on('ack', ({ deliveryTag, multiple }) => {
      this.#settle(confirms, deliveryTag, multiple);
    });
    lease.channel.on('nack', ({ deliveryTag, multiple }) => {
      this.#settle(confirms, deliveryTag, multiple, NACKED);
    });
    lease.channel.on('return', (message) => this.#onReturn(confirms, message));
    lease.channel.on('drain', () => {
      this.#full = false;
      this.wake();
    });
  }

  /** The channel is gone: what is outstanding is unknown. */
  lost(error: FairleadError): void {
    const { code, message } = error;
    // A 403 or 406 answers something that was sent on this channel, so the same again may meet the same: an attempt is consumed.
    const unavailable = code !== 'E_RABBITMQ_PRECONDITION' && code !== 'E_RABBITMQ_ACCESS_REFUSED';
    this.#confirms.abandon({ status: 'unknown', code, message, retryable: true, unavailable });
    this.wake();
  }

  /** Whether `count` more legs may be published now. */
  hasRoom(count: number): boolean {
    const { outstanding } = this.#confirms;
    return !this.#full && (outstanding === 0 || outstanding + count <= this.#maxInFlight);
  }

  /** Resolves when there may be room again, the channel is gone, or the signal aborts. */
  progress(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        resolve();
      };
      signal.addEventListener('abort', wake, { once: true });
      this.#waiting.push(wake);
    });
  }

  /** Publishes all legs at once; never throws. */
  publish(lease: Lease<ConfirmChannel>, legs: readonly Leg[]): Publication {
    const confirms = this.#confirms;
    if (confirms.outstanding === 0) this.#progressAt = this.#clock.now();
    const publication = confirms.begin(legs.length);
    this.#legs.set(publication, legs);
    for (let index = 0; index < legs.length; index += 1) {
      const failure = this.#publishOne(lease, legs[index] as Leg);
      if (failure === undefined) confirms.published(publication, index);
      else publication.refused(index, failure);
    }
    confirms.seal(publication);
    return publication;
  }

  #settle(confirms: Confirms, tag: number, multiple: boolean, failure?: SendResult): void {
    confirms.settle(tag, multiple, failure);
    this.#progressAt = this.#clock.now();
    this.wake();
  }

  #publishOne({ channel, alive }: Lease<ConfirmChannel>, { event, meta, trace }: Leg): SendResult | undefined {
    if (!alive) return GONE;
    try {
      const routingKey = this.#routingKey.of(event);
      const content = bodyOf(event, this.#encoding);
      if (content.length > this.#maxBytes) return tooLarge(content.length, this.#maxBytes);
      const options = this.#encoder.options(event, meta.headers, trace);
      if (!channel.publish(this.#exchange, routingKey, content, options)) this.#full = true;
      return undefined;
    } catch (error) {
      return resultOf(publishError(error));
    }
  }

  /**
   * A return names no tag. It comes before the confirm of its message and returns come in the order of publishing, so it
   * belongs to the first outstanding leg after the last returned one with this routing key, message-id and body.
   */
  #onReturn(confirms: Confirms, message: Message): void {
    const { exchange, routingKey } = message.fields;
    const text = `no queue takes events for exchange "${exchange}" with routing key "${routingKey}"`;
    const result: SendResult = { status: 'failed', code: 'E_RABBITMQ_UNROUTABLE', message: text, retryable: true };
    const found = confirms.returned((publication, index) => {
      const leg = this.#legs.get(publication)?.[index];
      return leg !== undefined && this.#isReturned(leg, message);
    }, result);
    if (found) {
      this.#returned += 1;
    } else {
      this.#strayReturns += 1;
      this.#log.error({ exchange, routingKey }, 'the broker returned an event that is not outstanding');
    }
  }

  #isReturned({ event }: Leg, { fields, properties, content }: Message): boolean {
    if (messageIdOf(event) !== properties.messageId) return false;
    if (this.#routingKey.of(event) !== fields.routingKey) return false;
    const source: unknown = properties.headers?.['cloudEvents_source'];
    if (source !== undefined && source !== event.source) return false;
    return bodyOf(event, this.#encoding).equals(content);
  }

  /** Lets those who wait for room look again. */
  wake(): void {
    if (this.#waiting.length === 0) return;
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

function literal(queue: string): string {
  return queue.replaceAll('{', '{{').replaceAll('}', '}}');
}

/** amqplib throws a RangeError for a header table over 64 KiB: this event can never be sent so. */
function publishError(error: unknown): FairleadError {
  if (error instanceof RangeError || (error instanceof TypeError && codeOf(error) === undefined)) {
    const message = `the headers cannot be written: ${messageOf(error)}`;
    return new FairleadError({ code: 'E_RABBITMQ_HEADERS', message, cause: error });
  }
  return amqpError(error, 'publish');
}

function tooLarge(bytes: number, maxBytes: number): SendResult {
  const message = `the body has ${bytes} bytes, more than maxBytes (${maxBytes})`;
  return { status: 'failed', code: 'E_RABBITMQ_TOO_LARGE', message, retryable: false };
}

const GONE: SendResult = Object.freeze({
  status: 'failed',
  code: 'E_RABBITMQ_CONNECTION',
  message: 'the channel closed before this event was sent',
  retryable: true,
  unavailable: true,
});

const NACKED: SendResult = Object.freeze({
  status: 'failed',
  code: 'E_RABBITMQ_NACKED',
  message: 'the broker refused the event (nack): a queue is full or has failed',
  retryable: true,
});
