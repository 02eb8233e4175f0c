import { isUtf8 } from 'node:buffer';
import { canonical, forEachAttribute } from '../../cloudevents/attributes.ts';
import { encodeJson } from '../../cloudevents/json.ts';
import type { NativeHeaders } from '../../core/delivery.ts';
import { FairleadError } from '../../core/errors.ts';
import type { MeshEvent } from '../../core/event.ts';
import type { TraceContext } from '../../core/trace-context.ts';
import { AttributeList, MAX_ATTRIBUTES, type MessageAttributes, PREFIX } from './attributes.ts';
import { isSendable, sendableJson } from './text.ts';

export interface EncodeOptions {
  readonly encoding: 'binary' | 'structured' | 'raw';
  readonly headers: 'pass' | 'drop';
  /** CloudEvents attributes copied into message attributes. */
  readonly mirror: readonly string[];
  /** Largest message, attributes included. */
  readonly maxBytes: number;
}

/** A message as SQS takes it. */
export interface Encoded {
  readonly body: string;
  readonly attributes: MessageAttributes | undefined;
  /** As SQS counts: body and attributes. */
  readonly bytes: number;
  /** Native headers that could not go along. */
  readonly headersDropped: number;
}

/**
 * Encodes an event. Binary mode needs room for every attribute (ten) and data that is text and not empty: an event that
 * does not fit goes out structured. Throws `E_SQS_NOT_TEXT` and `E_SQS_EMPTY` (raw only), `E_SQS_TOO_LARGE`.
 */
export function encode(
  event: MeshEvent,
  native: NativeHeaders | undefined,
  options: EncodeOptions,
  trace?: TraceContext,
): Encoded {
  const list = new AttributeList();
  const body = bodyOf(event, options, list);
  let headersDropped = 0;
  if (options.headers === 'pass') headersDropped = list.pass(native, trace !== undefined);
  else for (const _ in native) headersDropped += 1;
  const bodyBytes = Buffer.byteLength(body);
  if (trace !== undefined) list.trace(trace, options.maxBytes - bodyBytes);
  const bytes = bodyBytes + list.bytes;
  if (bytes > options.maxBytes) {
    throw new FairleadError({
      code: 'E_SQS_TOO_LARGE',
      message: `the message has ${bytes} bytes, more than the queue takes (${options.maxBytes})`,
    });
  }
  return { body, attributes: list.count === 0 ? undefined : list.values, bytes, headersDropped };
}

function bodyOf(event: MeshEvent, options: EncodeOptions, list: AttributeList): string {
  if (options.encoding === 'binary') {
    const data = textOf(event.data);
    if (data !== undefined && data !== '' && attributesFit(event)) {
      forEachAttribute(event, (name, value) => list.add(PREFIX + name, canonical(value)));
      if (event.datacontenttype !== undefined) list.add(`${PREFIX}datacontenttype`, event.datacontenttype);
      return data;
    }
  }
  for (const name of options.mirror) {
    const value = event.attribute(name);
    if (value !== undefined) list.add(PREFIX + name, canonical(value));
  }
  return options.encoding === 'raw' ? rawBody(event) : structuredBody(event);
}

/** Whether every attribute can be a message attribute: ten of them, none empty, none with characters SQS refuses. */
function attributesFit(event: MeshEvent): boolean {
  let count = event.datacontenttype === undefined ? 0 : 1;
  let fits = true;
  forEachAttribute(event, (_, value) => {
    count += 1;
    const text = canonical(value);
    if (text === '' || !isSendable(text)) fits = false;
  });
  return fits && count <= MAX_ATTRIBUTES;
}

function structuredBody(event: MeshEvent): string {
  const body = sendableJson(encodeJson(event).toString('utf8'));
  if (body !== undefined) return body;
  throw new FairleadError({ code: 'E_SQS_NOT_TEXT', message: 'the structured event is not JSON text' });
}

function rawBody(event: MeshEvent): string {
  const text = textOf(event.data);
  if (text === undefined) {
    const why = 'the data is not text that SQS takes (UTF-8, XML 1.0 characters)';
    throw new FairleadError({ code: 'E_SQS_NOT_TEXT', message: `${why}: use encoding structured` });
  }
  if (text === '') {
    throw new FairleadError({ code: 'E_SQS_EMPTY', message: 'SQS takes no empty body: use encoding structured' });
  }
  return text;
}

function textOf(data: Buffer | undefined): string | undefined {
  if (data === undefined) return '';
  if (!isUtf8(data)) return undefined;
  const text = data.toString('utf8');
  return isSendable(text) ? text : undefined;
}
