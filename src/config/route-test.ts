import { z } from 'zod';
import { parseTimestamp } from '../core/timestamp.ts';
import { timestamp } from './active.ts';
import type { ConfigDocument } from './document.ts';
import type { Located } from './finding.ts';
import { nameList, reference } from './names.ts';
import type { RouteTest } from './types.ts';

type Value = string | number | boolean;

interface LegFields {
  route: string;
  target: string;
  candidates?: string[] | undefined;
  attributes?: Record<string, Value> | undefined;
  without?: string[] | undefined;
  data?: unknown;
  error?: string | undefined;
}

/** One entry of `tests` as it stands in the file. */
export interface TestFields {
  name: string;
  source: string;
  now?: string | undefined;
  event?: Record<string, unknown> | undefined;
  file?: string | undefined;
  expect: {
    routes?: string[] | undefined;
    legs?: LegFields[] | undefined;
    unmatched?: boolean | undefined;
    error?: string | undefined;
  };
}

const NAME = /^[a-z0-9]+$/;
const attributeName = z.string().regex(NAME, {
  error: 'expected the name of an attribute (lower-case letters and digits)',
});
const value: z.ZodType<Value, Value> = z.union([z.string(), z.boolean(), z.int()], {
  error: 'expected text, a whole number, true or false',
});
const text = (what: string): z.ZodType<string, string> => z.string().min(1).describe(what);
const code = z.string().regex(/^[A-Z][A-Z0-9_]*$/, { error: 'expected a code such as E_UNMATCHED' });

const event = z
  .object(
    {
      specversion: z.literal('1.0').optional().describe('May be left out.'),
      id: text('Default `1`. A sample depends on it.').optional(),
      source: text('Attribute `source`.'),
      type: text('Attribute `type`.'),
      subject: text('Attribute `subject`.').optional(),
      time: timestamp().optional().describe('Attribute `time`.'),
      datacontenttype: text('Attribute `datacontenttype`. Where it is left out, `data` is JSON.').optional(),
      dataschema: text('Attribute `dataschema`.').optional(),
      data: z.unknown().optional().describe('The data as JSON; text where `datacontenttype` is no JSON.'),
      data_base64: z.base64({ error: 'expected bytes in base64' }).optional().describe('The data as bytes.'),
    },
    { error: 'expected a CloudEvent, e.g. { type: com.acme.reading, source: /plant/7, data: { celsius: 95 } }' },
  )
  .catchall(value)
  .superRefine((fields, context) => {
    for (const name of Object.keys(fields)) {
      if (NAME.test(name) || name === 'data_base64') continue;
      context.addIssue({
        code: 'custom',
        path: [name],
        message: 'an attribute has lower-case letters and digits only',
      });
    }
    if (fields.data !== undefined && fields.data_base64 !== undefined)
      context.addIssue({ code: 'custom', path: ['data_base64'], message: 'give data or data_base64, not both' });
  });

const leg: z.ZodType<LegFields, LegFields> = z.strictObject(
  {
    route: reference().describe('The route that plans it; `unmatched` for the targets of `unmatched`.'),
    target: reference().describe('The target or choice it goes to.'),
    candidates: nameList('targets', 0)
      .optional()
      .describe('Of a choice: the targets it may go to, these and no others.'),
    attributes: z.record(attributeName, value).optional().describe('Attributes it must have, among others.'),
    without: z.array(attributeName).optional().describe('Attributes it must not have.'),
    data: z.unknown().optional().describe('Its data, whole: compared as JSON, or as text where it is none.'),
    error: code.optional().describe('It is dead-lettered with this code instead of being sent.'),
  },
  { error: 'expected a leg, e.g. { route: archive, target: history }' },
);

const expectation = z
  .strictObject(
    {
      routes: z
        .array(reference(), { error: 'expected a list of routes' })
        .optional()
        .describe('The routes that match: these and no others.'),
      legs: z
        .array(leg, { error: 'expected a list of legs' })
        .optional()
        .describe('The legs planned: these and no others. A split gives one for each of its events.'),
      unmatched: z.boolean().optional().describe('Whether no route matches.'),
      error: code.optional().describe('Some leg is dead-lettered with this code.'),
    },
    { error: 'expected what must come out, e.g. { routes: [archive] }' },
  )
  .refine((fields) => Object.values(fields).some((field) => field !== undefined), {
    error: 'expected at least one of routes, legs, unmatched and error',
  });

/** One entry of `tests`. */
export const testSchema: z.ZodType<TestFields> = z
  .strictObject({
    name: text('What is tested, in words.'),
    source: reference().describe('The source that the event comes from.'),
    event: event.optional().describe('The event.') as z.ZodType<Record<string, unknown> | undefined>,
    file: text('A file with the event in JSON instead, relative to the configuration.').optional(),
    now: timestamp().optional().describe('The moment it arrives, for time windows. Default: when the test runs.'),
    expect: expectation.describe('What must come out.'),
  })
  .superRefine(({ event: inline, file }, context) => {
    if ((inline === undefined) === (file === undefined))
      context.addIssue({ code: 'custom', path: [], message: 'expected either event or file' });
  });

/** A test as it is run. */
export function routeTest({ name, source, event: inline, file, now, expect }: TestFields): RouteTest {
  const { routes, legs, unmatched, error } = expect;
  return {
    name,
    source,
    ...(file === undefined ? { event: { specversion: '1.0', id: '1', ...inline } } : { file }),
    ...(now === undefined ? {} : { nowMs: parseTimestamp(now) as number }),
    expect: { routes, legs, unmatched, error },
  };
}

/** Tests whose event cannot be read: a gateway runs without them, so it is no error. */
export function lintTests(
  tests: readonly RouteTest[],
  document: ConfigDocument,
  readFile: (path: string) => string,
): readonly Located[] {
  return tests.flatMap(({ file }, index): Located[] => {
    if (file === undefined || document.isBroken(['tests', index, 'file'])) return [];
    try {
      readFile(file);
      return [];
    } catch {
      const message = `tests[${index}].file: the event cannot be read, so this test fails`;
      return [{ severity: 'warning', code: 'W_TEST_FILE', path: ['tests', index, 'file'], at: 'value', message }];
    }
  });
}
