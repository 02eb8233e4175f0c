import type { z } from 'zod';
import type { ConfigDocument } from './document.ts';
import type { Located } from './finding.ts';
import { valueAt } from './inspect.ts';
import { locate } from './issues.ts';
import { wording } from './wording.ts';

export interface Parsed {
  /** The parsed value, or undefined where there are errors. */
  readonly data: unknown;
  readonly errors: readonly Located[];
}

/**
 * Parses the part of the document at `base`. What came out of a reference is always text; where the schema wants a
 * number or a boolean, it is read as one (`port: ${PORT}`).
 */
export function parsePart(schema: z.ZodType, document: ConfigDocument, base: readonly PropertyKey[]): Parsed {
  const value = valueAt(document.value, base);
  let result = schema.safeParse(value, { error: wording });
  if (!result.success && convert(result.error.issues, value, document, base)) {
    result = schema.safeParse(value, { error: wording });
  }
  if (result.success) return { data: result.data, errors: [] };
  const errors = result.error.issues
    .flatMap((issue) => locate(issue, { schema, value, base }))
    .filter((located) => !document.isBroken(located.path));
  return { data: undefined, errors };
}

function convert(
  issues: readonly z.core.$ZodIssue[],
  value: unknown,
  document: ConfigDocument,
  base: readonly PropertyKey[],
): boolean {
  let changed = false;
  for (const { code, path } of issues.flatMap(withBranches)) {
    const key = path.at(-1);
    if (key === undefined || (code !== 'invalid_type' && code !== 'invalid_union' && code !== 'invalid_value'))
      continue;
    const text = valueAt(value, path);
    if (typeof text !== 'string' || document.origins([...base, ...path]) === undefined) continue;
    const typed =
      text === 'true' ? true : text === 'false' ? false : /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
    if (typed === undefined) continue;
    (valueAt(value, path.slice(0, -1)) as Record<PropertyKey, unknown>)[key] = typed;
    changed = true;
  }
  return changed;
}

/** An issue of a union with those of its branches, which may lie deeper. */
function withBranches(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const inner = issue.errors.flat().map((one) => ({ ...one, path: [...issue.path, ...one.path] }) as z.core.$ZodIssue);
  return [issue, ...inner.flatMap(withBranches)];
}
