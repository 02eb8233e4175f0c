import { isUtf8 } from 'node:buffer';
import { FairleadError } from '../core/errors.ts';
import { scanColon, scanString, scanValue, skipSpace } from '../core/json-scan.ts';
import type { FieldPath } from './path.ts';

interface Member {
  /** With its quotes, as it stands in the text. */
  readonly key: Buffer;
  readonly name: string;
  readonly value: JsonNode;
}

const OBJECT = 0x7b;
const ARRAY = 0x5b;
const CLOSE_OBJECT = 0x7d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA_BYTE = 0x2c;
const COMMA = Buffer.from(',');
const COLON = Buffer.from(':');

/**
 * A JSON value that keeps the bytes of everything it is not asked to change: `1.0` stays `1.0`, digits beyond a double stay.
 * Only what a path leads through is taken apart.
 */
export class JsonNode {
  readonly #bytes: Buffer;
  /** False while the bytes still say what the value is. */
  #changed = false;
  #members: Member[] | undefined;
  #items: JsonNode[] | undefined;

  /** `bytes` are one valid JSON value without whitespace around it. */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Checks that the bytes are JSON in UTF-8. Throws `E_TRANSFORM_DATA`. */
  static parse(data: Buffer): JsonNode {
    if (!isUtf8(data)) throw notJson();
    const start = skipSpace(data, 0);
    // An object is taken apart at once, which is as good a check as any and saves a second look.
    const members: Member[] = [];
    const end = data[start] === OBJECT ? readMembers(data, start, members) : scanValue(data, start);
    if (end < 0 || skipSpace(data, end) !== data.length) throw notJson();
    const node = new JsonNode(data.subarray(start, end));
    if (node.isObject) node.#members = members;
    return node;
  }

  /** A value that is known to be JSON text. */
  static of(text: string): JsonNode {
    return new JsonNode(Buffer.from(text));
  }

  /** What the value is in a template: the text of a string, JSON otherwise; null is as if it were not there. */
  get text(): string | undefined {
    const json = this.toBuffer().toString('utf8');
    if (json === 'null') return undefined;
    return json.startsWith('"') ? (JSON.parse(json) as string) : json;
  }

  get isArray(): boolean {
    return this.#bytes[0] === ARRAY;
  }

  get isObject(): boolean {
    return this.#bytes[0] === OBJECT;
  }

  /** The values of an array. */
  get items(): JsonNode[] {
    this.#items ??= readItems(this.#bytes);
    return this.#items;
  }

  /** The value at a path; undefined where there is none. Of members with the same name the last counts. */
  find(path: FieldPath): JsonNode | undefined {
    let node: JsonNode | undefined = this;
    for (const segment of path) {
      node = node.#child(segment);
      if (node === undefined) return undefined;
    }
    return node;
  }

  /** Puts a value there, making objects on the way. Throws `E_TRANSFORM_DATA` where something else stands in the way. */
  put(path: FieldPath, value: JsonNode, at = 0): void {
    const segment = path[at] as string;
    const last = at === path.length - 1;
    this.#changed = true;
    if (this.isArray) {
      const index = indexOf(segment, this.items.length);
      if (index === undefined) throw wrong(`"${path.join('.')}" leads to no element of an array`);
      if (last) this.items[index] = value;
      else (this.items[index] as JsonNode).put(path, value, at + 1);
      return;
    }
    if (!this.isObject) throw wrong(`"${path.join('.')}" leads through a value that is not an object`);
    const child = this.#child(segment);
    if (!last && child !== undefined) {
      child.put(path, value, at + 1);
      return;
    }
    const fresh = last ? value : JsonNode.of('{}');
    if (!last) fresh.put(path, value, at + 1);
    const members = this.#own();
    const place = members.findLastIndex(({ name }) => name === segment);
    const key = Buffer.from(JSON.stringify(segment));
    if (place < 0) members.push({ key, name: segment, value: fresh });
    else members[place] = { ...(members[place] as Member), value: fresh };
    this.#members = members.filter(({ name }, index) => name !== segment || place < 0 || index === place);
  }

  /** Takes away what stands at a path, with `*` everything it leads to; true where there was something. */
  drop(path: FieldPath, at = 0): boolean {
    const segment = path[at] as string;
    const last = at === path.length - 1;
    const found = this.isArray ? this.#dropItems(path, at, segment, last) : this.#dropMembers(path, at, segment, last);
    this.#changed ||= found;
    return found;
  }

