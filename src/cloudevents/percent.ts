import { isUtf8 } from 'node:buffer';
import { FairleadError } from '../core/errors.ts';

/** Header values of the HTTP binding (CloudEvents HTTP binding 1.0.2 §3.1.3.2). */

const PERCENT = 0x25;
const QUOTE = 0x22;

/** `%XX` by byte. */
const ESCAPED: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
);

/** Percent-encodes space, `"`, `%` and all but U+0021–007E as UTF-8. CR and LF cannot get through. */
export function encodeHeader(value: string): string {
  for (let i = 0; i < value.length; i += 1) if (!isLiteral(value.charCodeAt(i))) return percentEncoded(value);
  return value;
}

/**
 * Undoes quotes and then one round of percent-encoding. A `%` without two hex digits stays as it is. Bytes above 0x7F in
 * the header, which the binding does not allow but which occur, are read as UTF-8 too. Throws `E_CE_PERCENT`
 * where the bytes are not UTF-8. `value` has one char per byte, as Node gives it.
 */
export function decodeHeader(value: string): string {
  let plain = true;
  for (let i = 0; i < value.length; i += 1) {
    const c = value.charCodeAt(i);
    if (c === PERCENT || c === QUOTE || c > 0x7e) {
      plain = false;
      break;
    }
  }
  if (plain) return value;
  const text = unquote(value);
  const bytes = Buffer.allocUnsafe(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    if (c > 0xff) throw notUtf8();
    const byte = c === PERCENT ? hexPair(text, i + 1) : -1;
    if (byte >= 0) i += 2;
    bytes[length] = byte >= 0 ? byte : c;
    length += 1;
  }
  const found = bytes.subarray(0, length);
  if (!isUtf8(found)) throw notUtf8();
  return found.toString('utf8');
}

function isLiteral(c: number): boolean {
  return c > 0x20 && c < 0x7f && c !== QUOTE && c !== PERCENT;
}

function percentEncoded(value: string): string {
  let out = '';
  for (const byte of Buffer.from(value, 'utf8')) out += isLiteral(byte) ? String.fromCharCode(byte) : ESCAPED[byte];
  return out;
}

/** RFC 9110 §5.6.4 quoted-string. */
function unquote(value: string): string {
  if (value.length < 2 || value.charCodeAt(0) !== QUOTE || value.charCodeAt(value.length - 1) !== QUOTE) return value;
  const inner = value.slice(1, -1);
  return inner.includes('\\') ? inner.replace(/\\(.)/gs, '$1') : inner;
}

/** The byte that two hex digits stand for, or -1. */
function hexPair(text: string, at: number): number {
  const high = hexDigit(text.charCodeAt(at));
  const low = hexDigit(text.charCodeAt(at + 1));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const lower = c | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function notUtf8(): FairleadError {
  return new FairleadError({ code: 'E_CE_PERCENT', message: 'a header value is not percent-encoded UTF-8' });
}
