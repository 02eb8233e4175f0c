import { FairleadError } from '../../../core/errors.ts';
import type { RecordHeaders } from '../codec.ts';

/** What names a schema: the number of the registry, or its GUID. */
export type SchemaKey = number | string;

/** The header that newer serializers put the schema's GUID into instead of the value. */
const HEADER = '__value_schema_id';
const PREFIX_BYTES = 5;

/** Where a payload begins in its value, and the schema it was written with. */
export interface Frame {
  readonly key: SchemaKey;
  readonly at: number;
}

/**
 * Reads Confluent's wire format: the byte 0 and four bytes of schema id before the payload, or the header `__value_schema_id`
 * with the byte 0 and an id or the byte 1 and a GUID. Undefined where there is neither.
 * (docs.confluent.io, "Wire format")
 */
export function frameOf(value: Buffer, headers: RecordHeaders | undefined): Frame | undefined {
  const header = headers?.[HEADER];
  if (header !== undefined && header !== null) return { key: headerKey(header as Buffer | string), at: 0 };
  if (value.length < PREFIX_BYTES || value[0] !== 0) return undefined;
  return { key: value.readInt32BE(1), at: PREFIX_BYTES };
}

function headerKey(header: Buffer | string): SchemaKey {
  const bytes = Buffer.isBuffer(header) ? header : Buffer.from(String(header), 'latin1');
  if (bytes[0] === 0 && bytes.length === PREFIX_BYTES) return bytes.readInt32BE(1);
  if (bytes[0] === 1 && bytes.length === 17) {
    return bytes.toString('hex', 1).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }
  throw new FairleadError({ code: 'E_KAFKA_REGISTRY_FRAME', message: `the header ${HEADER} is malformed` });
}
