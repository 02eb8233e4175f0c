import { isDeepStrictEqual } from 'node:util';

/**
 * Whether two values of a configuration say the same. Unlike `isDeepStrictEqual` it takes a map without a prototype for a
 * plain one, and a field that is undefined for one that is not there: both differ by how a configuration was made.
 */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, at) => same(item, b[at]));
  if (!isMap(a) || !isMap(b)) return isDeepStrictEqual(a, b);
  for (const key in a) if (!same(a[key], b[key])) return false;
  for (const key in b) if (!Object.hasOwn(a, key) && b[key] !== undefined) return false;
  return true;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
