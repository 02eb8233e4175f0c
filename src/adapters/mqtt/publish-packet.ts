/** What a PUBLISH carries, ready to be written. `properties` are user properties: name, value, name, value … */
export interface Publication {
  readonly topic: string;
  readonly payload: Buffer;
  readonly contentType: string | undefined;
  readonly properties: readonly string[];
}

export interface PublishFlags {
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly version: 4 | 5;
}

/** The variable byte integer of the remaining length has four bytes at most (MQTT 5 §1.5.5). */
export const MAX_REMAINING_BYTES = 268_435_455;

/** Packets are put together in blocks of this; a larger payload is written on its own. */
const BLOCK_BYTES = 64 * 1024;
const COPY_BYTES = BLOCK_BYTES / 2;

const CONTENT_TYPE = 0x03;
const USER_PROPERTY = 0x26;

/**
 * Encodes PUBLISH packets (MQTT 5 §3.3, MQTT 3.1.1 §3.3) into few large chunks. Not left to `client.publish` of mqtt.js, which copies every
 * packet deeply, keeps it to send it again on its own, queues without bound while offline and takes three times the CPU.
 * Strings and sizes must have been checked before.
 */
export class PublishWriter {
  readonly #flags: PublishFlags;
  #chunks: Buffer[] = [];
  #block: Buffer | undefined;
  #from = 0;
  #at = 0;
  #measured: Publication | undefined;
  #properties = 0;
  #remaining = 0;

  constructor(flags: PublishFlags) {
    this.#flags = flags;
  }

  /** Bytes of the whole packet. */
  sizeOf(publication: Publication): number {
    this.#measure(publication);
    return 1 + varLength(this.#remaining) + this.#remaining;
  }

  /** Adds a packet; `packetId` is of no meaning with QoS 0. */
  add(publication: Publication, packetId: number): void {
    const { payload } = publication;
    const size = this.sizeOf(publication);
    const copied = payload.length <= COPY_BYTES;
    this.#reserve(copied ? size : size - payload.length);
    this.#writeHeader(publication, packetId);
    if (copied) {
      this.#at += payload.copy(this.#block as Buffer, this.#at);
    } else {
      this.#closeChunk();
      this.#chunks.push(payload);
    }
  }

  /** What was added since the last call, in order. The rest of the block is used for what comes next. */
  take(): Buffer[] {
    this.#closeChunk();
    this.#measured = undefined;
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks;
  }

  #measure(publication: Publication): void {
    if (this.#measured === publication) return;
    const { topic, payload, contentType, properties } = publication;
    const { qos, version } = this.#flags;
    let length = contentType === undefined ? 0 : 3 + Buffer.byteLength(contentType);
    for (let i = 0; i < properties.length; i += 2) {
      length += 5 + Buffer.byteLength(properties[i] as string) + Buffer.byteLength(properties[i + 1] as string);
    }
    this.#measured = publication;
    this.#properties = length;
    this.#remaining =
      2 +
      Buffer.byteLength(topic) +
      (qos === 1 ? 2 : 0) +
      (version === 5 ? varLength(length) + length : 0) +
      payload.length;
  }

  #writeHeader({ topic, contentType, properties }: Publication, packetId: number): void {
    const { qos, retain, version } = this.#flags;
    const bytes = this.#block as Buffer;
    let at = this.#at;
    bytes[at] = 0x30 | (qos << 1) | (retain ? 1 : 0);
    at = writeVar(bytes, at + 1, this.#remaining);
    at = writeText(bytes, at, topic);
    if (qos === 1) at = bytes.writeUInt16BE(packetId, at);
    if (version === 5) {
      at = writeVar(bytes, at, this.#properties);
      if (contentType !== undefined) {
        bytes[at] = CONTENT_TYPE;
        at = writeText(bytes, at + 1, contentType);
      }
      for (let i = 0; i < properties.length; i += 2) {
        bytes[at] = USER_PROPERTY;
        at = writeText(bytes, at + 1, properties[i] as string);
        at = writeText(bytes, at, properties[i + 1] as string);
      }
    }
    this.#at = at;
  }

  #reserve(size: number): void {
    if (this.#block !== undefined && this.#at + size <= this.#block.length) return;
    this.#closeChunk();
    this.#block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, size));
    this.#at = 0;
    this.#from = 0;
  }

  #closeChunk(): void {
    if (this.#block === undefined || this.#at === this.#from) return;
    this.#chunks.push(this.#block.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }
}

function varLength(value: number): number {
  if (value < 128) return 1;
  if (value < 16_384) return 2;
  return value < 2_097_152 ? 3 : 4;
}

function writeVar(bytes: Buffer, at: number, value: number): number {
  let rest = value;
  let end = at;
  do {
    const digit = rest & 0x7f;
    rest >>>= 7;
    bytes[end] = rest > 0 ? digit | 0x80 : digit;
    end += 1;
  } while (rest > 0);
  return end;
}

function writeText(bytes: Buffer, at: number, text: string): number {
  const length = bytes.write(text, at + 2, 'utf8');
  bytes.writeUInt16BE(length, at);
  return at + 2 + length;
}
