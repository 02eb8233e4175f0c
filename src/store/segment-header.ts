import { crc32 } from 'node:zlib';
import { storeError } from './failure.ts';

/** The first frame of a segment stands behind a header block of one page, which holds the header twice. */
export const HEADER_BYTES = 4096;
const COPY_AT = [0, 2048] as const;
const MAGIC = Buffer.from('FAIRLOG\n', 'latin1');
const VERSION = 1;
const LENGTH = 40;
const NAME = /^(\d{20})\.seg$/;

export interface SegmentHeader {
  /** Random identity of the log, 16 bytes: the same in all its segments. */
  readonly logId: Buffer;
  /** Number of the first record. */
  readonly first: number;
}

export function segmentName(first: number): string {
  return `${String(first).padStart(20, '0')}.seg`;
}

/** The first record number of a segment file's name; undefined for other files. */
export function parseSegmentName(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1];
  if (digits === undefined) return undefined;
  const first = Number(digits);
  return Number.isSafeInteger(first) ? first : undefined;
}

export function encodeHeader(header: SegmentHeader): Buffer {
  const block = Buffer.alloc(HEADER_BYTES);
  for (const at of COPY_AT) {
    MAGIC.copy(block, at);
    block.writeUInt32LE(VERSION, at + 8);
    header.logId.copy(block, at + 12, 0, 16);
    block.writeBigUInt64LE(BigInt(header.first), at + 28);
    block.writeUInt32LE(crc32(block.subarray(at, at + LENGTH - 4)), at + LENGTH - 4);
  }
  return block;
}

/** The header of a block, from whichever copy is sound; undefined where neither is. Throws `E_STORE_VERSION`. */
export function decodeHeader(block: Buffer): SegmentHeader | undefined {
  for (const at of COPY_AT) {
    if (block.length < at + LENGTH || !block.subarray(at, at + MAGIC.length).equals(MAGIC)) continue;
    if (block.readUInt32LE(at + LENGTH - 4) !== crc32(block.subarray(at, at + LENGTH - 4))) continue;
    const version = block.readUInt32LE(at + 8);
    if (version !== VERSION) {
      const message = `the log has format version ${version}; this build reads version ${VERSION}`;
      throw storeError('E_STORE_VERSION', message, false);
    }
    return { logId: Buffer.from(block.subarray(at + 12, at + 28)), first: Number(block.readBigUInt64LE(at + 28)) };
  }
  return undefined;
}
