import type { AttributeValue } from '../../core/event.ts';
import { isJson } from '../../core/media-type.ts';

/** What a pattern looks at; a MeshEvent is one. */
export interface Subject {
  attribute(name: string): AttributeValue | undefined;
  readonly datacontenttype: string | undefined;
  /** The bytes of the data. Without them `json()` is the data, or there is none. */
  readonly data: Buffer | undefined;
  /** The data as JSON, parsed once; undefined where it is not JSON or there is none. */
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
  if (datacontenttype !== undefined && !isJson(datacontenttype)) return NOT_JSON;
  if (data !== undefined && data.length === 0) return undefined;
  const value = subject.json();
  return value === undefined && data !== undefined ? NOT_JSON : value;
}
