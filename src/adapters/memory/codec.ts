import { decodeJson, encodeJson } from '../../cloudevents/json.ts';
import { contentMode, STRUCTURED_JSON } from '../../cloudevents/media-type.ts';
import type { Wrap } from '../../cloudevents/wrap.ts';
import type { NativeHeaders } from '../../core/delivery.ts';
import type { MeshEvent } from '../../core/event.ts';
import type { CommonTargetConfig } from '../spec.ts';

/** What a topic holds: in binary mode the event itself stands for attributes beside data, else bytes with their media type. */
export interface MemoryRecord {
  readonly event: MeshEvent | undefined;
  readonly contentType: string | undefined;
  readonly body: Buffer | undefined;
  readonly key: string | undefined;
  readonly headers: NativeHeaders | undefined;
}

export function encode(
  event: MeshEvent,
  encoding: CommonTargetConfig['encoding'],
  key?: string,
  headers?: NativeHeaders,
): MemoryRecord {
  if (encoding === 'structured') {
    return { event: undefined, contentType: STRUCTURED_JSON, body: encodeJson(event), key, headers };
  }
  if (encoding === 'raw') {
    return { event: undefined, contentType: event.datacontenttype, body: event.data, key, headers };
  }
  return { event, contentType: undefined, body: undefined, key, headers };
}

/** Throws a coded error where the record claims to be a CloudEvent and is not. */
export function decode(
  record: MemoryRecord,
  wrap: Wrap,
  position: (name: string) => string | undefined,
  id: string,
): MeshEvent {
  if (record.event !== undefined) return record.event;
  if (contentMode(record.contentType) === 'structured') return decodeJson(record.body ?? Buffer.alloc(0));
  return wrap.wrap(position, record.body, record.contentType, id);
}
