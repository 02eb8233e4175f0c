import type { z } from 'zod';
import { type Located, pathText } from './finding.ts';
import { branches, schemasAt, shapeOf, unwrap, valueAt } from './inspect.ts';
import { isNameIssue, properName } from './names.ts';
import { FILTER_DIALECTS } from './route.ts';
import { didYouMean } from './suggest.ts';
import { FITS_NONE, nearestValue } from './wording.ts';

/** Where the parsed value stands in the whole document. */
export interface Frame {
  readonly schema: z.ZodType;
  readonly value: unknown;
  readonly base: readonly PropertyKey[];
}

/** What a zod issue says to the person who wrote the file. */
export function locate(issue: z.core.$ZodIssue, frame: Frame): readonly Located[] {
  const path = [...frame.base, ...issue.path];
  const input = valueAt(frame.value, issue.path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, path, issue.path, frame));
    case 'invalid_key':
      return [
        error('E_CONFIG_NAME', path, issue.issues[0]?.message ?? issue.message, 'key', rename(String(path.at(-1)))),
      ];
    case 'invalid_union':
      return branchIssues(issue, frame, path, input);
    case 'invalid_type':
      if (issue.expected === 'never') return [error('E_CONFIG_NOT_AVAILABLE', path, issue.message, 'key')];
      if (input === undefined) return [missing(path, issue.message)];
      return [error('E_CONFIG_TYPE', path, issue.message)];
    case 'invalid_value':
      if (input === undefined) return [missing(path, issue.message)];
      return [error('E_CONFIG_VALUE', path, issue.message, 'value', nearestValue(issue, input))];
    case 'custom':
      return [
        error(
          typeof issue.params?.['code'] === 'string' ? issue.params['code'] : 'E_CONFIG_VALUE',
          path,
          issue.message,
          issue.params?.['at'] === 'key' ? 'key' : 'value',
          typeof issue.params?.['hint'] === 'string' ? issue.params['hint'] : undefined,
        ),
      ];
    case 'invalid_format':
      if (isNameIssue(issue)) return [error('E_CONFIG_NAME', path, issue.message, 'value', rename(String(input)))];
      return [error('E_CONFIG_VALUE', path, issue.message)];
    default:
      return [error('E_CONFIG_VALUE', path, issue.message)];
  }
}

function error(
  code: string,
  path: readonly PropertyKey[],
  message: string,
  at: 'key' | 'value' = 'value',
  hint?: string,
): Located {
  return { severity: 'error', code, path, at, message: `${pathText(path)}: ${message}`, hint };
}

function rename(text: string): string | undefined {
  const name = properName(text);
  return name === undefined ? undefined : `write "${name}"`;
}

function missing(path: readonly PropertyKey[], message: string): Located {
  const expected = /^expected (.*?)(?:, found nothing)?$/.exec(message)?.[1];
  return {
    severity: 'error',
    code: 'E_CONFIG_MISSING',
    path,
    at: 'key',
    message: `${pathText(path.slice(0, -1))} lacks "${String(path.at(-1))}"${expected === undefined ? '' : ` (${expected})`}`,
  };
}

function unknownKey(key: string, path: readonly PropertyKey[], local: readonly PropertyKey[], frame: Frame): Located {
  const candidates = new Set<string>();
  for (const schema of schemasAt(frame.schema, local, frame.value)) {
    for (const branch of branches(schema, valueAt(frame.value, local))) {
      for (const [name, field] of Object.entries(shapeOf(branch) ?? {})) if (isAvailable(field)) candidates.add(name);
    }
  }
  const inFilter = candidates.has('exact') && candidates.has('prefix');
  const hint =
    didYouMean(key, candidates) ?? (candidates.size === 0 ? undefined : `known: ${[...candidates].join(', ')}`);
  const what = inFilter ? `"${key}" is not a filter dialect` : `${pathText(path)} has no field "${key}"`;
  return {
    severity: 'error',
    code: inFilter ? 'E_CONFIG_FILTER_DIALECT' : 'E_CONFIG_UNKNOWN_KEY',
    path: [...path, key],
    at: 'key',
    message: what,
    hint: inFilter ? (didYouMean(key, FILTER_DIALECTS) ?? `known: ${FILTER_DIALECTS.join(', ')}`) : hint,
  };
}

function isAvailable(field: z.core.$ZodType): boolean {
  return unwrap(field).schema._zod.def.type !== 'never';
}

/** A union without a sentence of its own speaks through the branch that came furthest. */
function branchIssues(
  issue: z.core.$ZodIssueInvalidUnion,
  frame: Frame,
  path: readonly PropertyKey[],
  input: unknown,
): readonly Located[] {
  if (input === undefined) return [missing(path, issue.message)];
  if (!issue.message.endsWith(FITS_NONE)) return [error('E_CONFIG_VALUE', path, issue.message)];
  const entered = issue.errors.filter(
    (errors) => !errors.some((inner) => inner.path.length === 0 && inner.code === 'invalid_type'),
  );
  const [best] = [...entered].sort((a, b) => a.length - b.length);
  if (best === undefined) return [error('E_CONFIG_VALUE', path, issue.message)];
  return best.flatMap((inner) => locate({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue, frame));
}
