import type { MessageProperties, Options } from 'amqplib';
import { type Draft, finish, newDraft, setAttribute } from '../../cloudevents/attributes.ts';
import { decodeJson } from '../../cloudevents/json.ts';
import { contentMode } from '../../cloudevents/media-type.ts';
import type { NativeHeaders } from '../../core/delivery.ts';
import { FairleadError } from '../../core/errors.ts';
import type { MeshEvent } from '../../core/event.ts';
import { bodyOf, type EncodeOptions, Encoder } from './encoder.ts';
import { attributeText, isBrokerHeader, nativeValue, prefixLength } from './headers.ts';

/** What of a received message the codec looks at. */
export interface Incoming {
  readonly content: Buffer;
  readonly properties: Pick<MessageProperties, 'contentType' | 'headers' | 'correlationId' | 'replyTo' | 'appId'>;
}

export interface Decoded {
  readonly event: MeshEvent;
  readonly headers: NativeHeaders | undefined;
}

/** Wraps what is not a CloudEvent. */
export type WrapMessage = (data: Buffer | undefined, contentType: string | undefined) => MeshEvent;

/**
 * There is no official CloudEvents binding for AMQP 0-9-1. Read: attributes as headers with the prefix `cloudEvents_`,
 * `cloudEvents:` (any case) or `ce-`, but one prefix per message; without a prefix where all four required attributes are
 * present; the content-type property is `datacontenttype`, or says structured mode. An empty body without a content type is
 * no data. Anything else is wrapped. Throws {@link FairleadError} `E_CE_*` or `E_WRAP`.
 */
export function decode(message: Incoming, wrap: WrapMessage): Decoded {
  const { contentType } = message.properties as { contentType: string | undefined };
  const mode = contentMode(contentType);
  if (mode === 'structured') {
    return { event: decodeJson(message.content), headers: readHeaders(message, undefined) };
  }
  if (mode !== 'binary') {
    const what = mode === 'batch' ? 'a batch of CloudEvents' : 'a CloudEvents format other than JSON in UTF-8';
    throw new FairleadError({ code: 'E_CE_UNSUPPORTED_FORMAT', message: `${what} cannot be taken from a queue` });
  }
  const reading: Reading = { draft: undefined, prefix: '' };
  let headers = readHeaders(message, reading);
  let { draft } = reading;
  if (draft === undefined && headers !== undefined && isUnprefixed(headers)) {
    draft = newDraft();
    headers = readUnprefixed(message, headers, draft);
  }
  const { content } = message;
  const type = contentType === '' ? undefined : contentType;
  if (draft === undefined) {
    return { event: wrap(content.length === 0 && type === undefined ? undefined : content, type), headers };
  }
  if (type !== undefined && draft.datacontenttype !== type) setAttribute(draft, 'datacontenttype', type);
  const absent = content.length === 0 && draft.datacontenttype === undefined;
  return { event: finish(draft, absent ? undefined : content), headers };
}

interface Reading {
  draft: Draft | undefined;
  prefix: string;
}

/** Puts prefixed headers into the draft (ignores them without `reading`) and returns the native ones. */
function readHeaders({ properties }: Incoming, reading: Reading | undefined): NativeHeaders | undefined {
  let native: Record<string, string | Buffer> | undefined;
  const { headers } = properties;
  if (headers !== undefined) {
    for (const name of Object.keys(headers)) {
      const length = prefixLength(name);
      if (length > 0) {
        if (reading !== undefined) readPrefixed(reading, name, length, headers[name]);
      } else if (!isBrokerHeader(name)) {
        const value = nativeValue(headers[name]);
        if (value === undefined) continue;
        native ??= Object.create(null) as Record<string, string | Buffer>;
        native[name] = value;
      }
    }
  }
  return nativeProperties(properties, native);
}

function readPrefixed(reading: Reading, name: string, length: number, value: unknown): void {
  const prefix = name.slice(length - 1, length);
  if (reading.draft === undefined) {
    reading.draft = newDraft();
    reading.prefix = prefix;
  } else if (reading.prefix !== prefix) {
    const message = `attributes are prefixed in two ways ("${reading.prefix}" and "${prefix}" as separators)`;
    throw new FairleadError({ code: 'E_CE_MIXED_PREFIXES', message });
  }
  const text = attributeText(name, value);
  if (text !== undefined) setAttribute(reading.draft, name.slice(length).toLowerCase(), text);
}

function isUnprefixed(headers: NativeHeaders): boolean {
  return (
    headers['specversion'] !== undefined &&
    headers['id'] !== undefined &&
    headers['source'] !== undefined &&
    headers['type'] !== undefined
  );
}

/** Every header that could be an attribute's name is one; the rest stay native. */
function readUnprefixed({ properties }: Incoming, headers: NativeHeaders, draft: Draft): NativeHeaders | undefined {
  let native: Record<string, string | Buffer> | undefined;
  for (const name of Object.keys(properties.headers ?? {})) {
    if (/^[a-z0-9]+$/.test(name)) {
      const text = attributeText(name, properties.headers?.[name]);
      if (text !== undefined) setAttribute(draft, name, text);
    } else if (headers[name] !== undefined) {
      native ??= Object.create(null) as Record<string, string | Buffer>;
      native[name] = headers[name];
    }
  }
  return nativeProperties(properties, native);
}

/** The properties an application may want to see on the other side; the rest is the broker's business or ours. */
function nativeProperties(
  { correlationId, replyTo, appId }: Incoming['properties'],
  native: Record<string, string | Buffer> | undefined,
): Record<string, string | Buffer> | undefined {
  if (correlationId === undefined && replyTo === undefined && appId === undefined) return native;
  const headers = native ?? (Object.create(null) as Record<string, string | Buffer>);
  if (correlationId !== undefined) headers['correlation-id'] ??= correlationId;
  if (replyTo !== undefined) headers['reply-to'] ??= replyTo;
  if (appId !== undefined) headers['app-id'] ??= appId;
  return headers;
}

/** Body and publish options of one event, and how many native headers stayed behind; targets keep an {@link Encoder} instead. */
export function encode(event: MeshEvent, native: NativeHeaders | undefined, config: EncodeOptions): Outgoing {
  const encoder = new Encoder(config);
  const options = encoder.options(event, native);
  return { content: bodyOf(event, config.encoding), options, headersDropped: encoder.headersDropped };
}

export interface Outgoing {
  readonly content: Buffer;
  readonly options: Options.Publish;
  readonly headersDropped: number;
}
