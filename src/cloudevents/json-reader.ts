import { FairleadError } from '../core/errors.ts';
import type { MeshEvent } from '../core/event.ts';
import { endOfSimple, scanColon, scanString, scanValue, skipSpace } from '../core/json-scan.ts';
import { isJson } from '../core/media-type.ts';
import { checkName, type Draft, duplicate, finish, invalid, newDraft, setAttribute } from './attributes.ts';
import { isInt32 } from './values.ts';

const QUOTE = 0x22;
/** Bytes of a document that an attribute may keep in memory with it. */
const SHORT = 2_048;

/** Reads event objects of one document, which is known to be valid UTF-8, one after the other. */
export class JsonReader {
  /** The index after the last thing read. */
  end = 0;
  readonly #bytes: Buffer;
  /** The data member's value, or -1; {@link #dataTail} is where the whitespace behind it ends if that belongs to it. */
  #dataAt = -1;
  #dataEnd = -1;
  #dataTail = -1;
  #base64: string | undefined;
  /** The document as one character a byte, where it is short. */
  #text: string | undefined;
  #nulls: Set<string> | undefined;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The event whose `{` is at `start`; its verbatim bytes are `structured`, or else a slice. */
  event(start: number, structured: Buffer | undefined): MeshEvent {
    const bytes = this.#bytes;
    if (bytes[start] !== 0x7b) throw malformed('an event is not a JSON object', start);
    this.#dataAt = -1;
    this.#base64 = undefined;
    this.#nulls = undefined;
    const draft = newDraft();
    let at = skipSpace(bytes, start + 1);
    let compact = at === start + 1;
    if (bytes[at] === 0x7d) return finish(draft, undefined); // throws: everything is missing
    for (;;) {
      const name = this.#name(at);
      const value = check(scanColon(bytes, this.end));
      compact &&= value === this.end + 1;
      this.#value(draft, name, value);
      const end = this.end;
      at = skipSpace(bytes, end);
      if (bytes[at] === 0x7d) {
        // our encoder adds no whitespace, so what stands behind the data of a document without any belongs to the data
        this.#dataTail = compact && end === this.#dataEnd ? at : this.#dataEnd;
        break;
      }
      if (bytes[at] !== 0x2c) throw malformed('invalid JSON', at);
      at = skipSpace(bytes, at + 1);
      compact &&= at === end + 1;
    }
    this.end = at + 1;
    const data = this.#data(draft);
    return finish(draft, data, structured ?? bytes.subarray(start, this.end));
  }

