import { randomUUID } from 'node:crypto';
import type { ConsumeMessage } from 'amqplib';
import { canonical } from '../../cloudevents/attributes.ts';
import { compileWrap, type Wrap } from '../../cloudevents/wrap.ts';
import type { Delivery, DeliveryMeta } from '../../core/delivery.ts';
import { FairleadError, messageOf } from '../../core/errors.ts';
import { decode, type WrapMessage } from './codec.ts';
import type { RabbitSourceConfig } from './config.ts';
import { nativeValue, timestampText } from './headers.ts';

/** Names that a source's `as:` mapping may use. */
export const VARIABLES: readonly string[] = [
  'queue',
  'exchange',
  'routingkey',
  'routingkey.*',
  'messageid',
  'correlationid',
  'timestamp',
  'contenttype',
  'header.*',
];

/** Turns what amqplib hands over into deliveries. One message at a time; keeps no state between two. */
export class DeliveryMaker {
  readonly #queue: string;
  readonly #maxEventBytes: number;
  readonly #wrap: Wrap;
  /** The message being wrapped. */
  #message: ConsumeMessage | undefined;

  constructor(config: Pick<RabbitSourceConfig, 'queue' | 'maxEventBytes' | 'as'>) {
    this.#queue = config.queue;
    this.#maxEventBytes = config.maxEventBytes;
    this.#wrap = compileWrap(config.as, { type: 'com.rabbitmq.message', source: '/rabbitmq/{queue}' });
  }

  /** Never throws: what cannot be decoded is poison, with its bytes as they came. */
  make(message: ConsumeMessage): Delivery {
    const attempt = attemptOf(message);
    const position = { queue: this.#queue, tag: message.fields.deliveryTag };
    try {
      const { content } = message;
      if (content.length > this.#maxEventBytes) {
        const text = `the event has ${content.length} bytes, more than maxEventBytes (${this.#maxEventBytes})`;
        throw new FairleadError({ code: 'E_EVENT_TOO_LARGE', message: text });
      }
      this.#message = message;
      const { event, headers } = decode(message, this.#wrapMessage);
      const key = event.extensions['partitionkey'];
      const meta: DeliveryMeta = { position, headers };
      return { event, attempt, orderingKey: key === undefined ? undefined : canonical(key), meta };
    } catch (error) {
      return {
        poison: {
          code: error instanceof FairleadError ? error.code : 'E_DECODE',
          message: messageOf(error),
          raw: message.content,
          contentType: message.properties.contentType,
        },
        attempt,
        orderingKey: undefined,
        meta: { position },
      };
    }
  }

  /** RabbitMQ gives no message an identity of its own: without a message-id a redelivery is wrapped with another id. */
  readonly #wrapMessage: WrapMessage = (data, contentType) => {
    const id = (this.#message as ConsumeMessage).properties.messageId;
    return this.#wrap.wrap(this.#resolve, data, contentType, typeof id === 'string' && id !== '' ? id : randomUUID());
  };

  readonly #resolve = (name: string): string | undefined => {
    const { fields, properties } = this.#message as ConsumeMessage;
    switch (name) {
      case 'queue':
        return this.#queue;
      case 'exchange':
        return fields.exchange;
      case 'routingkey':
        return fields.routingKey;
      case 'messageid':
        return properties.messageId;
      case 'correlationid':
        return properties.correlationId;
      case 'contenttype':
        return properties.contentType;
      case 'timestamp':
        return timestampText(properties.timestamp);
      default:
        return name.startsWith('header.') ? this.#header(name.slice(7)) : segment(name, fields.routingKey);
    }
  };

  #header(name: string): string | undefined {
    const headers = this.#message?.properties.headers;
    if (headers === undefined || !Object.hasOwn(headers, name)) return undefined;
    return nativeValue(headers[name])?.toString('utf8');
  }
}

/** `routingkey.0` is the first word between dots. */
function segment(name: string, routingKey: string): string | undefined {
  const [, index] = /^routingkey\.(\d{1,3})$/.exec(name) ?? [];
  return index === undefined ? undefined : routingKey.split('.')[Number(index)];
}

/** Quorum queues count deliveries that came back; classic ones only say that there was one. */
function attemptOf({ fields, properties }: ConsumeMessage): number {
  const count: unknown = properties.headers?.['x-delivery-count'];
  if (typeof count === 'number' && count > 0) return count + 1;
  return fields.redelivered ? 2 : 1;
}
