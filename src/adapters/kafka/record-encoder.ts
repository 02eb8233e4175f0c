import { createRequire } from 'node:module';

/** What kafkajs' request encoders take for one of their own: the bytes, and how many. */
interface Encoded {
  readonly buf: Buffer;
  readonly buffer: Buffer;
  size(): number;
}

type Bytes = Buffer | string;

interface RecordInit {
  readonly offsetDelta?: number;
  readonly timestampDelta?: number | string;
  readonly key?: Bytes | null | undefined;
  readonly value?: Bytes | null | undefined;
  readonly headers?: Readonly<Record<string, Bytes | readonly Bytes[] | null>>;
}

interface BatchInit {
  readonly compression?: number;
  readonly transactional?: boolean;
  readonly firstTimestamp?: number | string;
  readonly maxTimestamp?: number | string;
  readonly lastOffsetDelta?: number;
  readonly producerId?: { toString(): string };
  readonly producerEpoch?: number;
  readonly firstSequence?: number;
  readonly records?: readonly Encoded[];
}

type BatchEncoder = (init: BatchInit) => Promise<Encoded>;

const BATCH_HEADER = 61;
const MAGIC = 2;

const require = createRequire(import.meta.url);
const crc32c = require('kafkajs/src/protocol/recordBatch/crc32C') as (bytes: Buffer) => number;
const batchModule = require('kafkajs/src/protocol/recordBatch/v0') as { RecordBatch: BatchEncoder };
const kafkajsBatch = batchModule.RecordBatch;
const recordPath = require.resolve('kafkajs/src/protocol/recordBatch/record/v0');
const kafkajsRecord = require(recordPath) as (init: RecordInit) => Encoded;

/**
 * A record of a Kafka record batch (format v2, https://kafka.apache.org/documentation/#record), the same bytes as kafkajs 2.2.4
 * makes of it. kafkajs takes 512 zeroed bytes for the record and for each of its headers and copies them together; an event
 * has half a dozen headers, so here the size is counted first and one buffer filled.
 */
export function encodeKafkaRecord(init: RecordInit): Encoded {
  const { offsetDelta = 0, timestampDelta = 0, key, value, headers = {} } = init;
  const delta = Number(timestampDelta);
  // Lists of values under one header name are rare and left to kafkajs, as are deltas that a 32-bit varint does not hold.
  if (delta !== (delta | 0) || Object.values(headers).some(Array.isArray)) return kafkajsRecord(init);
  const single = headers as Readonly<Record<string, Bytes | null>>;
  const names = Object.keys(single);
  let body = 1 + varintSize(delta) + varintSize(offsetDelta) + sizeOf(key) + sizeOf(value) + varintSize(names.length);
  for (const name of names) body += sizeOf(name) + sizeOf(single[name]);
  const buf = Buffer.allocUnsafe(varintSize(body) + body);
  let at = writeVarint(buf, 0, body);
  buf[at++] = 0;
  at = writeVarint(buf, at, delta);
  at = writeVarint(buf, at, offsetDelta);
  at = writeBytes(buf, at, key);
  at = writeBytes(buf, at, value);
  at = writeVarint(buf, at, names.length);
  for (const name of names) {
    at = writeBytes(buf, at, name);
    at = writeBytes(buf, at, single[name]);
  }
  return encoded(buf);
}

/** A record batch without compression, in one buffer of the right size; the others are kafkajs' own. */
export function encodeRecordBatch(init: BatchInit): Promise<Encoded> {
  const { compression = 0, transactional = false, records = [] } = init;
  if (compression !== 0 || transactional) return kafkajsBatch(init);
  const { firstTimestamp = 0, maxTimestamp = 0, lastOffsetDelta = 0, producerId = -1 } = init;
  let size = BATCH_HEADER;
  for (const record of records) size += record.size();
  const batch = Buffer.allocUnsafe(size);
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(size - 12, 8);
  batch.writeInt32BE(0, 12);
  batch[16] = MAGIC;
  batch.writeInt16BE(0, 21);
  batch.writeInt32BE(lastOffsetDelta, 23);
  batch.writeBigInt64BE(BigInt(firstTimestamp), 27);
  batch.writeBigInt64BE(BigInt(maxTimestamp), 35);
  batch.writeBigInt64BE(BigInt(producerId.toString()), 43);
  batch.writeInt16BE(init.producerEpoch ?? 0, 51);
  batch.writeInt32BE(init.firstSequence ?? 0, 53);
  batch.writeInt32BE(records.length, 57);
  let at = BATCH_HEADER;
  for (const { buffer } of records) at += buffer.copy(batch, at);
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return Promise.resolve(encoded(batch));
}

/** From now on kafkajs encodes with these: it loads its request encoders, and they load this, at the first produce. */
export function useFastEncoders(): void {
  const loaded = require.cache[recordPath];
  if (loaded === undefined) return;
  loaded.exports = encodeKafkaRecord;
  batchModule.RecordBatch = encodeRecordBatch;
}

function encoded(buf: Buffer): Encoded {
  return { buf, buffer: buf, size: () => buf.length };
}

function length(bytes: Bytes): number {
  return typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
}

/** Bytes with their length before them, as a varint; null is the length -1. */
function sizeOf(bytes: Bytes | null | undefined): number {
  if (bytes === null || bytes === undefined) return 1;
  const n = length(bytes);
  return varintSize(n) + n;
}

function writeBytes(buf: Buffer, at: number, bytes: Bytes | null | undefined): number {
  if (bytes === null || bytes === undefined) return writeVarint(buf, at, -1);
  const n = length(bytes);
  const start = writeVarint(buf, at, n);
  if (typeof bytes === 'string') buf.write(bytes, start);
  else bytes.copy(buf, start);
  return start + n;
}

/** Zigzag, so that small negative numbers are short. */
function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = zigzag(value) >>> 7; rest > 0; rest >>>= 7) size += 1;
  return size;
}

function writeVarint(buf: Buffer, start: number, value: number): number {
  let at = start;
  let rest = zigzag(value);
  for (; rest > 127; rest >>>= 7) buf[at++] = (rest & 127) | 128;
  buf[at++] = rest;
  return at;
}
