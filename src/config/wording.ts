import type { z } from 'zod';
import { didYouMean } from './suggest.ts';

/** How the sentence of a union ends that has none of its own. */
export const FITS_NONE = 'fits none of the allowed forms';

/** Our sentence for an issue whose field has none of its own; given to zod as the error map of one parse. */
export function wording(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${typeName(issue.expected)}, found ${found(issue.input)}`;
    case 'invalid_value':
      return `expected ${list(issue.values.map(quoted))}, found ${shown(issue.input)}`;
    case 'too_small':
    case 'too_big':
      return bound(issue);
    case 'invalid_union':
      return unionWording(issue);
    case 'not_multiple_of':
      return `expected a multiple of ${issue.divisor}`;
    case 'invalid_format':
      if (issue.format === 'url') return 'expected a URL';
      return issue.pattern === undefined ? `expected ${issue.format}` : `does not have the form ${issue.pattern}`;
    default:
      return undefined;
  }
}

/** The nearest allowed value of an enum. */
export function nearestValue(issue: z.core.$ZodIssue, input: unknown): string | undefined {
  if (issue.code !== 'invalid_value' || typeof input !== 'string') return undefined;
  return didYouMean(input, issue.values.map(String));
}

function unionWording(issue: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidUnion>): string {
  if (issue.discriminator === undefined) return `${found(issue.input)} ${FITS_NONE}`;
  const options = (issue as { options?: readonly unknown[] }).options ?? [];
  const value = (issue.input as Record<string, unknown> | undefined)?.[issue.discriminator];
  return `expected ${list(options.map(quoted))}, found ${shown(value)}`;
}

function bound(
  issue: z.core.$ZodRawIssue<z.core.$ZodIssueTooSmall> | z.core.$ZodRawIssue<z.core.$ZodIssueTooBig>,
): string {
  const small = issue.code === 'too_small';
  const limit = String(small ? issue.minimum : issue.maximum);
  const exclusive = issue.inclusive === false;
  switch (issue.origin) {
    case 'string':
      return small && limit === '1'
        ? 'expected text that is not empty'
        : `expected at ${small ? 'least' : 'most'} ${limit} characters`;
    case 'array':
    case 'set':
    case 'map':
      return `expected at ${small ? 'least' : 'most'} ${limit} ${limit === '1' ? 'entry' : 'entries'}`;
    default:
      if (exclusive) return `expected a number ${small ? 'above' : 'below'} ${limit}, found ${found(issue.input)}`;
      return `expected a number of at ${small ? 'least' : 'most'} ${limit}, found ${found(issue.input)}`;
  }
}

function typeName(expected: string): string {
  const names: Readonly<Record<string, string>> = {
    string: 'text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    object: 'a map of fields',
    record: 'a map',
    array: 'a list',
  };
  return names[expected] ?? expected;
}

/** What stands there, without quoting text: it may be a secret. */
function found(input: unknown): string {
  if (input === undefined) return 'nothing';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object') return 'a map';
  return typeof input === 'string' ? 'text' : String(input);
}

/** For values out of a short list, which are no secrets. */
function shown(input: unknown): string {
  return typeof input === 'string' && input.length <= 40 ? quoted(input) : found(input);
}

function quoted(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : String(value);
}

function list(values: readonly string[]): string {
  return values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}
