import { isUtf8 } from 'node:buffer';

/** A CloudEvents attribute value: strings stand for String, URI, URI-reference and Timestamp; a Buffer for Binary. */
export type AttributeValue = string | number | boolean | Buffer;

export type Extensions = Readonly<Record<string, AttributeValue>>;

/** The attributes and data a {@link MeshEvent} is made of. `data` bytes are never interpreted here. */
export interface EventInit {
  id: string;
  source: string;
  type: string;
  subject?: string | undefined;
  /** RFC 3339 text, kept byte for byte as it came. */
  time?: string | undefined;
  datacontenttype?: string | undefined;
  dataschema?: string | undefined;
  /** Extension attributes by lower-case name; use {@link newExtensions} so that `__proto__` is an ordinary key. */
  extensions?: Extensions | undefined;
  data?: Buffer | undefined;
  /** The structured-mode bytes this event was decoded from; forwarded verbatim while nothing has changed. */
  structured?: Buffer | undefined;
}

const NO_BYTES = Buffer.alloc(0);
const NO_EXTENSIONS: Extensions = Object.freeze(Object.create(null));

/** An empty extension map without a prototype. */
export function newExtensions(): Record<string, AttributeValue> {
  return Object.create(null);
}

const UNPARSED = Symbol('unparsed');

/**
 * A CloudEvent 1.0: attributes plus opaque data bytes. Immutable: {@link MeshEvent.with} makes a changed copy.
 * Not the `cloudevents` SDK class, which parses, rewrites and costs ten times as much per hop.
 */
export class MeshEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string | undefined;
  readonly time: string | undefined;
  readonly datacontenttype: string | undefined;
  readonly dataschema: string | undefined;
  readonly extensions: Extensions;
  readonly data: Buffer | undefined;
  readonly structured: Buffer | undefined;
  #json: unknown = UNPARSED;

  constructor(init: EventInit) {
    this.id = init.id;
    this.source = init.source;
    this.type = init.type;
    this.subject = init.subject;
    this.time = init.time;
    this.datacontenttype = init.datacontenttype;
    this.dataschema = init.dataschema;
    this.extensions = init.extensions ?? NO_EXTENSIONS;
    this.data = init.data;
    this.structured = init.structured;
  }

  get specversion(): '1.0' {
    return '1.0';
  }

  /** The attribute of that name (context or extension), or undefined. */
  attribute(name: string): AttributeValue | undefined {
    switch (name) {
      case 'id':
        return this.id;
      case 'source':
        return this.source;
      case 'type':
        return this.type;
      case 'specversion':
        return '1.0';
      case 'subject':
        return this.subject;
      case 'time':
        return this.time;
      case 'datacontenttype':
        return this.datacontenttype;
      case 'dataschema':
        return this.dataschema;
      default:
        return this.extensions[name];
    }
  }

  /** The data parsed as JSON, once; undefined where there is no data or it is not JSON text. */
  json(): unknown {
    if (this.#json === UNPARSED) this.#json = parseJson(this.data);
    return this.#json;
  }

  /** A copy with some parts changed; the verbatim structured bytes no longer hold and are left behind. */
  with(change: Partial<EventInit>): MeshEvent {
    return new MeshEvent({
      id: this.id,
      source: this.source,
      type: this.type,
      subject: this.subject,
      time: this.time,
      datacontenttype: this.datacontenttype,
      dataschema: this.dataschema,
      extensions: this.extensions,
      data: this.data,
      ...change,
      structured: undefined,
    });
  }

  /** Approximate memory held, in bytes: what lanes and windows count against their byte bounds. */
  get bytes(): number {
    // The data of a structured event is a part of its verbatim bytes.
    return 256 + (this.structured ?? this.data ?? NO_BYTES).length;
  }
}

function parseJson(data: Buffer | undefined): unknown {
  if (data === undefined || !isUtf8(data)) return undefined;
  try {
    return JSON.parse(data.toString('utf8'));
  } catch {
    return undefined; // not JSON: the caller's conditions on the body do not match
  }
}
