import { CloudEvent } from 'cloudevents';
import { FairleadError } from '../core/errors.ts';
import type { AttributeValue, MeshEvent } from '../core/event.ts';
import { isJson } from '../core/media-type.ts';
import { canonical, finish, forEachAttribute, invalid, newDraft, setAttribute } from './attributes.ts';
import { isUtf8Text } from './media-type.ts';

/**
 * The official SDK's class, for code that embeds Fairlead. It is not on the data path, and it is lossy: an absent `time`
 * becomes now, JSON numbers become doubles, bytes of JSON data are formatted anew.
 */
export function toSdk(event: MeshEvent): CloudEvent<unknown> {
  const init: Record<string, unknown> = {};
  forEachAttribute(event, (name, value) => {
    init[name] = Buffer.isBuffer(value) ? canonical(value) : value; // the SDK's JSON would spell a Buffer as an object
  });
  if (event.datacontenttype !== undefined) init['datacontenttype'] = event.datacontenttype;
  if (event.data !== undefined) init['data'] = sdkData(event, event.data);
  return new CloudEvent<unknown>(init, false);
}

/**
 * An event of the SDK's. A missing `datacontenttype` beside data that is not bytes is said to be `application/json`, as the
 * SDK treats it. Throws `E_CE_DATA` where the data is not JSON, and what the attribute rules throw.
 */
export function fromSdk(cloudEvent: CloudEvent<unknown>): MeshEvent {
  const draft = newDraft();
  for (const [name, value] of Object.entries(cloudEvent)) {
    if (value !== undefined && value !== null && !NOT_ATTRIBUTES.has(name))
      setAttribute(draft, name, attribute(name, value));
  }
  const { data, data_base64: base64 } = cloudEvent;
  if (typeof base64 === 'string') return finish(draft, Buffer.from(base64, 'base64'));
  if (data === undefined) return finish(draft, undefined);
  if (ArrayBuffer.isView(data)) return finish(draft, Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  draft.datacontenttype ??= 'application/json';
  if (typeof data === 'string' && !isJson(draft.datacontenttype)) return finish(draft, Buffer.from(data, 'utf8'));
  return finish(draft, Buffer.from(jsonText(data), 'utf8'));
}

const NOT_ATTRIBUTES: ReadonlySet<string> = new Set(['data', 'data_base64', 'datacontentencoding', 'schemaurl']);

function sdkData(event: MeshEvent, data: Buffer): unknown {
  if (isJson(event.datacontenttype)) return event.json() ?? data;
  return isUtf8Text(event.datacontenttype) ? data.toString('utf8') : data;
}

function attribute(name: string, value: unknown): AttributeValue {
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  throw invalid(name, 'is not a boolean, an integer, a string or bytes');
}

function jsonText(data: unknown): string {
  try {
    const text: string | undefined = JSON.stringify(data);
    if (text !== undefined) return text;
  } catch (cause) {
    throw new FairleadError({ code: 'E_CE_DATA', message: 'the data of the event cannot be written as JSON', cause });
  }
  throw new FairleadError({ code: 'E_CE_DATA', message: 'the data of the event is not a JSON value' });
}
