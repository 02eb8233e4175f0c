import { FairleadError, messageOf } from '../core/errors.ts';
import { type AttributeValue, MeshEvent, newExtensions } from '../core/event.ts';
import { type DeadLetter, notALetter } from './letter.ts';

/**
 * One format on disk and in the data of the wrapping event: u32 (big endian) length of the metadata · metadata, a JSON
 * object in UTF-8 · verbatim bytes. `parts` in the metadata says where the data, the structured bytes or the raw poison
 * stand in the verbatim bytes; data that is a slice of the structured bytes is kept once. Binary values are `{ "base64": … }`.
 */
export function packDeadLetter(letter: DeadLetter): Buffer {
  const { event, raw, meta, ...facts } = letter;
  const body = new Body();
  const metadata: Metadata = {
    v: 1,
    ...facts,
    position: meta.position,
    headers: meta.headers === undefined ? undefined : pairs(meta.headers),
    key: meta.key === undefined ? undefined : pack(meta.key),
    principal: meta.principal,
    event: event === undefined ? undefined : attributes(event),
    parts: {
      raw: raw === undefined ? undefined : body.add(raw),
      structured: event?.structured === undefined ? undefined : body.add(event.structured),
      data: event?.data === undefined ? undefined : body.add(event.data),
    },
  };
  const text = Buffer.from(JSON.stringify(metadata));
  const head = Buffer.alloc(4);
  head.writeUInt32BE(text.length);
  return Buffer.concat([head, text, ...body.buffers]);
}

/** The letter of packed bytes; its buffers are slices of them. Throws `E_DEAD_LETTER_FORMAT`. */
export function unpackDeadLetter(packed: Buffer): DeadLetter {
  try {
    const end = 4 + packed.readUInt32BE(0);
    const metadata: Metadata = JSON.parse(packed.toString('utf8', 4, end));
    return letterOf(metadata, packed.subarray(end));
  } catch (error) {
    throw error instanceof FairleadError ? error : notALetter(messageOf(error));
  }
}

function letterOf(metadata: Metadata, body: Buffer): DeadLetter {
  const { v, headers, key, event, parts, position, principal } = metadata;
  if (v !== 1) throw notALetter(`format version ${v}`);
  for (const name of ['code', 'message', 'source', 'gateway', 'revision'] as const) text(metadata[name], name);
  return {
    event: event === undefined ? undefined : eventOf(event, cut(body, parts.data), cut(body, parts.structured)),
    raw: cut(body, parts.raw),
    contentType: metadata.contentType,
    code: metadata.code,
    message: metadata.message,
    attempts: whole(metadata.attempts, 'attempts'),
    source: metadata.source,
    meta: {
      position: Object.assign(Object.create(null), position),
      ...(headers === undefined ? {} : { headers: record(headers) as Record<string, string | Buffer> }),
      ...(key === undefined ? {} : { key: unpack(key) as Buffer }),
      ...(principal === undefined ? {} : { principal }),
    },
    route: metadata.route,
    target: metadata.target,
    receivedAt: whole(metadata.receivedAt, 'receivedAt'),
    at: whole(metadata.at, 'at'),
    gateway: metadata.gateway,
    revision: metadata.revision,
  };
}

/** Offset and length in the verbatim bytes. */
type Part = readonly [at: number, length: number];
type Packed = string | number | boolean | { readonly base64: string };
/** Pairs, not an object: names from brokers may be anything, `__proto__` included. */
type Pairs = readonly (readonly [string, Packed])[];

interface Context {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string | undefined;
  readonly time: string | undefined;
  readonly datacontenttype: string | undefined;
  readonly dataschema: string | undefined;
  readonly extensions: Pairs;
}

interface Metadata extends Omit<DeadLetter, 'event' | 'raw' | 'meta'> {
  readonly v: number;
  readonly position: Readonly<Record<string, string | number>>;
  readonly headers: Pairs | undefined;
  readonly key: Packed | undefined;
  readonly principal: string | undefined;
  readonly event: Context | undefined;
  readonly parts: { readonly [name in 'data' | 'structured' | 'raw']?: Part | undefined };
}

/** Collects the verbatim bytes; a slice of the buffer added before takes no new room. */
class Body {
  readonly buffers: Buffer[] = [];
  #length = 0;

  add(buffer: Buffer): Part {
    const last = this.buffers.at(-1);
    const inside = last === undefined ? -1 : buffer.byteOffset - last.byteOffset;
    if (last !== undefined && buffer.buffer === last.buffer && inside >= 0 && inside + buffer.length <= last.length) {
      return [this.#length - last.length + inside, buffer.length];
    }
    this.buffers.push(buffer);
    this.#length += buffer.length;
    return [this.#length - buffer.length, buffer.length];
  }
}

function cut(body: Buffer, part: Part | undefined): Buffer | undefined {
  if (part === undefined) return undefined;
  const [at, length] = part;
  if (whole(at, 'parts') + whole(length, 'parts') > body.length) throw notALetter('bytes are missing');
  return body.subarray(at, at + length);
}

function attributes(event: MeshEvent): Context {
  const { id, source, type, subject, time, datacontenttype, dataschema } = event;
  return { id, source, type, subject, time, datacontenttype, dataschema, extensions: pairs(event.extensions) };
}

function eventOf(context: Context, data: Buffer | undefined, structured: Buffer | undefined): MeshEvent {
  for (const name of ['id', 'source', 'type'] as const) text(context[name], name);
  return new MeshEvent({ ...context, extensions: record(context.extensions), data, structured });
}

function pairs(values: Readonly<Record<string, AttributeValue>>): Pairs {
  return Object.entries(values).map(([name, value]) => [name, pack(value)] as const);
}

function record(packed: Pairs): Record<string, AttributeValue> {
  const values = newExtensions();
  for (const [name, value] of packed) values[text(name, 'name')] = unpack(value);
  return values;
}

function pack(value: AttributeValue): Packed {
  return Buffer.isBuffer(value) ? { base64: value.toString('base64') } : value;
}

function unpack(value: Packed): AttributeValue {
  return typeof value === 'object' ? Buffer.from(value.base64, 'base64') : value;
}

function text(value: unknown, name: string): string {
  if (typeof value !== 'string') throw notALetter(`"${name}" is no text`);
  return value;
}

function whole(value: unknown, name: string): number {
  if (!Number.isFinite(value) || (value as number) < 0) throw notALetter(`"${name}" is no number`);
  return value as number;
}
