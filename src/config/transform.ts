import { z } from 'zod';
import { byteSize, duration } from '../adapters/fields.ts';
import type { TransformStep } from '../core/transform.ts';
import { checkStep } from '../transform/check.ts';

/** A step as its schema gives it. */
export interface TransformFields {
  readonly set?: Record<string, string | number | boolean> | undefined;
  readonly rename?: Record<string, string> | undefined;
  readonly remove?: string[] | undefined;
  readonly data?:
    | {
        readonly set?: Record<string, unknown> | undefined;
        readonly rename?: Record<string, string> | undefined;
        readonly remove?: string[] | undefined;
        readonly jsonata?: string | undefined;
        readonly timeout?: number | undefined;
        readonly maxBytes?: number | undefined;
      }
    | undefined;
  readonly split?: string | undefined;
}

const names = (what: string): z.ZodType<Record<string, string> | undefined, Record<string, string> | undefined> =>
  z
    .record(z.string(), z.string({ error: 'expected the new name' }), {
      error: 'expected new names by old name, e.g. { old: new }',
    })
    .optional()
    .describe(what);

const list = (what: string): z.ZodType<string[] | undefined, string[] | undefined> =>
  z
    .array(z.string({ error: 'expected a name' }), { error: 'expected a list of names, e.g. [note]' })
    .optional()
    .describe(what);

const data = z.strictObject(
  {
    set: z
      .record(z.string(), z.unknown(), { error: 'expected values by path, e.g. { site: "{subject}" }' })
      .optional()
      .describe(
        'Fields by path (`order.total`, `items.0.price`) with their new values. Text is a template; `{data.x}` alone copies a field with its type.',
      ),
    rename: names('Fields that are moved: new path by old path. What is absent is passed over.'),
    remove: list('Paths of fields that are dropped; `*` stands for every element or member.'),
    jsonata: z
      .string({ error: 'expected an expression, e.g. "{ \\"celsius\\": (f - 32) * 5 / 9 }"' })
      .optional()
      .describe('A JSONata expression whose value becomes the data. `$event` holds the attributes.'),
    timeout: duration({ minMs: 10, maxMs: 30_000 })
      .optional()
      .describe('Bound of one evaluation of `jsonata`; default 1s. An event that exceeds it is dead-lettered.'),
    maxBytes: byteSize({ min: 1, max: 64 * 2 ** 20 })
      .optional()
      .describe('Largest result of `jsonata`; default 1MiB.'),
  },
  { error: 'expected what to do with the data, e.g. { remove: [note] } or { jsonata: "…" }' },
);

const step = z
  .strictObject(
    {
      set: z
        .record(
          z.string(),
          z.union([z.string(), z.number(), z.boolean()], { error: 'expected text, a number or a boolean' }),
          { error: 'expected attributes with their values, e.g. { type: com.acme.alarm }' },
        )
        .optional()
        .describe(
          'Attributes with their new values. Text is a template over attributes and data: `{subject}`, `{data.id:-none}`.',
        ),
      rename: names('Attributes that get another name. What is absent is passed over.'),
      remove: list('Attributes that are dropped.'),
      data: data.optional().describe('What happens to the data, which must be JSON.'),
      split: z
        .string({ error: 'expected "data" or the path of an array, e.g. data.items' })
        .optional()
        .describe('`data`, or the path of an array in it: each element becomes an event with the id `{id}#{n}`.'),
    },
    { error: 'expected a step such as { set: { type: com.acme.alarm } }' },
  )
  .refine((fields) => Object.keys(fields).length > 0, {
    error: 'this step does nothing',
    when: ({ issues }) => issues.length === 0,
  })
  .superRefine((fields, context) => {
    for (const { severity, code, path, message, hint } of checkStep(transformStep(fields))) {
      if (severity === 'error') context.addIssue({ code: 'custom', path: [...path], message, params: { code, hint } });
    }
  })
  .meta({ id: 'transform' });

/** `routes[].transform`: one step or a list of them. */
export const transformSchema: z.ZodType<TransformFields | TransformFields[]> = z.union([
  step,
  z.array(step, { error: 'expected a step or a list of steps' }).min(1, { error: 'expected at least one step' }),
]);

/** The steps as the rest of the program reads them. */
export function transformSteps(fields: TransformFields | readonly TransformFields[] | undefined): TransformStep[] {
  if (fields === undefined) return [];
  return (Array.isArray(fields) ? (fields as readonly TransformFields[]) : [fields as TransformFields]).map(
    transformStep,
  );
}

function transformStep({ data: block, ...rest }: TransformFields): TransformStep {
  if (block === undefined) return rest;
  const { timeout, ...own } = block;
  return { ...rest, data: { ...own, ...(timeout === undefined ? {} : { timeoutMs: timeout }) } };
}
