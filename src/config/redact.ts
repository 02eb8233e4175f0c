import type { z } from 'zod';
import { formatBytes, formatDuration } from '../adapters/fields.ts';
import { branches, childSchemas, unwrap } from './inspect.ts';

/** What stands in place of a secret. */
export const REDACTED = '***';

const USERINFO = /([a-z][a-z0-9+.-]*:\/\/)[^/?#\s"']*@/gi;

/** URLs in a text without their user name and password. */
export function redactUrl(text: string): string {
  return text.replace(USERINFO, `$1${REDACTED}@`);
}

/** What stands between `://` and `@` in the URLs of a text. */
export function userinfo(text: string): readonly string[] {
  return Array.from(text.matchAll(USERINFO), ([match, scheme]) => match.slice((scheme as string).length, -1)).filter(
    (user) => user.length > 2,
  );
}

/**
 * A parsed value as it may be shown: secrets and what was read from files as `***`, URLs without their user, durations
 * and sizes as text again. `fromFile` tells which paths were read from files.
 */
export function presentable(
  schema: z.core.$ZodType,
  value: unknown,
  fromFile: (path: readonly PropertyKey[]) => boolean,
  path: readonly PropertyKey[] = [],
): unknown {
  const { kind } = unwrap(schema);
  if (value === undefined || value === null) return value;
  if (kind === 'secret' || (typeof value === 'string' && fromFile(path))) return REDACTED;
  if (typeof value === 'number' && kind === 'duration') return formatDuration(value);
  if (typeof value === 'number' && kind === 'byteSize') return formatBytes(value);
  if (typeof value === 'string') return redactUrl(value);
  if (typeof value !== 'object') return value;
  if (!isPlain(value)) return redactUrl(String(value));
  const inner = (key: PropertyKey, child: unknown): unknown => {
    const [first, ...rest] = candidates(schema, key, value, child);
    if (first === undefined) return plain(child, fromFile, [...path, key]);
    // An open union: hidden when it is a secret under any branch.
    const hidden = rest.find((other) => unwrap(other).kind === 'secret');
    return presentable(hidden ?? first, child, fromFile, [...path, key]);
  };
  if (Array.isArray(value)) return value.map((item, index) => inner(index, item));
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, inner(key, child)]));
}

function candidates(
  schema: z.core.$ZodType,
  key: PropertyKey,
  value: unknown,
  child: unknown,
): readonly z.core.$ZodType[] {
  return childSchemas(schema, key, value).flatMap((one) =>
    unwrap(one).kind === undefined ? branches(one, child) : [one],
  );
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}

function plain(
  value: unknown,
  fromFile: (path: readonly PropertyKey[]) => boolean,
  path: readonly PropertyKey[],
): unknown {
  if (typeof value === 'string') return fromFile(path) ? REDACTED : redactUrl(value);
  if (typeof value !== 'object' || value === null) return value;
  if (!isPlain(value)) return redactUrl(String(value));
  if (Array.isArray(value)) return value.map((item, index) => plain(item, fromFile, [...path, index]));
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, plain(child, fromFile, [...path, key])]));
}
