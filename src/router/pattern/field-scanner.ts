import { isUtf8 } from 'node:buffer';
import { endOfSimple, scanColon, scanString, scanValue, skipSpace } from '../../core/json-scan.ts';
import type { FieldNode } from './field-trie.ts';
import type { Leaf } from './tests.ts';

/** What stands at a field: nothing, a value, or the values of an array; maps and empty arrays are nothing. */
export type FieldValue = Leaf | undefined | Leaf[];

/** What was read. */
export interface FieldValues {
  /** By number of the field. */
  readonly values: FieldValue[];
  /** The numbers of the fields that have a value, each once. */
  readonly present: number[];
}

/**
 * What reading the fields gave. `flat`: the values are all there is to know. `crossed`: a field was read out of several
 * elements of an array, and which values stand together is known to the whole body only. `refused`: not read, because it
 * is no JSON, a name stands twice in one map, or it nests too deeply; the values mean nothing.
 */
export type FieldsRead = 'flat' | 'crossed' | 'refused';

/** Deepest nesting that is read here. */
const MAX_DEPTH = 256;
/** Up to here the whole text is made a string once, of which values are parts; else each value on its own. */
const WHOLE = 4_096;

const QUOTE = 0x22;
const SPACE = 0x20;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_MAP = 0x7b;
const CLOSE_MAP = 0x7d;

/** What one reading keeps; reading is synchronous, so one is enough. */
let text: string | undefined;
let values: FieldValue[] = [];
let present: number[] = [];
let crossed = false;
let maps = 0;

/**
 * Reads the wanted fields out of a JSON text without building the rest, which is still checked to the last byte. `into`
 * must have nothing in it yet.
 */
export function readFields(data: Buffer, root: FieldNode, into: FieldValues): FieldsRead {
  if (!isUtf8(data)) return 'refused';
  text = undefined;
  ({ values, present } = into);
  crossed = false;
  const end = readValue(data, skipSpace(data, 0), root, 0);
  const whole = end > 0 && skipSpace(data, end) === data.length;
  text = undefined;
  return whole ? (crossed ? 'crossed' : 'flat') : 'refused';
}

/** Reads the value at `at` for a node; gives the index after it, or a negative number. */
function readValue(bytes: Buffer, at: number, node: FieldNode, depth: number): number {
  const c = bytes[at];
  if (c === OPEN_MAP) return node.isInner ? readMap(bytes, at, node, depth) : scanValue(bytes, at);
  if (c === OPEN_ARRAY) return readArray(bytes, at, node, depth);
  return node.slot < 0 ? scanValue(bytes, at) : readLeaf(bytes, at, node.slot, c);
}

function readMap(bytes: Buffer, at: number, node: FieldNode, depth: number): number {
  if (depth === MAX_DEPTH) return -1;
  maps += 1;
  const map = maps;
  let i = skipSpace(bytes, at + 1);
  if (bytes[i] === CLOSE_MAP) return i + 1;
  for (;;) {
    if (bytes[i] !== QUOTE) return -1;
    let child: FieldNode | undefined;
    let end = endOfSimple(bytes, i + 1);
    if (bytes[end] === QUOTE) {
      child = node.find(bytes, i + 1, end);
      end += 1;
    } else {
      end = scanString(bytes, i);
      if (end < 0) return end;
      child = node.named(decode(bytes, i, end));
    }
    i = bytes[end] === COLON && (bytes[end + 1] as number) > SPACE ? end + 1 : scanColon(bytes, end);
    if (i < 0) return i;
    if (child === undefined) {
      i = bytes[i] === QUOTE ? scanString(bytes, i) : scanValue(bytes, i);
    } else {
      if (child.seenIn === map) return -1;
      child.seenIn = map;
      i = readValue(bytes, i, child, depth + 1);
    }
    if (i < 0) return i;
    if (bytes[i] !== COMMA) {
      i = skipSpace(bytes, i);
      if (bytes[i] === CLOSE_MAP) return i + 1;
      if (bytes[i] !== COMMA) return -1;
    }
    i += 1;
    if (bytes[i] !== QUOTE) i = skipSpace(bytes, i);
  }
}

function readArray(bytes: Buffer, at: number, node: FieldNode, depth: number): number {
  if (depth === MAX_DEPTH) return -1;
  const before = maps;
  let i = skipSpace(bytes, at + 1);
  if (bytes[i] === CLOSE_ARRAY) return i + 1;
  let inMaps = 0;
  for (;;) {
    if (bytes[i] === OPEN_MAP || bytes[i] === OPEN_ARRAY) inMaps += 1;
    i = readValue(bytes, i, node, depth + 1);
    if (i < 0) return i;
    i = skipSpace(bytes, i);
    const next = bytes[i];
    if (next === CLOSE_ARRAY) break;
    if (next !== COMMA) return -1;
    i = skipSpace(bytes, i + 1);
  }
  if (inMaps > 1 && maps > before + 1) crossed = true;
  return i + 1;
}

function readLeaf(bytes: Buffer, at: number, slot: number, c: number | undefined): number {
  if (c === QUOTE) {
    const simple = endOfSimple(bytes, at + 1);
    if (bytes[simple] === QUOTE) {
      put(slot, slice(bytes, at + 1, simple));
      return simple + 1;
    }
    const end = scanString(bytes, at);
    if (end > 0) put(slot, decode(bytes, at, end));
    return end;
  }
  const end = scanValue(bytes, at);
  if (end < 0) return end;
  if (c === 0x74) put(slot, true);
  else if (c === 0x66) put(slot, false);
  else if (c === 0x6e) put(slot, null);
  else put(slot, toNumber(bytes, at, end));
  return end;
}

function put(slot: number, value: Leaf): void {
  const before = values[slot];
  if (before === undefined) {
    values[slot] = value;
    present.push(slot);
  } else if (typeof before === 'object' && before !== null) before.push(value);
  else values[slot] = [before, value];
}

/** Short integers digit by digit. */
function toNumber(bytes: Buffer, from: number, to: number): number {
  if (to - from > 9) return Number(slice(bytes, from, to));
  let number = 0;
  for (let at = from; at < to; at += 1) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return Number(slice(bytes, from, to));
    number = number * 10 + digit;
  }
  return number;
}

/** ASCII text. */
function slice(bytes: Buffer, from: number, to: number): string {
  if (bytes.length > WHOLE) return bytes.toString('latin1', from, to);
  text ??= bytes.toString('latin1');
  return text.slice(from, to);
}

/** The text of a string that was scanned, quotes included. */
function decode(bytes: Buffer, from: number, to: number): string {
  const inner = bytes.toString('utf8', from, to);
  return inner.includes('\\') ? (JSON.parse(inner) as string) : inner.slice(1, -1);
}
