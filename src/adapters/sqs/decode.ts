import type { Message } from '@aws-sdk/client-sqs';
import { buildEvent } from '../../cloudevents/attributes.ts';
import { decodeJson } from '../../cloudevents/json.ts';
import { compileWrap, type Wrap } from '../../cloudevents/wrap.ts';
import type { Delivery, DeliveryMeta, NativeHeaders } from '../../core/delivery.ts';
import { FairleadError } from '../../core/errors.ts';
import { type AttributeValue, type MeshEvent, newExtensions } from '../../core/event.ts';
import type { CommonSourceConfig } from '../spec.ts';
import { attributeValue, nativeHeaders, PREFIX } from './attributes.ts';
import type { Queue } from './client.ts';
import { type Notification, parseObject, readEventBridge, readNotification } from './envelopes.ts';

/** Names for `as:` templates. `topicarn` and `subject` come from an SNS envelope. */
export const VARIABLES: readonly string[] = [
  'queue',
  'queuearn',
  'messageid',
  'groupid',
  'dedupid',
  'sent',
  'attribute.NAME',
  'topicarn',
  'subject',
];

/** The system attributes asked for on every receive. */
export const SYSTEM_ATTRIBUTES = [
  'ApproximateReceiveCount',
  'SentTimestamp',
  'MessageGroupId',
  'MessageDeduplicationId',
] as const;

interface Content {
  readonly event: MeshEvent;
  readonly headers: NativeHeaders | undefined;
}

/** Makes deliveries of received messages: a CloudEvent, an SNS or EventBridge envelope, or anything, wrapped. */
export class Decoder {
  readonly #queue: Queue;
  readonly #maxBytes: number;
  readonly #wrap: Wrap;
  readonly #wrapSns: Wrap;

  constructor(queue: Queue, config: CommonSourceConfig) {
    this.#queue = queue;
    this.#maxBytes = config.maxEventBytes;
    this.#wrap = compileWrap(config.as, { type: 'com.amazon.sqs.message', source: '{queuearn}' });
    this.#wrapSns = compileWrap(config.as, { type: 'com.amazon.sns.notification', source: '{topicarn}' });
  }

  /** Never throws: what cannot be decoded is a poison delivery with the verbatim body. */
  decode(message: Message): Delivery {
    const { Attributes = {}, MessageId = '' } = message;
    const raw = Buffer.from(message.Body ?? '', 'utf8');
    const group = Attributes.MessageGroupId;
    const attempt = Number(Attributes.ApproximateReceiveCount ?? 1) || 1;
    // on a standard queue a group is for fairness between tenants, not for order
    const orderingKey = this.#queue.fifo ? group : undefined;
    const position = { queue: this.#queue.name, messageId: MessageId };
    const key = group === undefined ? undefined : Buffer.from(group);
    try {
      if (raw.length > this.#maxBytes) throw this.#tooLarge(raw.length);
      const { event, headers } = this.#content(message, raw);
      const meta: DeliveryMeta = { position, headers, key };
      return { event, attempt, orderingKey, meta };
    } catch (error) {
      if (!(error instanceof FairleadError)) throw error;
      const meta: DeliveryMeta = { position, headers: nativeHeaders(message.MessageAttributes), key };
      return { poison: { code: error.code, message: error.message, raw }, attempt, orderingKey, meta };
    }
  }

  #content(message: Message, raw: Buffer): Content {
    const headers = nativeHeaders(message.MessageAttributes);
    if (message.MessageAttributes?.[`${PREFIX}specversion`] !== undefined) {
      return { event: binaryEvent(message.MessageAttributes, raw), headers };
    }
    const text = message.Body ?? '';
    const found = tryEvent(text, raw);
    if (found !== undefined) return { event: found, headers };
    const body = mayBeObject(text) ? parseObject(text) : undefined;
    if (body !== undefined) {
      const notification = readNotification(body);
      if (notification !== undefined) return this.#notified(message, notification, headers);
      const event = body['detail-type'] === undefined ? undefined : readEventBridge(body, text);
      if (event !== undefined) return { event, headers };
    }
    const event = this.#wrap.wrap(this.#resolver(message), raw, mediaType(text, body), message.MessageId ?? '');
    return { event, headers };
  }

  /** Unwraps once: what is inside is a CloudEvent or data, even where it looks like another envelope. */
  #notified(message: Message, inner: Notification, outer: NativeHeaders | undefined): Content {
    const raw = Buffer.from(inner.message, 'utf8');
    const headers = inner.headers ?? outer;
    const found = tryEvent(inner.message, raw);
    if (found !== undefined) return { event: found, headers };
    const body = mayBeObject(inner.message) ? parseObject(inner.message) : undefined;
    const resolve = this.#resolver(message, inner);
    return { event: this.#wrapSns.wrap(resolve, raw, mediaType(inner.message, body), inner.messageId), headers };
  }

  #resolver(message: Message, sns?: Notification): (name: string) => string | undefined {
    return (name) => {
      switch (name) {
        case 'queue':
          return this.#queue.name;
        case 'queuearn':
          return this.#queue.arn ?? this.#queue.url;
        case 'messageid':
          return sns?.messageId ?? message.MessageId;
        case 'groupid':
          return message.Attributes?.MessageGroupId;
        case 'dedupid':
          return message.Attributes?.MessageDeduplicationId;
        case 'sent':
          return sns?.timestamp ?? timestamp(message.Attributes?.SentTimestamp);
        case 'topicarn':
          return sns?.topicArn;
        case 'subject':
          return sns?.subject;
        default:
          return this.#attribute(name, message, sns);
      }
    };
  }

