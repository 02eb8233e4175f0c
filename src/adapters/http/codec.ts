import { invalid } from '../../cloudevents/attributes.ts';
import { decodeHttp, encodeHttp, type HttpContent, httpMode } from '../../cloudevents/http.ts';
import { encodeJsonBatch } from '../../cloudevents/json.ts';
import { BATCH_JSON } from '../../cloudevents/media-type.ts';
import type { Wrap } from '../../cloudevents/wrap.ts';
import type { NativeHeaders } from '../../core/delivery.ts';
import { FairleadError } from '../../core/errors.ts';
import type { MeshEvent } from '../../core/event.ts';
import type { CommonTargetConfig } from '../spec.ts';
import { isPassed } from './headers.ts';

/** A request whose body is there. */
export interface Received {
  readonly path: string;
  readonly method: string;
  /** Node's name, value, name, value, … */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** What {@link HttpSourceConfig} says of decoding. */
export interface DecodeOptions {
  /** Undefined: what is not a CloudEvent is refused. */
  readonly wrap: Wrap | undefined;
  readonly maxEventBytes: number;
  readonly maxBatch: number;
}

/**
 * The events of a request. `id` names an event that is not a CloudEvent and whose `as` gives no id. Throws
 * {@link FairleadError}: `E_CE_…`, `E_WRAP`, `E_EVENT_TOO_LARGE`, `E_HTTP_BATCH_TOO_LARGE`.
 */
export function decode(request: Received, options: DecodeOptions, id: () => string): MeshEvent[] {
  const { rawHeaders, body } = request;
  const { wrap, maxEventBytes, maxBatch } = options;
  if (wrap !== undefined && httpMode(rawHeaders) === 'none') return [wrapped(request, wrap, id)];
  const { mode, events } = decodeHttp(rawHeaders, body);
  if (mode === 'batch') checkBatch(events, maxEventBytes, maxBatch);
  return events;
}

function checkBatch(events: readonly MeshEvent[], maxEventBytes: number, maxBatch: number): void {
  if (events.length > maxBatch) {
    const message = `the batch has ${events.length} events, more than "maxBatch" (${maxBatch})`;
    throw new FairleadError({ code: 'E_HTTP_BATCH_TOO_LARGE', message });
  }
  for (let i = 0; i < events.length; i += 1) {
    const { structured, data } = events[i] as MeshEvent;
    if ((structured?.length ?? data?.length ?? 0) > maxEventBytes) throw eventTooLarge(maxEventBytes, i);
  }
}

export function eventTooLarge(maxEventBytes: number, index?: number): FairleadError {
  const which = index === undefined ? 'the event' : `event ${index} of the batch`;
  return new FairleadError({
    code: 'E_EVENT_TOO_LARGE',
    message: `${which} is larger than "maxEventBytes" (${maxEventBytes})`,
  });
}

function wrapped(request: Received, wrap: Wrap, id: () => string): MeshEvent {
  const { path, method, rawHeaders, body } = request;
  const resolve = (name: string): string | undefined => {
    if (name === 'path') return path;
    if (name === 'method') return method;
    if (name === 'contenttype') return headerOf(rawHeaders, 'content-type');
    return name.startsWith('header.') ? headerOf(rawHeaders, name.slice(7).toLowerCase()) : undefined;
  };
  const data = body.length === 0 ? undefined : body;
  return wrap.wrap(resolve, data, headerOf(rawHeaders, 'content-type'), id());
}

/** The variables that `as:` may name. */
export const VARIABLES: readonly string[] = ['path', 'method', 'contenttype', 'header.*'];

/** The first value of a header, `name` in lower case; an empty one is none. Credentials are not given out. */
function headerOf(rawHeaders: readonly string[], name: string): string | undefined {
  if (name === 'authorization' || name === 'cookie') return undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if ((rawHeaders[i] as string).toLowerCase() === name) return rawHeaders[i + 1] || undefined;
  }
  return undefined;
}

/** The headers that neither the binding nor HTTP itself means; the first where a name stands twice. */
export function nativeHeaders(rawHeaders: readonly string[]): NativeHeaders | undefined {
  let found: Record<string, string> | undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    if (!isPassed(name)) continue;
    found ??= Object.create(null) as Record<string, string>;
    found[name] ??= rawHeaders[i + 1] as string;
  }
  return found;
}

/** One event as a request. Throws what the binding throws. */
export function encode(event: MeshEvent, encoding: CommonTargetConfig['encoding']): HttpContent {
  if (encoding !== 'raw') return encodeHttp(event, encoding ?? 'binary');
  const headers: Record<string, string> = {};
  const type = event.datacontenttype;
  if (type !== undefined) {
    if (!/^[\x20-\x7e]+$/.test(type)) throw invalid('datacontenttype', 'cannot stand in a header');
    headers['content-type'] = type;
  }
  return { headers, body: event.data };
}

export function encodeBatch(events: readonly MeshEvent[]): HttpContent {
  return { headers: { 'content-type': BATCH_JSON }, body: encodeJsonBatch(events) };
}
