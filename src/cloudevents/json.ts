import { FairleadError } from '../core/errors.ts';
import type { MeshEvent } from '../core/event.ts';

export function decodeJson(_bytes: Buffer): MeshEvent {
  throw new FairleadError({ code: 'E_CE_JSON', message: 'not there yet' });
}
export function encodeJson(event: MeshEvent): Buffer {
  return event.structured ?? Buffer.alloc(0);
}
export function decodeJsonBatch(bytes: Buffer): MeshEvent[] {
  return [decodeJson(bytes)];
}
export function encodeJsonBatch(events: readonly MeshEvent[]): Buffer {
  return Buffer.concat(events.map(encodeJson));
}
