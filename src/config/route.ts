import { z } from 'zod';
import { duration } from '../adapters/fields.ts';
import type { Pattern } from '../core/routing.ts';
import { checkCesql } from '../router/check.ts';
import { type ActiveFields, activeSchema, sampleSchema } from './active.ts';
import { conditionText } from './condition.ts';
import { entryName, nameList, reference } from './names.ts';
import { patternSchema } from './pattern.ts';
import { type RouteSchemaFields, routeSchemaField } from './route-schemas.ts';
import { type TransformFields, transformSchema } from './transform.ts';
import type { Filter, UnmatchedConfig } from './types.ts';

/** The dialects a filter may use, for did-you-mean. */
export const FILTER_DIALECTS: readonly string[] = ['exact', 'prefix', 'suffix', 'all', 'any', 'not', 'sql'];

const attributes = (what: string): z.ZodType<Record<string, string> | undefined, Record<string, string> | undefined> =>
  z
    .record(
      z.string().regex(/^[a-z0-9]+$/, { error: 'expected the name of an attribute (lower-case letters and digits)' }),
      z.string({ error: 'expected text; put numbers and booleans in quotes' }),
      { error: 'expected attributes with their values, e.g. { type: com.acme.reading }' },
    )
    .optional()
    .describe(what);

const sql = z
  .string({ error: 'expected an expression, e.g. "type = \'com.acme.reading\' AND hop < 5"' })
  .superRefine((text, context) => {
    for (const finding of checkCesql(text)) {
      if (finding.severity !== 'error') continue;
      const { code, hint } = finding;
      context.addIssue({ code: 'custom', message: conditionText(text, finding), params: { code, hint } });
    }
  });

const filter: z.ZodType<Filter, Filter> = z
  .lazy(() =>
    z.strictObject(
      {
        exact: attributes('Attributes that must have exactly these values.'),
        prefix: attributes('Attributes that must begin with these values.'),
        suffix: attributes('Attributes that must end with these values.'),
        all: z
          .array(filter, { error: 'expected a list of filters' })
          .optional()
          .describe('Filters that must all pass.'),
        any: z
          .array(filter, { error: 'expected a list of filters' })
          .min(1, { error: 'expected at least one filter: with none, nothing would pass' })
          .optional()
          .describe('Filters of which one must pass.'),
        not: filter
          .optional()
          .describe('A filter that must not pass. A missing attribute fails a filter, so it passes here.'),
        sql: sql
          .optional()
          .describe('An expression of CESQL 1.0 that must be true. An error, such as a missing attribute, fails it.'),
      },
      { error: 'expected a filter such as { exact: { type: com.acme.reading } }' },
    ),
  )
  .meta({ id: 'filter' }) as z.ZodType<Filter, Filter>;

const deadLetter = z
  .strictObject(
    {
      store: z.boolean().default(true).describe('Keep failed events in the local dead-letter store.'),
      target: reference()
        .optional()
        .describe('A target that is sent the failed event, wrapped in a CloudEvent with the cause.'),
    },
    { error: 'expected dead-letter settings, e.g. { store: true }' },
  )
  .refine(({ store, target }) => store || target !== undefined, {
    error: 'false needs a target, else failed events would be lost',
    path: ['store'],
  });

interface RouteFields {
  name: string;
  from: string[];
  when?: { filters?: Filter[] | undefined; pattern?: Pattern | undefined } | undefined;
  to: string[];
  continue: boolean;
  state: 'active' | 'paused' | 'disabled';
  active?: ActiveFields | undefined;
  sample?: number | undefined;
  transform?: TransformFields | TransformFields[] | undefined;
  schema?: RouteSchemaFields | undefined;
  delivery?:
    | {
        retry?: number | undefined;
        timeout?: number | undefined;
        deadLetter?: { store: boolean; target?: string | undefined } | undefined;
      }
    | undefined;
}

/** One entry of `routes`. */
export const routeSchema: z.ZodType<RouteFields> = z.strictObject({
  name: entryName().describe('Unique name, used in metrics, dead letters and traces.'),
  from: nameList('sources').describe('The sources whose events this route looks at.'),
  when: z
    .strictObject({
      filters: z
        .array(filter, { error: 'expected a list of filters, e.g. [{ exact: { type: com.acme.reading } }]' })
        .optional()
        .describe('Filters on attributes that must all pass.'),
      pattern: patternSchema
        .optional()
        .describe('A pattern that attributes and body must match. See docs/guide/patterns.md.'),
    })
    .optional()
    .describe('The condition; without it every event matches.'),
  schema: routeSchemaField,
  transform: transformSchema
    .optional()
    .describe(
      'What is made of the event before it is sent: a step, or a list of steps in order. See docs/guide/transforms.md.',
    ),
  to: nameList('targets').describe(
    'Targets and choices; each gets the event (one leg per entry). Of a choice one target does, chosen for each attempt.',
  ),
  continue: z.boolean().default(true).describe('Whether later routes are looked at after this one has matched.'),
  delivery: z
    .strictObject({
      retry: z
        .int()
        .min(0)
        .max(1_000)
        .optional()
        .describe("Attempts after the first, instead of the target's policies'."),
      timeout: duration({ minMs: 1 }).optional().describe("Bound of one send, instead of the target's policies'."),
      deadLetter: deadLetter.optional().describe('Where events go that could not be delivered.'),
    })
    .optional()
    .describe("Overrides of the targets' policies for this route."),
  state: z
    .enum(['active', 'paused', 'disabled'])
    .default('active')
    .describe('`paused` holds the legs of matching events; `disabled` is as if the route were not there.'),
  active: activeSchema,
  sample: sampleSchema,
});

export const unmatchedSchema: z.ZodType<UnmatchedConfig> = z
  .union(
    [
      z.enum(['dead-letter', 'drop', 'fail']),
      z.strictObject({ to: nameList('targets').describe('Targets and choices.') }),
    ],
    {
      error: 'expected dead-letter, drop, fail or { to: [target] }',
    },
  )
  .default('dead-letter')
  .describe(
    'What becomes of an event that no route matches: kept as a dead letter, dropped and counted, given back to the source (`fail`), or sent to targets and choices.',
  );