  #attribute(name: string, message: Message, sns: Notification | undefined): string | undefined {
    if (!name.startsWith('attribute.')) return undefined;
    const key = name.slice('attribute.'.length);
    const value = sns?.headers?.[key] ?? attributeValue(message.MessageAttributes?.[key]);
    return typeof value === 'string' ? value : value?.toString('base64');
  }

  #tooLarge(bytes: number): FairleadError {
    const message = `the body has ${bytes} bytes, more than maxEventBytes (${this.#maxBytes})`;
    return new FairleadError({ code: 'E_SQS_TOO_LARGE', message });
  }
}

/**
 * The CloudEvent that a body is, or undefined where it does not claim to be one. Throws where it does claim so, with a
 * `specversion` of its own (not one of something inside it), and is not valid.
 */
function tryEvent(text: string, raw: Buffer): MeshEvent | undefined {
  if (!mayBeObject(text) || !text.includes('"specversion"')) return undefined;
  try {
    return decodeJson(raw);
  } catch (error) {
    const body = parseObject(text);
    if (body !== undefined && !Object.hasOwn(body, 'specversion')) return undefined;
    throw error;
  }
}

/** An event in binary mode, as our own target writes it: `ce_specversion` says so, the rest must be complete. */
function binaryEvent(attributes: NonNullable<Message['MessageAttributes']>, data: Buffer): MeshEvent {
  const values: Record<string, AttributeValue> = newExtensions();
  for (const name in attributes) {
    const value = name.startsWith(PREFIX) ? attributeValue(attributes[name]) : undefined;
    if (value !== undefined) values[name.slice(PREFIX.length)] = value;
  }
  return buildEvent(values, data);
}

function mayBeObject(text: string): boolean {
  return /^[ \t\r\n]*\{/.test(text);
}

/** A body is always text; JSON where it parses as an object or an array. */
function mediaType(text: string, body: object | undefined): string {
  if (body !== undefined) return 'application/json';
  return /^[ \t\r\n]*\[/.test(text) && isJsonArray(text) ? 'application/json' : 'text/plain';
}

function isJsonArray(text: string): boolean {
  try {
    return Array.isArray(JSON.parse(text));
  } catch {
    return false; // text that begins with a bracket
  }
}

/** RFC 3339 of SQS's epoch milliseconds. */
function timestamp(ms: string | undefined): string | undefined {
  if (ms === undefined || !/^\d{1,15}$/.test(ms)) return undefined;
  return new Date(Number(ms)).toISOString();
}
