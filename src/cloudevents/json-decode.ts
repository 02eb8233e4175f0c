import { isUtf8 } from 'node:buffer';
import { FairleadError } from '../core/errors.ts';
import type { MeshEvent } from '../core/event.ts';
import { skipSpace } from '../core/json-scan.ts';
import { JsonReader, malformed } from './json-reader.ts';

/**
 * Decodes one event in the JSON format (CloudEvents JSON format 1.0.2). `event.structured` is `bytes`; JSON data is a
 * verbatim slice of them, digits and all. Throws {@link FairleadError} `E_CE_JSON` (not one JSON object in UTF-8, too deep),
 * `E_CE_DATA` (data that cannot be had as bytes) or what `setAttribute` throws.
 */
export function decodeJson(bytes: Buffer): MeshEvent {
  checkUtf8(bytes);
  const reader = new JsonReader(bytes);
  const event = reader.event(skipSpace(bytes, 0), bytes);
  expectEnd(bytes, reader.end);
  return event;
}

/** Decodes a JSON array of events, `[]` included. One bad member fails the whole; the message has its index. */
export function decodeJsonBatch(bytes: Buffer): MeshEvent[] {
  checkUtf8(bytes);
  const reader = new JsonReader(bytes);
  const events: MeshEvent[] = [];
  let at = skipSpace(bytes, 0);
  if (bytes[at] !== 0x5b) throw malformed('a batch is not a JSON array', at);
  at = skipSpace(bytes, at + 1);
  if (bytes[at] !== 0x5d) {
    for (;;) {
      events.push(member(reader, at, events.length));
      at = skipSpace(bytes, reader.end);
      if (bytes[at] !== 0x2c) break;
      at = skipSpace(bytes, at + 1);
    }
    if (bytes[at] !== 0x5d) throw malformed('invalid JSON', at);
  }
  expectEnd(bytes, at + 1);
  return events;
}

function member(reader: JsonReader, at: number, index: number): MeshEvent {
  try {
    return reader.event(at, undefined);
  } catch (error) {
    if (!(error instanceof FairleadError)) throw error;
    throw new FairleadError({
      code: error.code,
      message: `event ${index} of the batch: ${error.message}`,
      cause: error,
    });
  }
}

function expectEnd(bytes: Buffer, end: number): void {
  const at = skipSpace(bytes, end);
  if (at !== bytes.length) throw malformed('something stands after the JSON value', at);
}

function checkUtf8(bytes: Buffer): void {
  if (!isUtf8(bytes)) throw new FairleadError({ code: 'E_CE_JSON', message: 'the event is not valid UTF-8' });
}
