import type { AttributeValue } from '../../core/event.ts';

/** What a pattern looks at; a MeshEvent is one. */
export interface Subject {
  attribute(name: string): AttributeValue | undefined;
  readonly datacontenttype: string | undefined;
  /** Undefined: there is no data. */
  readonly data: { readonly length: number } | undefined;
  /** The data as JSON, parsed once; undefined where it is not JSON. */
  json(): unknown;
}

/** Stands for a body that cannot be looked into. */
export const NOT_JSON: unique symbol = Symbol('not JSON');

/**
 * The body as JSON value; undefined where there is no data, which is as if every field were absent. The data is tried as
 * JSON where `datacontenttype` says so or is missing (CloudEvents JSON format §3.1).
 */
export function bodyOf(subject: Subject): unknown {
  const { datacontenttype, data } = subject;
  if (!mayBeJson(datacontenttype)) return NOT_JSON;
  if (data === undefined || data.length === 0) return undefined;
  const value = subject.json();
  return value === undefined ? NOT_JSON : value;
}

/** Whether a media type is JSON (subtype `json`, suffix `+json`) or absent. */
export function mayBeJson(datacontenttype: string | undefined): boolean {
  if (datacontenttype === undefined || datacontenttype === 'application/json') return true;
  const end = datacontenttype.indexOf(';');
  const essence = (end < 0 ? datacontenttype : datacontenttype.slice(0, end)).trim().toLowerCase();
  return essence.includes('/') && (essence.endsWith('/json') || essence.endsWith('+json'));
}
