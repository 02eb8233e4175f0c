import { z } from 'zod';
import type { Pattern } from '../core/routing.ts';
import { checkPattern, PATTERN_OPERATORS, type PatternFinding } from '../router/check.ts';
import { type Located, pathText } from './finding.ts';
import { didYouMean } from './suggest.ts';

/** For editors: operands are not told apart there, but misspelt operators and forgotten lists are. */
const FORM = {
  type: 'object',
  minProperties: 1,
  properties: {
    $or: {
      type: 'array',
      minItems: 2,
      items: { $ref: '#/definitions/pattern' },
      description: 'Patterns of which one must match.',
    },
  },
  additionalProperties: {
    anyOf: [
      {
        type: 'array',
        minItems: 1,
        items: {
          anyOf: [
            { type: ['string', 'number', 'boolean', 'null'] },
            {
              type: 'object',
              minProperties: 1,
              maxProperties: 1,
              properties: Object.fromEntries(
                Object.entries(PATTERN_OPERATORS).map(([name, description]) => [name, { description }]),
              ),
              additionalProperties: false,
            },
          ],
        },
      },
      { $ref: '#/definitions/pattern' },
    ],
  },
};

/** `when.pattern`. It is read by the router, which knows its language; zod only carries it. */
export const patternSchema: z.ZodType<Pattern, Pattern> = z
  .unknown()
  .superRefine((raw, context) => {
    for (const finding of checkPattern(raw)) {
      if (finding.severity !== 'error') continue;
      const { code, message, path } = finding;
      const at = code === 'E_PATTERN_OPERATOR' || code === 'E_PATTERN_ATTRIBUTE' ? 'key' : 'value';
      context.addIssue({ code: 'custom', path: [...path], message, params: { code, hint: hintOf(finding), at } });
    }
  })
  .meta({ id: 'pattern', ...FORM }) as z.ZodType<Pattern, Pattern>;

/** The risks in a pattern that is otherwise valid. */
export function lintPattern(pattern: Pattern, base: readonly PropertyKey[]): readonly Located[] {
  return checkPattern(pattern)
    .filter(({ severity }) => severity === 'warning')
    .map((finding) => {
      const path = [...base, ...finding.path];
      const { code, message } = finding;
      const at = code === 'W_PATTERN_FIELD' ? 'key' : 'value';
      return { severity: 'warning', code, path, at, message: `${pathText(path)}: ${message}`, hint: hintOf(finding) };
    });
}

function hintOf({ hint, misspelt }: PatternFinding): string | undefined {
  return (misspelt === undefined ? undefined : didYouMean(misspelt.word, misspelt.known)) ?? hint;
}
