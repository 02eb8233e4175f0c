import { z } from 'zod';

/** Names of brokers, sources, targets, policies and routes: they become metric labels, client ids and file names. */
export function entryName(): z.ZodType<string, string> {
  return z.string({ error: 'expected a name' }).regex(/^[a-z0-9][a-z0-9-]{0,62}$/, {
    error: 'expected a name of lower-case letters, digits and "-", at most 63 of them',
  });
}

/** A list of names with at least one entry and none twice. */
export function nameList(what: string): z.ZodType<string[], string[]> {
  return z
    .array(entryName(), { error: `expected a list of ${what}, e.g. [${what.replace(/s$/, '')}-1]` })
    .min(1, { error: `expected at least one of the ${what}` })
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
