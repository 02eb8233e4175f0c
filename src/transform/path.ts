import { FairleadError } from '../core/errors.ts';

/** The way to a field of JSON data: names of members, places in arrays, `*` for every element or member. */
export type FieldPath = readonly string[];

const MAX_SEGMENTS = 64;

/** Reads `order.items.0.price`; `\.` is a dot inside a name, `\\` a backslash. Throws `E_TRANSFORM_PATH`. */
export function parsePath(text: string): FieldPath {
  const segments: string[] = [''];
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] as string;
    if (char === '.') {
      segments.push('');
      continue;
    }
    if (char === '\\') at += 1;
    if (at >= text.length) throw mistake(text, 'ends in a backslash');
    segments[segments.length - 1] += text[at] as string;
  }
  if (segments.includes('')) throw mistake(text, 'has an empty name');
  if (segments.length > MAX_SEGMENTS) throw mistake(text, `is deeper than ${MAX_SEGMENTS}`);
  return segments;
}

/** Whether a path stands for many fields. */
export function isWild(path: FieldPath): boolean {
  return path.includes('*');
}

/** The path behind `data.`, or of the data itself for `data`. */
export function parseDataPath(text: string): FieldPath {
  if (text === 'data') return [];
  if (!text.startsWith('data.')) throw mistake(text, 'does not begin with "data"');
  return parsePath(text.slice('data.'.length));
}

function mistake(text: string, what: string): FairleadError {
  return new FairleadError({ code: 'E_TRANSFORM_PATH', message: `the path "${text}" ${what}` });
}
