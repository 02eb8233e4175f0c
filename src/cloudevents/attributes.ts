import { FairleadError } from '../core/errors.ts';
import { type AttributeValue, MeshEvent, newExtensions } from '../core/event.ts';
import { isAsciiText, isInt32, isName, isRfc3339, isText } from './values.ts';

/** The attributes of one event while a binding reads them, in any order; {@link setAttribute} fills it, {@link finish} makes the event. */
export interface Draft {
  specversion: boolean;
  id: string | undefined;
  source: string | undefined;
  type: string | undefined;
  subject: string | undefined;
  time: string | undefined;
  datacontenttype: string | undefined;
  dataschema: string | undefined;
  extensions: Record<string, AttributeValue> | undefined;
}

export function newDraft(): Draft {
  return {
    specversion: false,
    id: undefined,
    source: undefined,
    type: undefined,
    subject: undefined,
    time: undefined,
    datacontenttype: undefined,
    dataschema: undefined,
    extensions: undefined,
  };
}

/**
 * Validates one attribute (CloudEvents 1.0.2 §3) and puts it into the draft. `checked` says that a string is known to be
 * printable ASCII, which saves a second look at its characters. Throws `E_CE_DUPLICATE`, `E_CE_INVALID_ATTRIBUTE`, `E_CE_SPECVERSION`.
 */
export function setAttribute(draft: Draft, name: string, value: AttributeValue, checked = false): void {
  switch (name) {
    case 'id':
      draft.id = text(name, draft.id, value, checked);
      return;
    case 'source':
      draft.source = uri(name, draft.source, value, checked);
      return;
    case 'type':
      draft.type = text(name, draft.type, value, checked);
      return;
    case 'specversion':
      if (draft.specversion) throw duplicate(name);
      if (value !== '1.0') throw new FairleadError({ code: 'E_CE_SPECVERSION', message: 'specversion is not "1.0"' });
      draft.specversion = true;
      return;
    case 'subject':
      draft.subject = text(name, draft.subject, value, checked);
      return;
    case 'time':
      draft.time = text(name, draft.time, value, true);
      if (!isRfc3339(draft.time)) throw invalid(name, 'is not an RFC 3339 timestamp');
      return;
    case 'datacontenttype':
      draft.datacontenttype = mediaType(draft.datacontenttype, value);
      return;
    case 'dataschema':
      draft.dataschema = uri(name, draft.dataschema, value, checked);
      return;
    default:
      setExtension(draft, name, value, checked);
  }
}

/** The event of a complete draft. Throws `E_CE_MISSING` where a required attribute is absent. */
export function finish(draft: Draft, data: Buffer | undefined, structured?: Buffer): MeshEvent {
  const { id, source, type } = draft;
  if (!draft.specversion || id === undefined || source === undefined || type === undefined) throw missing(draft);
  return new MeshEvent({
    id,
    source,
    type,
    subject: draft.subject,
    time: draft.time,
    datacontenttype: draft.datacontenttype,
    dataschema: draft.dataschema,
    extensions: draft.extensions,
    data,
    structured,
  });
}

/**
 * Makes an event of lower-case names and values, `specversion` included. Nothing is invented, rewritten or normalised.
 * Throws {@link FairleadError} `E_CE_MISSING`, `E_CE_INVALID_ATTRIBUTE` or `E_CE_SPECVERSION`; values are never printed.
 */
export function buildEvent(
  attributes: Record<string, AttributeValue>,
  data: Buffer | undefined,
  structured?: Buffer,
): MeshEvent {
  const draft = newDraft();
  for (const name in attributes) setAttribute(draft, name, attributes[name] as AttributeValue);
  return finish(draft, data, structured);
}

/** The canonical string of a value (CloudEvents 1.0.2 §3.1): `true`, digits, base64 or the text itself. */
export function canonical(value: AttributeValue): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' ? value.toString('base64') : String(value);
}

