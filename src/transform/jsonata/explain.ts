import { TransformFailure } from '../../core/transform.ts';
import type { JsonataProgram } from './program.ts';

/** JSONata's own messages quote values, which must not show; these do not. */
const CAUSES: Readonly<Record<string, string>> = {
  D1001: 'a number is out of range',
  D1002: 'something else than a number is negated',
  D1004: 'a regular expression matches the empty text',
  D1009: 'two values of an object have the same key',
  D2014: 'a range is too long',
  D3001: 'a value is not of a kind that has text',
  D3010: 'the second argument of $replace is empty',
  D3020: 'the third argument of $split is negative',
  D3030: 'a value is not a number',
  D3040: 'the third argument of $match is negative',
  D3050: 'the function given to $reduce takes fewer than two arguments',
  D3070: 'the values to sort are not all texts or all numbers',
  D3110: 'a text is not a time in ISO 8601',
  D3137: '$error was called',
  D3138: '$single found more than one value',
  D3139: '$single found no value',
  D3141: '$assert failed',
  F_EVAL: '$eval is not available',
  F_FUNCTION: 'the result holds a function',
  F_REGEX: 'a regular expression cannot be run in linear time',
  T0410: 'an argument of a function has the wrong type',
  T0411: 'the context has the wrong type for a function',
  T0412: 'an argument of a function is not an array of one type',
  T1003: 'a key of an object is not text',
  T1005: 'something is called that is no function',
  T1006: 'something is called that is no function',
  T2001: 'the left side of an operator is not a number',
  T2002: 'the right side of an operator is not a number',
  T2009: 'two values of different types are compared',
  T2010: 'values are compared that are neither texts nor numbers',
};

/** Codes of JSONata that say a bound was reached. */
const BOUNDS: Readonly<Record<string, string>> = {
  D1011: 'the expression calls itself too deeply',
  D2014: 'the expression builds a range that is too long',
  D2015: 'the expression builds an array that is too long',
};

/** What an evaluation that threw means. Never quotes data. */
export function explain(error: unknown, program: JsonataProgram): TransformFailure {
  const { code, position, token } = error as { code?: unknown; position?: unknown; token?: unknown };
  if (code === 'D1012') {
    return new TransformFailure('E_TRANSFORM_TIMEOUT', `the expression took longer than ${program.timeoutMs} ms`);
  }
  if (error instanceof RangeError) {
    return new TransformFailure('E_TRANSFORM_LIMIT', 'the expression makes a value that is too large or too deep');
  }
  const where = typeof position === 'number' ? ` at character ${position}` : '';
  // A token is an operator or a name of the expression.
  const what = typeof token === 'string' && program.expression.includes(token) ? ` ("${token}")` : '';
  const id = typeof code === 'string' ? code : 'failed';
  const bound = BOUNDS[id];
  if (bound !== undefined) return new TransformFailure('E_TRANSFORM_LIMIT', `${bound} (${id})`);
  const cause = CAUSES[id] ?? 'the expression failed';
  return new TransformFailure('E_TRANSFORM_JSONATA', `${cause}${where}${what} (JSONata ${id})`);
}
