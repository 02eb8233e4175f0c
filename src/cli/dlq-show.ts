import { isUtf8 } from 'node:buffer';
import { canonical } from '../cloudevents/attributes.ts';
import type { AttributeValue, MeshEvent } from '../core/event.ts';
import { isJson } from '../core/media-type.ts';
import type { DeadLetter } from '../store/letter.ts';
import { positionText, readingStore, type StoreOptions } from './dlq.ts';
import { EXIT, ExitError } from './exit.ts';
import { hexDump } from './hex.ts';
import { printable, table } from './terminal.ts';

type Form = 'auto' | 'json' | 'text' | 'hex';

export interface DlqShowOptions extends StoreOptions {
  readonly raw?: boolean;
  readonly as: Form;
  readonly output: 'text' | 'json';
}

/** `fairlead dlq show ID`: the cause, where it came from, the attributes and the data of one dead letter. */
export async function dlqShow(id: string, options: DlqShowOptions): Promise<void> {
  const letter = await readingStore(options, async (store, directory) => {
    const found = await store?.get(id);
    if (found === undefined) throw new ExitError(EXIT.runtime, `there is no dead letter ${id} in ${directory}`);
    return found;
  });
  if (options.raw === true) process.stdout.write(verbatim(letter));
  else if (options.output === 'json') process.stdout.write(`${JSON.stringify(letterJson(id, letter), null, 2)}\n`);
  else process.stdout.write(letterText(id, letter, options.as));
}

/** The bytes as they came: poison, else the structured event, else the data. */
function verbatim({ raw, event }: DeadLetter): Buffer {
  return raw ?? event?.structured ?? event?.data ?? Buffer.alloc(0);
}

function facts(id: string, letter: DeadLetter): [string, string][] {
  const { code, message, attempts, source, meta, route, target, gateway, revision } = letter;
  const rows: [string, string | undefined][] = [
    ['id', id],
    ['cause', `${code}: ${message}`],
    ['attempts', String(attempts)],
    ['source', source],
    ['position', positionText(meta.position)],
    ['key', meta.key === undefined ? undefined : bytesText(meta.key)],
    ['principal', meta.principal],
    ['route', route],
    ['target', target],
    ['received', new Date(letter.receivedAt).toISOString()],
    ['given up', new Date(letter.at).toISOString()],
    ['gateway', `${gateway}, configuration ${revision}`],
  ];
  return rows.filter((row): row is [string, string] => row[1] !== undefined);
}

function attributes(event: MeshEvent): [string, AttributeValue][] {
  const names = ['specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'dataschema'];
  return [...names, ...Object.keys(event.extensions)].flatMap((name) => {
    const value = event.attribute(name);
    return value === undefined ? [] : [[name, value]];
  });
}

function letterText(id: string, letter: DeadLetter, form: Form): string {
  const { event, raw, meta } = letter;
  const section = (title: string, rows: readonly (readonly [string, string])[]): string =>
    rows.length === 0
      ? ''
      : `\n${title}\n${table(rows.map(([name, value]) => [`  ${printable(name)}`, printable(value)]))}`;
  const data = raw ?? event?.data;
  const shown = data === undefined ? '  (none)\n' : dataText(data, event?.datacontenttype, form);
  return [
    table(facts(id, letter).map(([name, value]) => [name, printable(value)])),
    section(
      'attributes',
      event === undefined ? [] : attributes(event).map(([name, value]) => [name, canonical(value)]),
    ),
    section(
      'native headers',
      Object.entries(meta.headers ?? {}).map(([name, value]) => [name, bytesText(value)]),
    ),
    `\n${raw === undefined ? 'data' : 'not an event'} (${data?.length ?? 0} bytes)\n${shown}`,
  ].join('');
}

function dataText(data: Buffer, contentType: string | undefined, form: Form): string {
  const text = isUtf8(data) ? data.toString('utf8') : undefined;
  const json = form === 'json' || (form === 'auto' && isJson(contentType)) ? pretty(text) : undefined;
  if (json !== undefined) return indent(json);
  if (text === undefined || form === 'hex') return hexDump(data);
  return indent(text);
}

/** JSON set in lines; undefined where it is none. Numbers beyond a double are shown rounded: `--raw` has the bytes. */
function pretty(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return undefined; // not JSON: shown as text
  }
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${printable(line)}\n`)
    .join('');
}

function letterJson(id: string, letter: DeadLetter): Record<string, unknown> {
  const { event, raw, meta, ...rest } = letter;
  const headers = Object.entries(meta.headers ?? {}).map(([name, value]) => [name, bytesText(value)]);
  return {
    id,
    ...rest,
    position: meta.position,
    principal: meta.principal,
    key: meta.key?.toString('base64'),
    headers: Object.fromEntries(headers),
    event: event === undefined ? undefined : Object.fromEntries(attributes(event).map(([n, v]) => [n, jsonValue(v)])),
    dataBase64: event?.data?.toString('base64'),
    structuredBase64: event?.structured?.toString('base64'),
    rawBase64: raw?.toString('base64'),
  };
}

function jsonValue(value: AttributeValue): unknown {
  return Buffer.isBuffer(value) ? value.toString('base64') : value;
}

function bytesText(value: string | Buffer): string {
  if (typeof value === 'string') return value;
  return isUtf8(value) ? value.toString('utf8') : `base64:${value.toString('base64')}`;
}