/** Calls `fn` with every attribute that is present, except `datacontenttype`, for which each binding has its own place. */
export function forEachAttribute(event: MeshEvent, fn: (name: string, value: AttributeValue) => void): void {
  fn('specversion', '1.0');
  fn('id', event.id);
  fn('source', event.source);
  fn('type', event.type);
  if (event.subject !== undefined) fn('subject', event.subject);
  if (event.time !== undefined) fn('time', event.time);
  if (event.dataschema !== undefined) fn('dataschema', event.dataschema);
  const { extensions } = event;
  for (const name in extensions) fn(name, extensions[name] as AttributeValue);
}

/** Two of the same attribute: which one counts would be a guess. */
export function duplicate(name: string): FairleadError {
  return new FairleadError({ code: 'E_CE_DUPLICATE', message: `${label(name)} is given twice` });
}

export function invalid(name: string, what: string): FairleadError {
  return new FairleadError({ code: 'E_CE_INVALID_ATTRIBUTE', message: `${label(name)} ${what}` });
}

/** Throws `E_CE_INVALID_ATTRIBUTE` unless the name is `[a-z0-9]+` and not `data`. */
export function checkName(name: string): void {
  if (!isName(name)) throw invalid(name, 'is not an attribute name (lower-case letters and digits)');
  if (name === 'data') throw invalid(name, 'is reserved and cannot be an attribute');
}

function setExtension(draft: Draft, name: string, value: AttributeValue, checked: boolean): void {
  checkName(name);
  draft.extensions ??= newExtensions();
  if (draft.extensions[name] !== undefined) throw duplicate(name);
  if (typeof value === 'string') {
    if (!checked && !isText(value)) throw invalid(name, CHARACTERS);
  } else if (typeof value === 'number') {
    if (!isInt32(value)) throw invalid(name, 'is not a 32-bit integer');
  } else if (typeof value !== 'boolean' && !Buffer.isBuffer(value)) {
    throw invalid(name, 'is not a boolean, an integer, a string or bytes');
  }
  draft.extensions[name] = value;
}

const CHARACTERS = 'has characters that a CloudEvents string cannot have (control characters, lone surrogates)';

function text(name: string, before: string | undefined, value: AttributeValue, checked: boolean): string {
  if (before !== undefined) throw duplicate(name);
  if (typeof value !== 'string') throw invalid(name, 'is not a string');
  if (value === '') throw invalid(name, 'is empty');
  if (!checked && !isText(value)) throw invalid(name, CHARACTERS);
  return value;
}

/** RFC 3986 is not enforced beyond what would break a header or a line: real sources are often not quite URIs. */
function uri(name: string, before: string | undefined, value: AttributeValue, checked: boolean): string {
  const found = text(name, before, value, checked);
  if (found.includes(' ')) throw invalid(name, 'is not a URI reference (it has a space)');
  return found;
}

function mediaType(before: string | undefined, value: AttributeValue): string {
  const found = text('datacontenttype', before, value, true);
  if (!isAsciiText(found) || found.startsWith(' ') || found.endsWith(' ')) {
    throw invalid('datacontenttype', 'is not a media type (RFC 2046)');
  }
  return found;
}

function missing(draft: Draft): FairleadError {
  const names: string[] = [];
  if (!draft.specversion) names.push('specversion');
  for (const name of ['id', 'source', 'type'] as const) if (draft[name] === undefined) names.push(name);
  const what = `required attribute${names.length > 1 ? 's' : ''} ${names.join(', ')} missing`;
  return new FairleadError({ code: 'E_CE_MISSING', message: what });
}

/** A name as it may stand in a log line, whatever it was made of. */
function label(name: string): string {
  const short = name.length > 40 ? `${name.slice(0, 40)}…` : name;
  return isAsciiText(short) ? `attribute "${short}"` : `attribute ${JSON.stringify(short)}`;
}
