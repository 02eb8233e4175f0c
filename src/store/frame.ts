import { crc32 } from 'node:zlib';

/**
 * A frame: mark u32 · payload length u32 · index in the segment u32 · check u32 · payload (little endian). The check is
 * crc32(payload) folded with length, index and the segment's seed. Mark and seed come from the log's random id and the
 * segment's first number, so that neither bytes inside a payload nor a former life of the file can pass for a frame.
 */
export const FRAME_BYTES = 16;

/** Sixteen zero bytes follow the last frame of a segment; where they are missing, the end was torn off. */
export const END_BYTES = 16;

const END = Buffer.alloc(END_BYTES);

/** What frames of one segment are recognised by. */
export interface FrameKey {
  readonly mark: number;
  readonly markBytes: Buffer;
  readonly seed: number;
}

export function frameKey(logId: Buffer, first: number): FrameKey {
  const text = Buffer.from(`${first}`);
  const seed = crc32(text, crc32(logId));
  const mark = crc32(text, crc32(logId, 0x6c6f67)) || 1;
  const markBytes = Buffer.alloc(4);
  markBytes.writeUInt32LE(mark);
  return { mark, markBytes, seed };
}

/** Bijective in `index` and in `length`, so that damage to one of them never goes unseen. */
function check(payload: Buffer, key: FrameKey, index: number): number {
  return (crc32(payload) ^ key.seed ^ Math.imul(index, 0x9e3779b1) ^ Math.imul(payload.length, 0x85ebca6b)) >>> 0;
}

/** Bytes that these payloads take in a segment. */
export function framedBytes(records: readonly Buffer[]): number {
  let bytes = records.length * FRAME_BYTES;
  for (const record of records) bytes += record.length;
  return bytes;
}

/** Writes one frame at `at`; returns the offset behind it. */
export function writeFrame(buffer: Buffer, at: number, key: FrameKey, index: number, payload: Buffer): number {
  buffer.writeUInt32LE(key.mark, at);
  buffer.writeUInt32LE(payload.length, at + 4);
  buffer.writeUInt32LE(index, at + 8);
  buffer.writeUInt32LE(check(payload, key, index), at + 12);
  payload.copy(buffer, at + FRAME_BYTES);
  return at + FRAME_BYTES + payload.length;
}

/** Payload length that a frame at `at` claims, or undefined where no frame begins. Needs {@link FRAME_BYTES} there. */
export function claimedLength(buffer: Buffer, at: number, key: FrameKey): number | undefined {
  return buffer.readUInt32LE(at) === key.mark ? buffer.readUInt32LE(at + 4) : undefined;
}

export function frameIndex(buffer: Buffer, at: number): number {
  return buffer.readUInt32LE(at + 8);
}

/** The payload of the complete frame at `at` (a slice), or undefined where the check fails. */
export function framePayload(buffer: Buffer, at: number, length: number, key: FrameKey): Buffer | undefined {
  const payload = buffer.subarray(at + FRAME_BYTES, at + FRAME_BYTES + length);
  return buffer.readUInt32LE(at + 12) === check(payload, key, frameIndex(buffer, at)) ? payload : undefined;
}

export function isEnd(buffer: Buffer, at: number): boolean {
  return buffer.compare(END, 0, END_BYTES, at, at + END_BYTES) === 0;
}
