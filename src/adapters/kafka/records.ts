import type { KafkaMessage } from 'kafkajs';
import { compileWrap, type Wrap } from '../../cloudevents/wrap.ts';
import type { Delivery, DeliveryMeta, NativeHeaders, Position } from '../../core/delivery.ts';
import { FairleadError } from '../../core/errors.ts';
import type { MeshEvent } from '../../core/event.ts';
import type { WrapConfig } from '../spec.ts';
import { decodeRecord, nativeHeaders, type RecordHeaders } from './codec.ts';
import type { PartitionWindow } from './partition.ts';
import type { SchemaRegistry } from './registry/registry.ts';

/** Names for `as:` templates. */
export const VARIABLES: readonly string[] = ['topic', 'topic.*', 'partition', 'offset', 'key', 'timestamp', 'header.*'];

const NO_BYTES = Buffer.alloc(0);

/** Position, key and native headers of a record; the headers are looked at only where someone asks. */
class RecordMeta implements DeliveryMeta {
  readonly position: Position;
  readonly key: Buffer | undefined;
  readonly #raw: RecordHeaders | undefined;

  constructor(position: Position, message: KafkaMessage) {
    this.position = position;
    this.key = message.key ?? undefined;
    this.#raw = message.headers;
  }

  get headers(): NativeHeaders | undefined {
    return nativeHeaders(this.#raw);
  }
}

/** Makes deliveries of records: decoded, wrapped by the source's `as:` mapping, or poison. */
export class RecordReader {
  readonly #wrap: Wrap;
  readonly #maxBytes: number;
  readonly #registry: SchemaRegistry | undefined;
  /** The record that {@link #resolve} speaks about: one closure for all of them. */
  #message: KafkaMessage | undefined;
  #topic = '';
  #partition = 0;

  constructor(brokerName: string, as: WrapConfig | undefined, maxEventBytes: number, registry?: SchemaRegistry) {
    this.#wrap = compileWrap(as, { type: 'org.apache.kafka.record', source: `kafka://${brokerName}/{topic}` });
    this.#maxBytes = maxEventBytes;
    this.#registry = registry;
  }

  read(window: PartitionWindow, message: KafkaMessage, offset: number): Delivery {
    const { topic, partition } = window;
    const meta = new RecordMeta({ topic, partition, offset }, message);
    const orderingKey = message.key === null ? window.orderingKey : message.key.toString('latin1');
    try {
      return { event: this.#event(window, message), attempt: 1, orderingKey, meta };
    } catch (error) {
      if (!(error instanceof FairleadError)) throw error;
      const raw = message.value ?? NO_BYTES;
      return { poison: { code: error.code, message: error.message, raw }, attempt: 1, orderingKey, meta };
    }
  }

  #event(window: PartitionWindow, message: KafkaMessage): MeshEvent {
    const { value } = message;
    if (value !== null && value.length > this.#maxBytes) {
      throw new FairleadError({
        code: 'E_EVENT_TOO_LARGE',
        message: `record of ${value.length} bytes is over maxEventBytes (${this.#maxBytes})`,
      });
    }
    const decoded = value === null ? undefined : this.#registry?.decode(value, message.headers, this.#maxBytes);
    if (decoded === undefined) return this.#plain(window, message, value);
    const event = this.#plain(window, message, decoded.data);
    const dataschema = event.dataschema ?? decoded.dataschema;
    return event.with({ datacontenttype: 'application/json', dataschema });
  }

  /** The event of a record whose value is its data. */
  #plain(window: PartitionWindow, message: KafkaMessage, value: Buffer | null): MeshEvent {
    const decoded = decodeRecord(value, message.headers);
    if ('event' in decoded) return decoded.event;
    this.#message = message;
    this.#topic = window.topic;
    this.#partition = window.partition;
    const id = `${window.topic}/${window.partition}/${message.offset}`;
    return this.#wrap.wrap(this.#resolve, value ?? undefined, decoded.contentType, id);
  }

  readonly #resolve = (name: string): string | undefined => {
    const message = this.#message as KafkaMessage;
    switch (name) {
      case 'topic':
        return this.#topic;
      case 'partition':
        return String(this.#partition);
      case 'offset':
        return message.offset;
      case 'key':
        return message.key?.toString('utf8');
      case 'timestamp':
        return rfc3339(message.timestamp);
      default:
        if (name.startsWith('topic.')) return this.#topic.split('.')[Number(name.slice(6))];
        return name.startsWith('header.') ? header(message.headers, name.slice(7)) : undefined;
    }
  };
}

/** Milliseconds since the epoch as text; -1 is a record without a timestamp. */
function rfc3339(timestamp: string): string | undefined {
  const ms = Number(timestamp);
  return ms >= 0 && ms <= 8.64e15 ? new Date(ms).toISOString() : undefined;
}

function header(headers: RecordHeaders | undefined, name: string): string | undefined {
  return nativeHeaders(headers)?.[name]?.toString('utf8');
}