  /** The member name whose quote is at `at`, not copied where it is one that everybody has. */
  #name(at: number): string {
    const bytes = this.#bytes;
    if (bytes[at] !== QUOTE) throw malformed('invalid JSON', at);
    const from = at + 1;
    const stop = endOfSimple(bytes, from);
    if (bytes[stop] !== QUOTE) {
      this.end = check(scanString(bytes, at));
      return parseString(bytes, at, this.end);
    }
    this.end = stop + 1;
    const common = COMMON[stop - from];
    if (common !== undefined) for (const name of common) if (matches(bytes, from, name)) return name;
    return this.#ascii(from, stop);
  }

  #value(draft: Draft, name: string, at: number): void {
    const bytes = this.#bytes;
    if (name === 'data') {
      if (this.#dataAt >= 0) throw duplicate(name);
      this.#dataAt = at;
      this.#dataEnd = check(scanValue(bytes, at));
      this.end = this.#dataEnd;
      return;
    }
    if (this.#nulls?.has(name)) throw duplicate(name);
    const first = bytes[at];
    if (first === QUOTE) {
      const stop = endOfSimple(bytes, at + 1);
      const simple = bytes[stop] === QUOTE;
      this.end = simple ? stop + 1 : check(scanString(bytes, at));
      const text = simple ? this.#recent(name, at + 1, stop) : parseString(bytes, at, this.end);
      if (name !== 'data_base64') setAttribute(draft, name, text, simple);
      else if (this.#base64 !== undefined) throw duplicate(name);
      else this.#base64 = text;
      return;
    }
    this.end = check(scanValue(bytes, at));
    if (first === 0x6e) this.#setNull(draft, name);
    else if (name === 'data_base64') throw dataError('data_base64 is not a string');
    else if (first === 0x74 || first === 0x66) setAttribute(draft, name, first === 0x74);
    else if (first === 0x7b || first === 0x5b) throw invalid(name, 'is an object or array');
    else setAttribute(draft, name, integer(name, this.#ascii(at, this.end)));
  }

  #recent(name: string, from: number, to: number): string {
    if (name !== 'source' && name !== 'type' && name !== 'datacontenttype' && name !== 'specversion')
      return this.#ascii(from, to);
    const before = seen[name];
    if (before.length === to - from && matches(this.#bytes, from, before)) return before;
    const text = this.#ascii(from, to);
    seen[name] = text;
    return text;
  }

  /** Printable ASCII. Of a short document all texts are parts of one: a call into the buffer for each would cost more. */
  #ascii(from: number, to: number): string {
    const bytes = this.#bytes;
    if (bytes.length > SHORT) return bytes.toString('latin1', from, to);
    this.#text ??= bytes.toString('latin1');
    return this.#text.slice(from, to);
  }

  /** §2.1: null is the same as absent; a name still counts once. */
  #setNull(draft: Draft, name: string): void {
    if (name === 'data_base64') {
      if (this.#base64 !== undefined) throw duplicate(name);
    } else {
      checkName(name);
      if (isSet(draft, name)) throw duplicate(name);
    }
    this.#nulls ??= new Set();
    this.#nulls.add(name);
  }

  /** §3.1: the bytes that the data stands for. */
  #data(draft: Draft): Buffer | undefined {
    const at = this.#dataAt;
    if (this.#base64 !== undefined) {
      if (at >= 0) throw dataError('both data and data_base64 are given');
      return fromBase64(this.#base64);
    }
    if (at < 0) return undefined;
    const bytes = this.#bytes;
    // absent means application/json, and is said aloud so that binary mode can say it too
    draft.datacontenttype ??= 'application/json';
    if (isJson(draft.datacontenttype)) return bytes.subarray(at, this.#dataTail);
    if (bytes[at] !== QUOTE) return bytes.subarray(at, this.#dataEnd);
    const stop = endOfSimple(bytes, at + 1);
    if (bytes[stop] === QUOTE) return bytes.subarray(at + 1, stop);
    const text = parseString(bytes, at, this.#dataEnd);
    const data = Buffer.from(text, 'utf8');
    if (data.toString('utf8') !== text) throw dataError('data has a lone surrogate, which no text can carry');
    return data;
  }
}

export function malformed(what: string, at: number): FairleadError {
  return new FairleadError({ code: 'E_CE_JSON', message: `${what} (byte ${at})` });
}

/** The member names that most events have, by length. */
const COMMON: readonly (readonly string[])[] = [
  [],
  [],
  ['id'],
  [],
  ['type', 'time', 'data'],
  [],
  ['source'],
  ['subject', 'dataref'],
  ['sequence'],
  [],
  ['dataschema', 'tracestate', 'expirytime'],
  ['specversion', 'traceparent', 'data_base64'],
  ['partitionkey', 'sequencetype'],
  [],
  [],
  ['datacontenttype'],
];

function matches(bytes: Buffer, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i += 1) if (bytes[at + i] !== name.charCodeAt(i)) return false;
  return true;
}

/** The values seen last of the attributes that mostly repeat: events of one kind share their strings. */
const seen = { specversion: '1.0', source: '', type: '', datacontenttype: 'application/json' };

function isSet(draft: Draft, name: string): boolean {
  if (name === 'specversion') return draft.specversion;
  if (draft.extensions?.[name] !== undefined) return true;
  return name !== 'extensions' && Object.hasOwn(draft, name) && draft[name as keyof Draft] !== undefined;
}

/** §2.2: an Integer is a JSON number without fraction and exponent. */
function integer(name: string, token: string): number {
  const value = Number(token);
  if (!isInt32(value) || /[.eE]/.test(token)) throw invalid(name, 'is not a 32-bit integer');
  return value === 0 ? 0 : value; // "-0"
}

function parseString(bytes: Buffer, at: number, end: number): string {
  return JSON.parse(bytes.toString('utf8', at, end));
}

function fromBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw dataError('data_base64 is not base64 (RFC 4648 §4)');
  return bytes;
}

function check(end: number): number {
  if (end < 0) throw malformed('invalid JSON or nested too deep', ~end);
  return end;
}

function dataError(message: string): FairleadError {
  return new FairleadError({ code: 'E_CE_DATA', message });
}
