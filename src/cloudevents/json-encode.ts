import { isUtf8 } from 'node:buffer';
import type { AttributeValue, MeshEvent } from '../core/event.ts';
import { isJsonText } from '../core/json-scan.ts';
import { isJson } from '../core/media-type.ts';
import { isUtf8Text } from './media-type.ts';

/** The event in the JSON format: `event.structured` verbatim where it has one. */
export function encodeJson(event: MeshEvent): Buffer {
  return event.structured ?? encode(event);
}

/** A JSON array of the events, the verbatim bytes of each where it has them. */
export function encodeJsonBatch(events: readonly MeshEvent[]): Buffer {
  if (events.length === 0) return Buffer.from('[]');
  const members = events.map(encodeJson);
  let length = events.length + 1;
  for (const one of members) length += one.length;
  const out = Buffer.allocUnsafe(length);
  let at = 0;
  for (const one of members) {
    out[at] = at === 0 ? 0x5b : 0x2c;
    out.set(one, at + 1);
    at += one.length + 1;
  }
  out[at] = 0x5d;
  return out;
}

function encode(event: MeshEvent): Buffer {
  const head = attributes(event);
  const { data } = event;
  if (data === undefined) return Buffer.from(`${head}}`);
  const form = formOf(event.datacontenttype, data);
  if (form === 'base64') return Buffer.from(`${head},"data_base64":"${data.toString('base64')}"}`);
  if (form === 'text') return Buffer.from(`${head},"data":${JSON.stringify(data.toString('utf8'))}}`);
  const before = `${head},"data":`;
  const length = Buffer.byteLength(before);
  const out = Buffer.allocUnsafe(length + data.length + 1);
  if (length === before.length) out.write(before, 0, 'latin1');
  else out.write(before, 0, 'utf8');
  out.set(data, length);
  out[length + data.length] = 0x7d;
  return out;
}

/**
 * How the data can stand in the document so that decoding gives the same bytes: as the JSON text it is, as a JSON string
 * or in base64. Data without a type is base64, because `data` without a type would say application/json.
 */
function formOf(contentType: string | undefined, data: Buffer): 'json' | 'text' | 'base64' {
  if (contentType === undefined || !isUtf8(data)) return 'base64';
  if (isJson(contentType)) return isJsonText(data) && !hasNoncharacter(data) ? 'json' : 'base64';
  return isUtf8Text(contentType) && isPlainText(data) ? 'text' : 'base64';
}

/** Whether text has only characters that survive everywhere (SQS and XML refuse most control characters). */
function isPlainText(data: Buffer): boolean {
  for (let i = 0; i < data.length; i += 1) {
    const c = data[i] as number;
    if ((c < 0x20 && c !== 0x09 && c !== 0x0a && c !== 0x0d) || c === 0x7f) return false;
  }
  return !hasNoncharacter(data);
}

/** U+FFFE or U+FFFF, which are valid UTF-8 but not accepted everywhere. */
function hasNoncharacter(data: Buffer): boolean {
  for (let at = data.indexOf(0xef); at >= 0; at = data.indexOf(0xef, at + 1)) {
    if (data[at + 1] === 0xbf && (data[at + 2] === 0xbe || data[at + 2] === 0xbf)) return true;
  }
  return false;
}

function attributes(event: MeshEvent): string {
  let out = `{"specversion":"1.0","id":${quote(event.id)},"source":${quote(event.source)},"type":${quote(event.type)}`;
  if (event.subject !== undefined) out += `,"subject":${quote(event.subject)}`;
  if (event.time !== undefined) out += `,"time":${quote(event.time)}`;
  if (event.datacontenttype !== undefined) out += `,"datacontenttype":${quote(event.datacontenttype)}`;
  if (event.dataschema !== undefined) out += `,"dataschema":${quote(event.dataschema)}`;
  const { extensions } = event;
  for (const name in extensions) out += `,${quote(name)}:${jsonOf(extensions[name] as AttributeValue)}`;
  return out;
}

function jsonOf(value: AttributeValue): string {
  if (typeof value === 'string') return quote(value);
  return typeof value === 'object' ? `"${value.toString('base64')}"` : String(value);
}

function quote(text: string): string {
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    if (c < 0x20 || c === 0x22 || c === 0x5c || c > 0x7e) return JSON.stringify(text);
  }
  return `"${text}"`;
}
