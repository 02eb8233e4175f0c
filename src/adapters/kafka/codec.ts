import { isUtf8 } from 'node:buffer';
import { canonical, duplicate, finish, invalid, newDraft, setAttribute } from '../../cloudevents/attributes.ts';
import { decodeJson, encodeJson } from '../../cloudevents/json.ts';
import { contentMode, STRUCTURED_JSON } from '../../cloudevents/media-type.ts';
import type { NativeHeaders } from '../../core/delivery.ts';
import { FairleadError } from '../../core/errors.ts';
import type { AttributeValue, MeshEvent } from '../../core/event.ts';
import type { TraceContext } from '../../core/trace-context.ts';

type HeaderValue = Buffer | string | null | undefined;
/** Headers as kafkajs hands them over: by name, an array where a name stands more than once. */
export type RecordHeaders = Readonly<Record<string, HeaderValue | readonly HeaderValue[]>>;

/** What a record says about itself. `plain`: it is not a CloudEvent and is left to the source's `as:` mapping. */
export type Decoded =
  | { readonly event: MeshEvent }
  | { readonly plain: true; readonly contentType: string | undefined };

export interface EncodedRecord {
  readonly value: Buffer | null;
  readonly headers: Record<string, string | Buffer>;
}

const PREFIX = 'ce_';
/** Names seen, both ways: a string made anew for each event would have to be interned each time. Bounded. */
const ATTRIBUTES = new Map<string, string>();
const HEADERS = new Map<string, string>();
const MAX_NAMES = 1_000;
const CONTENT_TYPE = 'content-type';

/**
 * Reads a record by the Kafka protocol binding 1.0.2: structured by its content-type, else binary where any `ce_` header
 * stands. A null value is an event without data; header values are raw UTF-8, never percent-encoded. Throws a coded error
 * for what claims to be a CloudEvent and is not one.
 */
export function decodeRecord(value: Buffer | null, headers: RecordHeaders | undefined): Decoded {
  const contentType = headers === undefined ? undefined : single(headers, CONTENT_TYPE);
  const mode = contentMode(contentType);
  if (mode === 'structured') {
    if (value === null) throw new FairleadError({ code: 'E_CE_JSON', message: 'a structured record has no value' });
    return { event: decodeJson(value) };
  }
  if (mode !== 'binary') {
    const message =
      mode === 'batch' ? 'the Kafka binding has no batch mode' : 'CloudEvents format is not JSON in UTF-8';
    throw new FairleadError({ code: 'E_CE_UNSUPPORTED_MEDIA', message });
  }
  const draft = newDraft();
  let found = false;
  for (const name in headers) {
    if (!name.startsWith(PREFIX)) continue;
    const attribute = attributeOf(name);
    const text = one(headers[name], attribute);
    if (text === undefined) continue;
    found = true;
    // The cloudevents SDK writes it beside the content-type header, which is where it belongs.
    if (attribute === 'datacontenttype' && text === contentType) continue;
    setAttribute(draft, attribute, text, printable);
  }
  if (!found) return { plain: true, contentType };
  if (contentType !== undefined) setAttribute(draft, 'datacontenttype', contentType, true);
  return { event: finish(draft, value ?? undefined) };
}

/** Encodes for a target. `raw` writes the data alone; native headers go along where no attribute or content type has their name. */
export function encodeRecord(
  event: MeshEvent,
  mode: 'binary' | 'structured' | 'raw',
  native: NativeHeaders | undefined,
): EncodedRecord {
  if (mode === 'structured') {
    const headers: Record<string, string | Buffer> = { [CONTENT_TYPE]: STRUCTURED_JSON };
    if (native !== undefined) addNative(headers, native);
    return { value: encodeJson(event), headers };
  }
  const headers = mode === 'binary' ? attributeHeaders(event) : {};
  if (event.datacontenttype !== undefined) headers[CONTENT_TYPE] = event.datacontenttype;
  if (native !== undefined) addNative(headers, native);
  return { value: event.data ?? null, headers };
}

