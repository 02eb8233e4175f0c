import { isUtf8 } from 'node:buffer';
import { FairleadError } from '../../../core/errors.ts';

const MAX_DEPTH = 200;

/**
 * The primitives of Avro's binary encoding (Avro 1.12, "Binary Encoding"), out of one buffer. Every length is checked against
 * what is there, and what is written is counted against a budget, since an array of nulls takes no bytes at all.
 */
export class AvroReader {
  readonly #bytes: Buffer;
  #at: number;
  #budget: number;
  #depth = 0;

  /** `budget` is in characters of JSON. */
  constructor(bytes: Buffer, at: number, budget: number) {
    this.#bytes = bytes;
    this.#at = at;
    this.#budget = budget;
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Counts text that is written. */
  spend(text: string): string {
    this.#budget -= text.length;
    if (this.#budget < 0)
      throw new FairleadError({ code: 'E_EVENT_TOO_LARGE', message: 'the JSON of the record is too large' });
    return text;
  }

  enter(): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw malformed(`values are nested more than ${MAX_DEPTH} levels deep`);
  }

  leave(): void {
    this.#depth -= 1;
  }

  boolean(): boolean {
    const byte = this.#bytes[this.#take(1)] as number;
    if (byte > 1) throw malformed('a boolean is neither 0 nor 1');
    return byte === 1;
  }

  /** An `int` or `long`: a number where it is exact, else a bigint. */
  long(): number | bigint {
    let value = 0;
    let scale = 1;
    // seven groups of seven bits are exact in a double
    for (let group = 0; group < 7; group += 1) {
      const byte = this.#bytes[this.#take(1)] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      scale *= 128;
    }
    let wide = BigInt(value);
    for (let shift = 49n; shift <= 63n; shift += 7n) {
      const byte = this.#bytes[this.#take(1)] as number;
      wide |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, (wide >> 1n) ^ -(wide & 1n));
    }
    throw malformed('a number is longer than 64 bits');
  }

  /** A number that counts or points: small and not negative, unless `signed`. */
  count(signed = false): number {
    const value = this.long();
    if (typeof value === 'bigint' || (value < 0 && !signed)) throw malformed('a length or an index is out of range');
    return value;
  }

  float(): number {
    return this.#bytes.readFloatLE(this.#take(4));
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  bytes(length: number): Buffer {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** A string as JSON text. */
  string(): string {
    const length = this.count();
    const start = this.#take(length);
    const end = start + length;
    if (this.#isPlain(start, end)) return `"${this.#bytes.toString('latin1', start, end)}"`;
    const bytes = this.#bytes.subarray(start, end);
    if (!isUtf8(bytes)) throw malformed('a string is not UTF-8');
    return JSON.stringify(bytes.toString('utf8'));
  }

  /** Whether it is printable ASCII that JSON writes as it is: most text is, and needs no second look. */
  #isPlain(start: number, end: number): boolean {
    const bytes = this.#bytes;
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at] as number;
      if (byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c) return false;
    }
    return true;
  }

  #take(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw malformed('it ends too early');
    this.#at = start + length;
    return start;
  }
}

export function malformed(why: string): FairleadError {
  return new FairleadError({ code: 'E_KAFKA_REGISTRY_DATA', message: `the record does not fit its schema: ${why}` });
}
