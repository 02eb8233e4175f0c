import type { Difference } from './difference.ts';

/** Most differences told of in one body. */
const MOST = 20;
/** Longest value shown, in characters. */
const SHOWN = 200;

/** Where two JSON values differ, place by place. */
export function jsonDifferences(at: string, expected: unknown, actual: unknown): readonly Difference[] {
  const found: Difference[] = [];
  walk(at, expected, actual, found);
  if (found.length <= MOST) return found;
  return [...found.slice(0, MOST), { at, why: `and ${found.length - MOST} more differences` }];
}

function walk(at: string, expected: unknown, actual: unknown, found: Difference[]): void {
  if (Array.isArray(expected) && Array.isArray(actual)) {
    for (let index = 0; index < Math.max(expected.length, actual.length); index += 1) {
      both(`${at}[${index}]`, index < expected.length, expected[index], index < actual.length, actual[index], found);
    }
  } else if (isMap(expected) && isMap(actual)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
      const place = /^[A-Za-z_][\w-]*$/.test(key) ? `${at}.${key}` : `${at}[${JSON.stringify(key)}]`;
      both(place, Object.hasOwn(expected, key), expected[key], Object.hasOwn(actual, key), actual[key], found);
    }
  } else if (expected !== actual) {
    found.push({ at, expected: textOf(expected), actual: textOf(actual) });
  }
}

function both(
  at: string,
  isExpected: boolean,
  expected: unknown,
  is: boolean,
  actual: unknown,
  found: Difference[],
): void {
  if (isExpected && is) walk(at, expected, actual, found);
  else if (isExpected) found.push({ at, expected: textOf(expected) });
  else found.push({ at, actual: textOf(actual) });
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}… (${text.length} characters)`;
}
