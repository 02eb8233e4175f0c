import { FairleadError } from '../../core/errors.ts';

/** amqplib's way to say types that JavaScript lacks, e.g. `{ '!': 'timestamp', value: seconds }`. */
interface Typed {
  readonly '!': string;
  readonly value: unknown;
}

/**
 * Headers in which the broker keeps its own books, or which steer it: never attributes, never passed on. `CC` and `BCC` would
 * add routes, and a `CC` that is not a list closes the channel; `x-death` from elsewhere would confuse the cycle check.
 */
const BROKER = /^(?:x-death|x-(?:first|last)-death-.*|x-delivery-count|x-acquired-count|x-stream-offset|CC|BCC)$/;

export function isBrokerHeader(name: string): boolean {
  const first = name.charCodeAt(0);
  // 'x', 'C', 'B': nearly every header is told apart by its first character
  return (first === 0x78 || first === 0x43 || first === 0x42) && BROKER.test(name);
}

/** Length of a header's CloudEvents prefix (`cloudEvents_`, `cloudEvents:`, `ce-`, in any case), 0 where it has none. */
export function prefixLength(name: string): number {
  if ((name.charCodeAt(0) | 0x20) !== 0x63) return 0;
  if ((name.charCodeAt(1) | 0x20) === 0x65) return name[2] === '-' ? 3 : 0;
  const separator = name[11];
  if (separator !== '_' && separator !== ':') return 0;
  return name.slice(0, 11).toLowerCase() === 'cloudevents' ? 12 : 0;
}

/**
 * The canonical string of a native value that stands for an attribute: booleans, integers, timestamps (whole seconds, UTC) and
 * bytes (base64); undefined for void. Throws `E_CE_INVALID_ATTRIBUTE` for what no attribute can be.
 */
export function attributeText(name: string, value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return undefined;
  const text = Buffer.isBuffer(value) ? value.toString('base64') : scalarText(value);
  if (text !== undefined) return text;
  const message = `header ${JSON.stringify(name.slice(0, 60))} has a value that no CloudEvents attribute can have`;
  throw new FairleadError({ code: 'E_CE_INVALID_ATTRIBUTE', message });
}

/** A native header's value as it can travel on other brokers; undefined for tables, lists and void. */
export function nativeValue(value: unknown): string | Buffer | undefined {
  if (typeof value === 'string' || Buffer.isBuffer(value)) return value;
  return typeof value === 'number' ? String(value) : scalarText(value);
}

function scalarText(value: unknown): string | undefined {
  if (typeof value === 'boolean') return String(value);
  // 64-bit integers beyond 2^53 arrive rounded, floating-point numbers have no CloudEvents type
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  if (typeof value !== 'object' || value === null || !('!' in value)) return undefined;
  const typed = value as Typed;
  return typed['!'] === 'timestamp' ? timestampText(typed.value) : undefined;
}

/** RFC 3339 of an AMQP timestamp; undefined beyond the year 9999. */
export function timestampText(seconds: unknown): string | undefined {
  if (typeof seconds !== 'number' || !(seconds >= 0 && seconds <= 253_402_300_799)) return undefined;
  return new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z');
}
