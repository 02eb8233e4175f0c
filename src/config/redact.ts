import type { z } from 'zod';
import { formatBytes, formatDuration } from '../adapters/fields.ts';
import { alternatives, childSchemas, unwrap } from './inspect.ts';

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
  return show(alternatives(schema, value), value, fromFile, path);
}

/** Where a union leaves open which schema holds, a value is hidden when it is a secret under any. */
function show(
  schemas: readonly z.core.$ZodType[],
  value: unknown,
  fromFile: (path: readonly PropertyKey[]) => boolean,
  path: readonly PropertyKey[],
): unknown {
  if (value === undefined || value === null) return value;
  const kinds = schemas.map((schema) => unwrap(schema).kind);
  if (kinds.includes('secret') || (typeof value === 'string' && fromFile(path))) return REDACTED;
  if (typeof value === 'string') return redactUrl(value);
  if (typeof value === 'number' && kinds.includes('duration')) return formatDuration(value);
  if (typeof value === 'number' && kinds.includes('byteSize')) return formatBytes(value);
  if (typeof value !== 'object') return value;
  if (!isPlain(value)) return redactUrl(String(value));
  const inner = (key: PropertyKey, child: unknown): unknown => {
    const below = schemas
      .flatMap((schema) => childSchemas(schema, key, value))
      .flatMap((one) => alternatives(one, child));
    return show(below, child, fromFile, [...path, key]);
  };
  if (Array.isArray(value)) return value.map((item, index) => inner(index, item));
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, inner(key, child)]));
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}
