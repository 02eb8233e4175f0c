/** The raw block format, as the `snappy` package offers it. */
export interface RawSnappy {
  compress(bytes: Buffer): Buffer;
  uncompress(bytes: Buffer): Buffer;
}

/** Header of snappy-java's stream, which every Kafka client expects around raw blocks: magic, version 1, compatible 1. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
const MAGIC_BYTES = 8;
/** Uncompressed bytes per block, as snappy-java writes them. */
const BLOCK_BYTES = 32 * 1024;

export function encodeSnappy(bytes: Buffer, raw: RawSnappy): Buffer {
  const parts: Buffer[] = [XERIAL];
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const block = raw.compress(bytes.subarray(at, at + BLOCK_BYTES));
    const size = Buffer.allocUnsafe(4);
    size.writeInt32BE(block.length);
    parts.push(size, block);
  }
  return Buffer.concat(parts);
}

/** Decodes snappy-java's stream, or one raw block where the magic is missing (some clients write that). */
export function decodeSnappy(bytes: Buffer, raw: RawSnappy): Buffer {
  if (bytes.length < XERIAL.length || bytes.compare(XERIAL, 0, MAGIC_BYTES, 0, MAGIC_BYTES) !== 0) {
    return raw.uncompress(bytes);
  }
  const parts: Buffer[] = [];
  for (let at = XERIAL.length; at < bytes.length; ) {
    const size = bytes.readInt32BE(at);
    if (size < 0 || at + 4 + size > bytes.length) throw new RangeError('snappy stream is cut off');
    parts.push(raw.uncompress(bytes.subarray(at + 4, at + 4 + size)));
    at += 4 + size;
  }
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}
