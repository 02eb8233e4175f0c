import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { buildEvent } from '../cloudevents/attributes.ts';
import { codeOf } from '../core/errors.ts';
import { type AttributeValue, type MeshEvent, newExtensions } from '../core/event.ts';
import { EXIT, ExitError } from './exit.ts';

/** What the options of `fairlead publish` say of the events. */
export interface EventOptions {
  readonly type: string;
  readonly source: string;
  readonly subject?: string;
  readonly ext?: readonly string[];
  readonly data?: string;
  readonly contentType?: string;
}

/** Makes events, each with an id of its own and the time it was made; they share the data. */
export function eventMaker(options: EventOptions): () => MeshEvent {
  const data = readData(options.data);
  const contentType = options.contentType ?? (data === undefined ? undefined : contentTypeOf(data));
  return () => {
    const attributes: Record<string, AttributeValue> = newExtensions();
    Object.assign(attributes, { specversion: '1.0', id: randomUUID(), source: options.source, type: options.type });
    attributes['time'] = new Date().toISOString();
    if (options.subject !== undefined) attributes['subject'] = options.subject;
    if (contentType !== undefined) attributes['datacontenttype'] = contentType;
    for (const pair of options.ext ?? [])
      attributes[pair.slice(0, pair.indexOf('='))] = pair.slice(pair.indexOf('=') + 1);
    return buildEvent(attributes, data);
  };
}

/** `-` is stdin, `@file` a file, anything else the text itself. */
function readData(data: string | undefined): Buffer | undefined {
  if (data === undefined) return undefined;
  if (data !== '-' && !data.startsWith('@')) return Buffer.from(data, 'utf8');
  const file = data === '-' ? 0 : data.slice(1);
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ExitError(EXIT.usage, `cannot read ${file === 0 ? 'stdin' : file}: ${codeOf(error) ?? String(error)}`);
  }
}

function contentTypeOf(data: Buffer): string {
  if (!isUtf8(data)) return 'application/octet-stream';
  try {
    JSON.parse(data.toString('utf8'));
    return 'application/json';
  } catch {
    return 'text/plain; charset=utf-8'; // not JSON, but text
  }
}
