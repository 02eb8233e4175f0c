import { FairleadError } from '../core/errors.ts';
import type { MeshEvent } from '../core/event.ts';
import { canonical, duplicate, finish, forEachAttribute, invalid, newDraft, setAttribute } from './attributes.ts';
import { decodeJson, decodeJsonBatch, encodeJson } from './json.ts';
import { contentMode, STRUCTURED_JSON } from './media-type.ts';
import { decodeHeader, encodeHeader } from './percent.ts';
import { isAsciiText } from './values.ts';

/** How a request carries CloudEvents. `none`: it does not; a source may wrap it. `unsupported`: not JSON, answer 415. */
export type HttpMode = 'binary' | 'structured' | 'batch' | 'unsupported' | 'none';

export interface HttpEvents {
  readonly mode: 'binary' | 'structured' | 'batch';
  readonly events: MeshEvent[];
}

export interface HttpContent {
  readonly headers: Record<string, string>;
  /** Undefined where the event has no data. */
  readonly body: Buffer | undefined;
}

/** What `rawHeaders` (Node's name, value, name, value, …) say; any `ce-` header makes it binary. */
export function httpMode(rawHeaders: readonly string[]): HttpMode {
  const mode = contentMode(contentTypeOf(rawHeaders));
  if (mode !== 'binary') return mode;
  for (let i = 0; i < rawHeaders.length; i += 2) if (isAttributeHeader(rawHeaders[i] as string)) return 'binary';
  return 'none';
}

/**
 * Decodes a request or response (CloudEvents HTTP binding 1.0.2). An empty body is no data. Throws
 * {@link FairleadError}: `E_CE_NONE` where there is no CloudEvent, `E_CE_UNSUPPORTED_MEDIA`, `E_CE_PERCENT` and what the
 * JSON format and the attribute rules throw; {@link httpStatusOf} says how to answer.
 */
export function decodeHttp(rawHeaders: readonly string[], body: Buffer): HttpEvents {
  const mode = httpMode(rawHeaders);
  if (mode === 'binary') return { mode, events: [decodeBinary(rawHeaders, body)] };
  if (mode === 'structured') return { mode, events: [decodeJson(body)] };
  if (mode === 'batch') return { mode, events: decodeJsonBatch(body) };
  if (mode === 'unsupported') {
    throw new FairleadError({ code: 'E_CE_UNSUPPORTED_MEDIA', message: 'CloudEvents are taken as JSON in UTF-8 only' });
  }
  throw new FairleadError({
    code: 'E_CE_NONE',
    message: 'not a CloudEvent: no ce- headers, no application/cloudevents',
  });
}

/** The status that answers a request which {@link decodeHttp} refused. */
export function httpStatusOf(error: FairleadError): 400 | 415 {
  return error.code === 'E_CE_UNSUPPORTED_MEDIA' ? 415 : 400;
}

/**
 * Encodes an event for a request or response. Binary falls back to structured where `datacontenttype` is itself a
 * CloudEvents media type: such a Content-Type would be read as the event's own format.
 */
export function encodeHttp(event: MeshEvent, mode: 'binary' | 'structured'): HttpContent {
  if (mode === 'structured' || contentMode(event.datacontenttype) !== 'binary') {
    return { headers: { 'content-type': STRUCTURED_JSON }, body: encodeJson(event) };
  }
  const headers: Record<string, string> = {};
  const type = event.datacontenttype;
  if (type !== undefined) {
    if (!isAsciiText(type)) throw invalid('datacontenttype', 'cannot stand in a header');
    headers['content-type'] = type;
  }
  forEachAttribute(event, (name, value) => {
    headers[`ce-${name}`] = encodeHeader(canonical(value));
  });
  return { headers, body: event.data };
}

function decodeBinary(rawHeaders: readonly string[], body: Buffer): MeshEvent {
  const draft = newDraft();
  const type = contentTypeOf(rawHeaders);
  if (type !== undefined) setAttribute(draft, 'datacontenttype', type);
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const header = rawHeaders[i] as string;
    if (!isAttributeHeader(header)) continue;
    const name = header.slice(3).toLowerCase();
    if (name === 'datacontenttype') throw invalid(name, 'must be given as Content-Type, not as a ce- header');
    setAttribute(draft, name, decodeHeader(rawHeaders[i + 1] as string));
  }
  return finish(draft, body.length === 0 ? undefined : body);
}

function isAttributeHeader(name: string): boolean {
  return name.charCodeAt(2) === 0x2d && (name.charCodeAt(0) | 0x20) === 0x63 && (name.charCodeAt(1) | 0x20) === 0x65;
}

/** An empty Content-Type is none. */
function contentTypeOf(rawHeaders: readonly string[]): string | undefined {
  let found: string | undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length !== 12 || name.toLowerCase() !== 'content-type') continue;
    if (found !== undefined) throw duplicate('datacontenttype');
    found = (rawHeaders[i + 1] as string).trim();
  }
  return found === '' ? undefined : found;
}
