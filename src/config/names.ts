import { z } from 'zod';

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** Names of brokers, sources, targets, policies and routes: they become metric labels, client ids and file names. */
export function entryName(): z.ZodType<string, string> {
  return z.string({ error: 'expected a name' }).regex(NAME, {
    error: 'expected a name of lower-case letters, digits and "-", at most 63 of them',
  });
}

/** The name of an entry elsewhere in the file; references.ts checks that it is there. */
export function reference(): z.ZodType<string, string> {
  return z.string({ error: 'expected a name' });
}

/** True for the issue of a text that does not have the form of a name. */
export function isNameIssue(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'invalid_format' && issue.pattern === String(NAME);
}

/** The name that was probably meant, e.g. `eu-readings` for `EU readings`. */
export function properName(text: string): string | undefined {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63);
  return NAME.test(name) ? name : undefined;
}

/** A list of names, none twice. */
export function nameList(what: 'sources' | 'targets' | 'policies', least: 0 | 1 = 1): z.ZodType<string[], string[]> {
  const one = what === 'policies' ? 'policy' : what.slice(0, -1);
  return z
    .array(reference(), { error: `expected a list of ${what}, e.g. [my-${one}]` })
    .min(least, { error: `expected at least one ${one}` })
    .superRefine((names, context) => {
      for (const [index, name] of names.entries()) {
        if (names.indexOf(name) === index) continue;
        context.addIssue({ code: 'custom', path: [index], message: `"${name}" stands in the list a second time` });
      }
    });
}

/** A key that is understood but whose feature this version does not have. */
export function notYet(what: string): z.ZodType<undefined, undefined> {
  return z
    .never({ error: `${what} not available in this version` })
    .optional()
    .describe('Not available in this version.');
}
