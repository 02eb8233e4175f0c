import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import kafkajs from 'kafkajs';
import { FairleadError } from '../../core/errors.ts';
import { decodeSnappy, encodeSnappy, type RawSnappy } from './snappy.ts';

/** Largest record batch after decompression: beyond any broker's batch at any honest ratio, below what memory can hold. */
const MAX_BYTES = 256 * 2 ** 20;

interface Codec {
  compress(encoder: { buffer: Buffer }): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

let registered = false;

/**
 * Gives kafkajs the codecs it lacks, once per process: without them one compressed batch stops a consumer for good
 * (kafkajs#597). The native packages load at first use. A codec that someone registered before stays.
 */
export function registerCodecs(): void {
  if (registered) return;
  registered = true;
  const { CompressionCodecs, CompressionTypes } = kafkajs;
  CompressionCodecs[CompressionTypes.GZIP] = () => gzipCodec;
  put(CompressionTypes.Snappy, snappyCodec);
  put(CompressionTypes.LZ4, lz4Codec);
  put(CompressionTypes.ZSTD, zstdCodec);
}

function put(type: 2 | 3 | 4, codec: Codec): void {
  const { CompressionCodecs, KafkaJSNotImplemented } = kafkajs;
  try {
    CompressionCodecs[type]?.();
  } catch (error) {
    if (!(error instanceof KafkaJSNotImplemented)) throw error;
    CompressionCodecs[type] = () => codec;
  }
}

const zip = promisify(gzip);
const unzip = promisify(gunzip);

/** As kafkajs' own, with a bound on what comes out. */
const gzipCodec: Codec = {
  compress: ({ buffer }) => zip(buffer),
  decompress: (bytes) => unzip(bytes, { maxOutputLength: MAX_BYTES }),
};

const snappyCodec: Codec = {
  async compress({ buffer }) {
    return encodeSnappy(buffer, await loadSnappy());
  },
  async decompress(bytes) {
    return decodeSnappy(bytes, await loadSnappy());
  },
};

async function loadSnappy(): Promise<RawSnappy> {
  const { default: snappy } = await import('snappy');
  return {
    compress: (bytes) => snappy.compressSync(bytes),
    uncompress: (bytes) => snappy.uncompressSync(bytes, { asBuffer: true }) as Buffer,
  };
}

const lz4Codec: Codec = {
  async compress({ buffer }) {
    return (await import('lz4-napi')).default.compressFrameSync(buffer);
  },
  async decompress(bytes) {
    return (await import('lz4-napi')).default.decompressFrameSync(bytes);
  },
};

const zstdCodec: Codec = {
  async compress({ buffer }) {
    return view((await loadZstd()).compress(buffer));
  },
  async decompress(bytes) {
    const zstd = await loadZstd();
    const size = zstdContentSize(bytes);
    if (size !== undefined) {
      if (size > MAX_BYTES) throw tooLarge();
      return view(zstd.decompress(bytes));
    }
    // A stream's frame does not tell its size: try with room for the usual ratio, then more.
    for (let room = Math.max(2 ** 20, bytes.length * 8); ; room *= 4) {
      const last = room >= MAX_BYTES;
      try {
        return view(zstd.decompress(bytes, { defaultHeapSize: Math.min(room, MAX_BYTES) }));
      } catch (error) {
        if (last) throw error;
      }
    }
  },
};

type Zstd = typeof import('@bokuweb/zstd-wasm');
let zstd: Promise<Zstd> | undefined;

function loadZstd(): Promise<Zstd> {
  zstd ??= import('@bokuweb/zstd-wasm').then(async (module) => {
    await module.init();
    return module;
  });
  return zstd;
}

/** Frame_Content_Size (RFC 8878 §3.1.1.1); undefined where the frame has none. */
function zstdContentSize(bytes: Buffer): number | undefined {
  const descriptor = bytes[4] ?? 0;
  const single = (descriptor & 0x20) !== 0;
  const flag = descriptor >> 6;
  if (flag === 0 && !single) return undefined;
  const at = 5 + (single ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] as number);
  if (bytes.length < at + 8) return flag === 0 ? bytes[at] : undefined;
  if (flag === 0) return bytes[at];
  if (flag === 1) return bytes.readUInt16LE(at) + 256;
  return flag === 2 ? bytes.readUInt32LE(at) : Number(bytes.readBigUInt64LE(at));
}

function tooLarge(): FairleadError {
  return new FairleadError({ code: 'E_KAFKA_CODEC', message: `record batch decompresses to over ${MAX_BYTES} bytes` });
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
