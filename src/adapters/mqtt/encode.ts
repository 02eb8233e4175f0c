import { canonical, forEachAttribute } from '../../cloudevents/attributes.ts';
import { encodeJson } from '../../cloudevents/json.ts';
import { STRUCTURED_JSON } from '../../cloudevents/media-type.ts';
import { isText } from '../../cloudevents/values.ts';
import type { NativeHeaders } from '../../core/delivery.ts';
import { FairleadError } from '../../core/errors.ts';
import type { MeshEvent } from '../../core/event.ts';
import type { Leg } from '../../core/target.ts';
import { compileTemplate, type Template } from '../../core/template.ts';
import type { TraceContext } from '../../core/trace-context.ts';
import type { Publication } from './publish-packet.ts';
import { topicMistake } from './topics.ts';

export interface EncoderOptions {
  readonly topic: string;
  readonly slashes: 'reject' | 'allow';
  readonly encoding: 'binary' | 'structured' | 'raw';
  readonly headers: 'pass' | 'drop';
  readonly version: 4 | 5;
}

const EMPTY = Buffer.alloc(0);
const NONE: readonly string[] = [];
/** Bytes of a UTF-8 string in a property (MQTT 5 §1.5.4). */
const MAX_TEXT_BYTES = 65_535;

/** Events → PUBLISH contents (CloudEvents MQTT binding 1.0.2). */
export class Encoder {
  readonly #options: EncoderOptions;
  readonly #topic: Template;
  #headersDropped = 0;

  constructor(options: EncoderOptions) {
    this.#options = options;
    this.#topic = compileTemplate(options.topic);
  }

  /** Native headers that were not passed on. */
  get headersDropped(): number {
    return this.#headersDropped;
  }

  /** Throws a final `E_MQTT_TOPIC` or `E_MQTT_STRING` for what a broker would answer by closing the connection. */
  encode(leg: Leg): Publication {
    const { event, meta, trace } = leg;
    const topic = this.#topicOf(event);
    const properties = this.#properties(event, meta.headers, trace);
    switch (this.#options.encoding) {
      case 'structured':
        return { topic, payload: encodeJson(event), contentType: STRUCTURED_JSON, properties };
      default:
        return { topic, payload: event.data ?? EMPTY, contentType: contentTypeOf(event), properties };
    }
  }

  #topicOf(event: MeshEvent): string {
    if (this.#topic.names.length === 0)
      return this.#topic.text === '' ? '' : this.#checked(this.#topic.render(() => undefined));
    let levels = false;
    const topic = this.#topic.render((name) => {
      const value = event.attribute(name);
      if (value === undefined) return undefined;
      const text = canonical(value);
      levels ||= text.includes('/');
      return text;
    });
    if (levels && this.#options.slashes === 'reject') {
      throw topicError('has a "/" from an attribute ("slashes: allow" permits it)');
    }
    return this.#checked(topic);
  }

  #checked(topic: string | undefined): string {
    if (topic === undefined) throw topicError('needs an attribute that the event does not have');
    const mistake = topicMistake(topic);
    if (mistake !== undefined) throw topicError(mistake);
    return topic;
  }

  /** What {@link encode} gave, without the trace context of the hop: that must not cost the event. */
  untraced(publication: Publication, { event, trace }: Leg): Publication {
    if (trace === undefined || !this.#placesTrace(event)) return publication;
    const { properties } = publication;
    const isTrace = (name: string | undefined): boolean => name === 'traceparent' || name === 'tracestate';
    return { ...publication, properties: properties.filter((_, i) => !isTrace(properties[i - (i % 2)])) };
  }

  #properties(
    event: MeshEvent,
    headers: NativeHeaders | undefined,
    trace: TraceContext | undefined,
  ): readonly string[] {
    const { encoding, version } = this.#options;
    const attributes = encoding === 'binary' && version === 5;
    if (!attributes && headers === undefined && trace === undefined) return NONE;
    const properties: string[] = [];
    if (attributes) {
      forEachAttribute(event, (name, value) => {
        const text = canonical(value);
        if (!fits(text)) throw stringError(name);
        properties.push(name, text);
      });
    }
    const traced = trace !== undefined && this.#addTrace(trace, event, properties);
    if (headers !== undefined) this.#addHeaders(headers, event, properties, traced);
    return properties;
  }

  /** False where there is no place for the trace context of the hop. */
  #addTrace({ traceparent, tracestate }: TraceContext, event: MeshEvent, properties: string[]): boolean {
    if (!this.#placesTrace(event)) return false;
    properties.push('traceparent', traceparent);
    if (tracestate !== undefined && fits(tracestate)) properties.push('tracestate', tracestate);
    return true;
  }

  /** MQTT 3.1.1 has no properties, and outside structured mode a property of that name is the attribute, which stays as it is. */
  #placesTrace({ extensions }: MeshEvent): boolean {
    const { encoding, version } = this.#options;
    const taken = extensions['traceparent'] !== undefined || extensions['tracestate'] !== undefined;
    return version === 5 && !(encoding === 'binary' && taken);
  }

  #addHeaders(headers: NativeHeaders, event: MeshEvent, properties: string[], traced: boolean): void {
    const { encoding, version } = this.#options;
    const passed = this.#options.headers === 'pass' && version === 5;
    for (const name in headers) {
      const value = headers[name] as string | Buffer;
      const text = typeof value === 'string' ? value : value.toString('utf8');
      const intact = typeof value === 'string' || Buffer.from(text).equals(value);
      // a header may not turn into an attribute on the way
      const collides =
        (encoding !== 'structured' && (event.attribute(name) !== undefined || name === 'specversion')) ||
        (traced && (name === 'traceparent' || name === 'tracestate'));
      if (passed && intact && !collides && fits(text) && fits(name)) properties.push(name, text);
      else this.#headersDropped += 1;
    }
  }
}

/** The Content Type property; a media type that is not a legal MQTT string has no other place to go. */
function contentTypeOf(event: MeshEvent): string | undefined {
  const { datacontenttype } = event;
  if (datacontenttype !== undefined && !fits(datacontenttype)) throw stringError('datacontenttype');
  return datacontenttype;
}

function fits(text: string): boolean {
  if (!isText(text)) return false;
  return text.length * 3 <= MAX_TEXT_BYTES || Buffer.byteLength(text) <= MAX_TEXT_BYTES;
}

function topicError(what: string): FairleadError {
  return new FairleadError({ code: 'E_MQTT_TOPIC', message: `the topic ${what}` });
}

function stringError(name: string): FairleadError {
  return new FairleadError({
    code: 'E_MQTT_STRING',
    message: `attribute "${name}" cannot be a user property: longer than ${MAX_TEXT_BYTES} bytes, or characters that MQTT forbids`,
  });
}