  /** The JSON text. */
  toBuffer(): Buffer {
    const parts: Buffer[] = [];
    this.#write(parts);
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  #dropMembers(path: FieldPath, at: number, segment: string, last: boolean): boolean {
    if (!this.isObject) return false;
    const named = this.#own().filter(({ name }) => segment === '*' || name === segment);
    if (named.length === 0) return false;
    if (!last) return named.map(({ value }) => value.drop(path, at + 1)).includes(true);
    this.#members = segment === '*' ? [] : this.#own().filter(({ name }) => name !== segment);
    return true;
  }

  #dropItems(path: FieldPath, at: number, segment: string, last: boolean): boolean {
    const index = segment === '*' ? undefined : indexOf(segment, this.items.length);
    if (segment !== '*' && index === undefined) return false;
    const chosen = index === undefined ? this.items : [this.items[index] as JsonNode];
    if (chosen.length === 0) return false;
    if (!last) return chosen.map((item) => item.drop(path, at + 1)).includes(true);
    this.#items = index === undefined ? [] : this.items.toSpliced(index, 1);
    return true;
  }

  #child(segment: string): JsonNode | undefined {
    if (this.isObject) return this.#own().findLast(({ name }) => name === segment)?.value;
    if (!this.isArray) return undefined;
    const index = indexOf(segment, this.items.length);
    return index === undefined ? undefined : this.items[index];
  }

  #own(): Member[] {
    if (this.#members === undefined) {
      this.#members = [];
      readMembers(this.#bytes, 0, this.#members);
    }
    return this.#members;
  }

  #write(parts: Buffer[]): void {
    if (!this.#changed) {
      parts.push(this.#bytes);
      return;
    }
    parts.push(this.#bytes.subarray(0, 1));
    (this.#members ?? []).forEach(({ key, value }, index) => {
      if (index > 0) parts.push(COMMA);
      parts.push(key, COLON);
      value.#write(parts);
    });
    (this.#items ?? []).forEach((item, index) => {
      if (index > 0) parts.push(COMMA);
      item.#write(parts);
    });
    parts.push(this.#bytes.subarray(-1));
  }
}

/** Reads the members of the object at `start`; the index after it, or a negative one where it is not JSON. */
function readMembers(bytes: Buffer, start: number, members: Member[]): number {
  let at = skipSpace(bytes, start + 1);
  if (bytes[at] === CLOSE_OBJECT) return at + 1;
  for (;;) {
    const nameEnd = bytes[at] === QUOTE ? scanString(bytes, at) : -1;
    const from = nameEnd < 0 ? -1 : scanColon(bytes, nameEnd);
    const to = from < 0 ? -1 : scanValue(bytes, from);
    if (to < 0) return -1;
    const key = bytes.subarray(at, nameEnd);
    members.push({ key, name: nameOf(key), value: new JsonNode(bytes.subarray(from, to)) });
    at = skipSpace(bytes, to);
    if (bytes[at] === CLOSE_OBJECT) return at + 1;
    if (bytes[at] !== COMMA_BYTE) return -1;
    at = skipSpace(bytes, at + 1);
  }
}

function nameOf(key: Buffer): string {
  return key.includes(BACKSLASH)
    ? (JSON.parse(key.toString('utf8')) as string)
    : key.toString('utf8', 1, key.length - 1);
}

/** The elements of an array whose bytes are known to be valid. */
function readItems(bytes: Buffer): JsonNode[] {
  const items: JsonNode[] = [];
  let at = skipSpace(bytes, 1);
  while (at < bytes.length - 1) {
    const end = scanValue(bytes, at);
    items.push(new JsonNode(bytes.subarray(at, end)));
    at = skipSpace(bytes, skipSpace(bytes, end) + 1);
  }
  return items;
}

function notJson(): FairleadError {
  return wrong('the data is not JSON');
}

function indexOf(segment: string, length: number): number | undefined {
  if (!/^(?:0|[1-9]\d{0,8})$/.test(segment)) return undefined;
  const index = Number(segment);
  return index < length ? index : undefined;
}

function wrong(message: string): FairleadError {
  return new FairleadError({ code: 'E_TRANSFORM_DATA', message });
}
