import type { CesqlValue, Type } from './ast.ts';
import { Failure } from './failure.ts';
import { lengthOf, offsetFromEnd, offsetOf, trimmed } from './text.ts';

/** A built-in function of CESQL §3.5, for one number of arguments. */
export interface CesqlFunction {
  /** What the arguments are cast to; the last goes for all further ones. */
  readonly parameters: readonly Type[];
  readonly returns: Type;
  /** Gets the arguments cast. */
  readonly call: (args: readonly CesqlValue[]) => CesqlValue | Failure;
}

/** Longest text that a function makes, so that a small expression cannot fill the memory. */
const MAX_TEXT = 2 ** 20;
const TOO_LONG = new Failure('functionEvaluation', `a text of more than ${MAX_TEXT} characters would be made`, '');
const OUTSIDE = new Failure('functionEvaluation', 'SUBSTRING: the position is outside the text', '');
const NEGATIVE_LENGTH = new Failure('functionEvaluation', 'SUBSTRING: the length is negative', '');
const LEAST = -2147483648;
const ABS_OVERFLOW = new Failure('math', 'ABS: 2147483648 is not an Integer', 2147483647);

const STRING: readonly Type[] = ['string'];

/** By name and number of arguments; a name alone is a function of any number. */
const FUNCTIONS: ReadonlyMap<string, CesqlFunction> = new Map(
  Object.entries({
    // A cast of the argument is all they do.
    'INT/1': define(['integer'], 'integer', (value: number) => value),
    'BOOL/1': define(['boolean'], 'boolean', (value: boolean) => value),
    'STRING/1': define(STRING, 'string', (value: string) => value),

    'ABS/1': define(['integer'], 'integer', (value: number) => (value === LEAST ? ABS_OVERFLOW : Math.abs(value))),
    'LENGTH/1': define(STRING, 'integer', lengthOf),
    'LOWER/1': define(STRING, 'string', (text: string) => bounded(text.toLowerCase())),
    'UPPER/1': define(STRING, 'string', (text: string) => bounded(text.toUpperCase())),
    'TRIM/1': define(STRING, 'string', trimmed),
    'LEFT/2': define(['string', 'integer'], 'string', left),
    'RIGHT/2': define(['string', 'integer'], 'string', right),
    'SUBSTRING/2': define(['string', 'integer'], 'string', substring),
    'SUBSTRING/3': define(['string', 'integer', 'integer'], 'string', substring),
    CONCAT: define(STRING, 'string', (...texts: string[]) => joined('', texts)),
    CONCAT_WS: define(STRING, 'string', (delimiter: string, ...texts: string[]) => joined(delimiter, texts)),
  }),
);

/** The function of that upper-case name for that many arguments, or undefined. */
export function functionOf(name: string, count: number): CesqlFunction | undefined {
  if (name === 'CONCAT_WS' && count === 0) return undefined;
  return FUNCTIONS.get(`${name}/${count}`) ?? FUNCTIONS.get(name);
}

/** How each function may be called, e.g. `SUBSTRING(x, pos)`: for hints. */
export const SIGNATURES: readonly string[] = [
  'INT(x)',
  'BOOL(x)',
  'STRING(x)',
  'ABS(x)',
  'LENGTH(x)',
  'LOWER(x)',
  'UPPER(x)',
  'TRIM(x)',
  'LEFT(x, n)',
  'RIGHT(x, n)',
  'SUBSTRING(x, pos)',
  'SUBSTRING(x, pos, len)',
  'CONCAT(x, …)',
  'CONCAT_WS(delimiter, x, …)',
];

function define<A extends readonly (CesqlValue | undefined)[]>(
  parameters: readonly Type[],
  returns: Type,
  body: (...args: A) => CesqlValue | Failure,
): CesqlFunction {
  return { parameters, returns, call: (args) => body(...(args as unknown as A)) };
}

function left(text: string, count: number): string | Failure {
  return count < 0 ? negativeCount('LEFT', text) : text.slice(0, offsetOf(text, count));
}

function right(text: string, count: number): string | Failure {
  return count < 0 ? negativeCount('RIGHT', text) : text.slice(offsetFromEnd(text, count));
}

function negativeCount(name: string, text: string): Failure {
  return new Failure('functionEvaluation', `${name}: the number of characters is negative`, text);
}

/** Positions count from 1, or from the end where negative; 0 gives the empty text. */
function substring(text: string, position: number, count?: number): string | Failure {
  if (count !== undefined && count < 0) return NEGATIVE_LENGTH;
  if (position === 0) return '';
  const length = lengthOf(text);
  if (position > length || position < -length) return OUTSIDE;
  const from = position > 0 ? offsetOf(text, position - 1) : offsetFromEnd(text, -position);
  const rest = text.slice(from);
  return count === undefined ? rest : rest.slice(0, offsetOf(rest, count));
}

function joined(delimiter: string, texts: readonly string[]): string | Failure {
  const gaps = Math.max(0, texts.length - 1) * delimiter.length;
  if (texts.reduce((sum, text) => sum + text.length, gaps) > MAX_TEXT) return TOO_LONG;
  return texts.join(delimiter);
}

function bounded(text: string): string | Failure {
  return text.length > MAX_TEXT ? TOO_LONG : text;
}
