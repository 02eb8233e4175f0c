import type { Options } from 'amqplib';
import { canonical } from '../../cloudevents/attributes.ts';
import { writtenMode } from '../../cloudevents/content-mode.ts';
import { encodeJson } from '../../cloudevents/json.ts';
import { STRUCTURED_JSON } from '../../cloudevents/media-type.ts';
import type { NativeHeaders } from '../../core/delivery.ts';
import { FairleadError } from '../../core/errors.ts';
import type { AttributeValue, MeshEvent } from '../../core/event.ts';
import type { TraceContext } from '../../core/trace-context.ts';
import { isBrokerHeader, prefixLength } from './headers.ts';

export interface EncodeOptions {
  /** Undefined: as the event came, see {@link writtenMode}. */
  readonly encoding: 'binary' | 'structured' | 'raw' | undefined;
  readonly persistent: boolean;
  readonly passHeaders: boolean;
}

type Table = Record<string, string | Buffer | undefined>;

/** amqplib's publish options, with absent ones as undefined, which it skips. */
interface Properties {
  headers: Table;
  contentType: string | undefined;
  messageId: string | undefined;
  correlationId: string | undefined;
  readonly persistent: boolean;
  readonly mandatory: true;
}

const NO_DATA = Buffer.alloc(0);
/** Header names beyond the context attributes that one table remembers before it is made afresh. */
const MAX_NAMES = 32;

/** The body of an event in that content mode. */
export function bodyOf(event: MeshEvent, encoding: EncodeOptions['encoding']): Buffer {
  return writtenMode(event, encoding) === 'structured' ? encodeJson(event) : (event.data ?? NO_DATA);
}

/** The message-id property: the event's id where it fits a short string. */
export function messageIdOf(event: MeshEvent): string | undefined {
  const { id } = event;
  return id.length <= 85 || Buffer.byteLength(id) <= 255 ? id : undefined;
}

/**
 * Makes amqplib's publish options of events: attributes as `cloudEvents_` headers in binary mode, `datacontenttype` as the
 * content-type property. Times and typed extensions are strings: a JavaScript Date would become an empty table.
 *
 * amqplib makes the header table the prototype of another object, which costs 8 µs with a new table and 1 µs with one used
 * before; and it encodes within `publish`. So one table and one options object serve all events, absent headers being
 * `undefined`, which amqplib skips. What {@link options} returns holds until the next call.
 */
export class Encoder {
  /** Native headers left behind so far. */
  headersDropped = 0;
  readonly #config: EncodeOptions;
  readonly #properties: Properties;
  /** Names set for the last event beyond the context attributes. */
  #used: string[] = [];
  /** Header names by extension attribute. */
  readonly #prefixed = new Map<string, string>();
  readonly #native = new Set<string>();

  constructor(config: EncodeOptions) {
    this.#config = config;
    this.#properties = {
      headers: {},
      contentType: undefined,
      messageId: undefined,
      correlationId: undefined,
      persistent: config.persistent,
      mandatory: true,
    };
  }

  /** Throws {@link FairleadError} `E_RABBITMQ_HEADERS` for what no property can hold. */
  options(event: MeshEvent, native: NativeHeaders | undefined, trace?: TraceContext): Options.Publish {
    const encoding = writtenMode(event, this.#config.encoding);
    this.#clear();
    const properties = this.#properties;
    properties.contentType = encoding === 'structured' ? STRUCTURED_JSON : mediaTypeOf(event);
    properties.messageId = messageIdOf(event);
    properties.correlationId = undefined;
    if (encoding === 'binary') this.#setAttributes(event);
    if (native !== undefined) this.#setNative(native);
    if (trace !== undefined) this.#setTrace(trace);
    return properties as Options.Publish;
  }

  #clear(): void {
    const { headers } = this.#properties;
    for (const name of this.#used) headers[name] = undefined;
    if (this.#used.length > 0) this.#used = [];
    if (this.#prefixed.size + this.#native.size <= MAX_NAMES) return;
    this.#prefixed.clear();
    this.#native.clear();
    this.#properties.headers = {};
  }

  #setAttributes(event: MeshEvent): void {
    const { headers } = this.#properties;
    headers['cloudEvents_specversion'] = '1.0';
    headers['cloudEvents_id'] = event.id;
    headers['cloudEvents_source'] = event.source;
    headers['cloudEvents_type'] = event.type;
    headers['cloudEvents_subject'] = event.subject;
    headers['cloudEvents_time'] = event.time;
    headers['cloudEvents_dataschema'] = event.dataschema;
    const { extensions } = event;
    for (const name in extensions) {
      this.#set(this.#header(name), canonical(extensions[name] as AttributeValue));
    }
  }

  #setNative(native: NativeHeaders): void {
    for (const name of Object.keys(native)) {
      const value = native[name] as string | Buffer;
      if (!this.#config.passHeaders || prefixLength(name) > 0 || isBrokerHeader(name) || !isWritable(name)) {
        this.headersDropped += 1;
      } else if (name === 'correlation-id' && typeof value === 'string' && Buffer.byteLength(value) <= 255) {
        this.#properties.correlationId = value;
      } else {
        this.#native.add(name);
        this.#set(name, value);
      }
    }
  }

  /** The trace context of the hop, in place of what the source passed on. */
  #setTrace({ traceparent, tracestate }: TraceContext): void {
    this.#set('traceparent', traceparent);
    this.#set('tracestate', tracestate);
  }

  #set(name: string, value: string | Buffer | undefined): void {
    this.#properties.headers[name] = value;
    this.#used.push(name);
  }

  #header(name: string): string {
    let header = this.#prefixed.get(name);
    if (header === undefined) {
      header = `cloudEvents_${name}`;
      this.#prefixed.set(name, header);
    }
    return header;
  }
}

function mediaTypeOf(event: MeshEvent): string | undefined {
  const type = event.datacontenttype;
  if (type !== undefined && type.length > 255) {
    throw new FairleadError({ code: 'E_RABBITMQ_HEADERS', message: 'datacontenttype is longer than 255 bytes' });
  }
  return type;
}

/** Header names are short strings; `__proto__` would change amqplib's table instead of being in it. */
function isWritable(name: string): boolean {
  return Buffer.byteLength(name) <= 255 && name !== '__proto__';
}