function attributeHeaders(event: MeshEvent): Record<string, string | Buffer> {
  const headers: Record<string, string | Buffer> = {
    ce_specversion: '1.0',
    ce_id: event.id,
    ce_source: event.source,
    ce_type: event.type,
  };
  if (event.subject !== undefined) headers['ce_subject'] = event.subject;
  if (event.time !== undefined) headers['ce_time'] = event.time;
  if (event.dataschema !== undefined) headers['ce_dataschema'] = event.dataschema;
  const { extensions } = event;
  for (const name in extensions) headers[headerOf(name)] = canonical(extensions[name] as AttributeValue);
  return headers;
}

function attributeOf(header: string): string {
  return ATTRIBUTES.get(header) ?? remember(ATTRIBUTES, header, header.slice(PREFIX.length));
}

function headerOf(attribute: string): string {
  return HEADERS.get(attribute) ?? remember(HEADERS, attribute, PREFIX + attribute);
}

function remember(names: Map<string, string>, from: string, to: string): string {
  if (names.size < MAX_NAMES && from.length <= 64) names.set(from, to);
  return to;
}

/** A `ce_` header of a source that is not this event's would become an attribute downstream: never passed on. */
function addNative(headers: Record<string, string | Buffer>, native: NativeHeaders): void {
  for (const name in native) {
    if (canCarry(name) && !Object.hasOwn(headers, name)) headers[name] = native[name] as string | Buffer;
  }
}

/** Writes the trace context of the hop as headers, in place of what the source passed on. */
export function addTrace(headers: EncodedRecord['headers'], { traceparent, tracestate }: TraceContext): void {
  headers['traceparent'] = traceparent;
  if (tracestate === undefined) delete headers['tracestate'];
  else headers['tracestate'] = tracestate;
}

/** Whether a native header may be written beside the event: not what the binding itself writes. */
export function canCarry(name: string): boolean {
  return name !== '__proto__' && name !== CONTENT_TYPE && !name.startsWith(PREFIX);
}

/**
 * The headers that are not the event's own; the first value where a name stands more than once. kafkajs builds arrays on
 * `Object.prototype` for names such as `constructor`, so only what is bytes or text counts.
 */
export function nativeHeaders(headers: RecordHeaders | undefined): NativeHeaders | undefined {
  let found: Record<string, string | Buffer> | undefined;
  for (const name in headers) {
    if (name.startsWith(PREFIX) || name === CONTENT_TYPE) continue;
    const given = headers[name];
    const value = Array.isArray(given) ? given.find(isBytes) : given;
    if (!isBytes(value)) continue;
    found ??= Object.create(null) as Record<string, string | Buffer>;
    found[name] = value;
  }
  return found;
}

function isBytes(value: unknown): value is Buffer | string {
  return typeof value === 'string' || Buffer.isBuffer(value);
}

function single(headers: RecordHeaders, name: string): string | undefined {
  const value = headers[name];
  return value === undefined ? undefined : one(value, name === CONTENT_TYPE ? 'datacontenttype' : name);
}

/** The one value of a header as text; null is an absent attribute. Sets {@link printable}. */
function one(value: HeaderValue | readonly HeaderValue[], attribute: string): string | undefined {
  if (Array.isArray(value)) {
    const values = value.filter(isBytes);
    if (values.length > 1) throw duplicate(attribute);
    return values[0] === undefined ? undefined : text(values[0], attribute);
  }
  return isBytes(value) ? text(value, attribute) : undefined;
}

/** Whether the last text was printable ASCII throughout: a second look at its characters is saved. */
let printable = false;

function text(value: Buffer | string, attribute: string): string {
  printable = false;
  if (typeof value === 'string') return value;
  const { length } = value;
  for (let i = 0; i < length; i += 1) {
    const byte = value[i] as number;
    if (byte < 0x20 || byte > 0x7e) {
      if (!isUtf8(value)) throw invalid(attribute, 'is not UTF-8');
      return value.toString('utf8');
    }
  }
  printable = true;
  return value.toString('latin1');
}
