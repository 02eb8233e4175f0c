import { FairleadError } from '../core/errors.ts';
import { type AttributeValue, MeshEvent, newExtensions } from '../core/event.ts';
import type { PlainEvent } from './pattern/public.ts';

const CONTEXT: ReadonlySet<string> = new Set([
  'id',
  'source',
  'type',
  'specversion',
  'subject',
  'time',
  'datacontenttype',
  'dataschema',
]);
const NOT_ATTRIBUTES: ReadonlySet<string> = new Set(['data', 'data_base64', 'datacontentencoding']);

/**
 * The event that a plain object stands for, to be looked at and not to be sent on: nothing but the presence of `id`,
 * `source` and `type` is checked (`E_CE_MISSING`). What is no text, number, Boolean or bytes is absent.
 */
export function eventOf(event: MeshEvent | PlainEvent): MeshEvent {
  if (event instanceof MeshEvent) return event;
  const fields = event as Readonly<Record<string, unknown>>;
  const text = (name: string): string | undefined => {
    const value = fields[name];
    return typeof value === 'string' && Object.hasOwn(fields, name) ? value : undefined;
  };
  const required = (name: string): string => {
    const value = text(name);
    if (value === undefined)
      throw new FairleadError({ code: 'E_CE_MISSING', message: `the event has no text as its ${name}` });
    return value;
  };
  const extensions = newExtensions();
  for (const name of Object.keys(fields)) {
    if (CONTEXT.has(name) || NOT_ATTRIBUTES.has(name)) continue;
    const value = attributeOf(fields[name]);
    if (value !== undefined) extensions[name] = value;
  }
  const { data, data_base64: base64 } = fields;
  const bytes = bytesOf(data, base64);
  const init = {
    id: required('id'),
    source: required('source'),
    type: required('type'),
    subject: text('subject'),
    time: text('time'),
    datacontenttype: text('datacontenttype'),
    dataschema: text('dataschema'),
    extensions,
    data: bytes,
  };
  return bytes === undefined && data !== undefined ? new TreeEvent(init, data) : new MeshEvent(init);
}

/** An event whose data is a JSON value already. */
class TreeEvent extends MeshEvent {
  readonly #tree: unknown;

  constructor(init: ConstructorParameters<typeof MeshEvent>[0], tree: unknown) {
    super(init);
    this.#tree = tree;
  }

  override json(): unknown {
    return this.#tree;
  }
}

function attributeOf(value: unknown): AttributeValue | undefined {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return value instanceof Uint8Array ? Buffer.from(value) : undefined;
}

function bytesOf(data: unknown, base64: unknown): Buffer | undefined {
  if (data instanceof Uint8Array) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return (data ?? undefined) === undefined && typeof base64 === 'string' ? Buffer.from(base64, 'base64') : undefined;
}
