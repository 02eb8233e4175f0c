/** What a PUBLISH carries, ready to be written. `properties` are user properties: name, value, name, value … */
export interface Publication {
  readonly topic: string;
  readonly payload: Buffer;
  readonly contentType: string | undefined;
  readonly properties: readonly string[];
}

/** Payloads up to this are copied beside their header, so that the packet is one piece; larger ones are written on their own. */
const COPY_BYTES = 32 * 1024;

const CONTENT_TYPE = 0x03;
const USER_PROPERTY = 0x26;
/** The variable byte integer of the remaining length has four bytes at most (MQTT 5 §1.5.5). */
export const MAX_REMAINING_BYTES = 268_435_455;

/** Bytes of the packet's variable header and payload. `version` 4 leaves all properties out. */
export function remainingLength(publication: Publication, qos: 0 | 1, version: 4 | 5): number {
  const properties = version === 5 ? propertiesLength(publication) : -1;
  return (
    2 +
    Buffer.byteLength(publication.topic) +
    (qos === 1 ? 2 : 0) +
    (version === 5 ? varLength(properties) + properties : 0) +
    publication.payload.length
  );
}

/**
 * Adds the bytes of a PUBLISH (MQTT 5 §3.3, MQTT 3.1.1 §3.3) to `chunks`. Written here and not by mqtt.js because `client.publish`
 * copies every packet deeply, keeps it to send it again on its own, queues without bound while offline and takes three times the
 * CPU; strings must have been checked, lengths too.
 */
export function encodePublish(
  publication: Publication,
  flags: { readonly qos: 0 | 1; readonly retain: boolean; readonly version: 4 | 5 },
  packetId: number,
  chunks: Buffer[],
): void {
  const { topic, payload, contentType, properties } = publication;
  const { qos, retain, version } = flags;
  const remaining = remainingLength(publication, qos, version);
  const copied = payload.length <= COPY_BYTES;
  const size = 1 + varLength(remaining) + remaining - (copied ? 0 : payload.length);
  const bytes = Buffer.allocUnsafe(size);
  bytes[0] = 0x30 | (qos << 1) | (retain ? 1 : 0);
  let at = writeVar(bytes, 1, remaining);
  at = writeText(bytes, at, topic);
  if (qos === 1) at = bytes.writeUInt16BE(packetId, at);
  if (version === 5) {
    at = writeVar(bytes, at, propertiesLength(publication));
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
  if (copied) payload.copy(bytes, at);
  chunks.push(bytes);
  if (!copied) chunks.push(payload);
}

function propertiesLength({ contentType, properties }: Publication): number {
  let length = contentType === undefined ? 0 : 3 + Buffer.byteLength(contentType);
  for (let i = 0; i < properties.length; i += 2) {
    length += 5 + Buffer.byteLength(properties[i] as string) + Buffer.byteLength(properties[i + 1] as string);
  }
  return length;
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
