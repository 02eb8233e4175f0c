import { z } from 'zod';
import { secret } from '../adapters/fields.ts';
import type { TracingConfig } from './types.ts';

const HEADER = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
const VALUE = /^[\x20-\x7e\t]*$/;
const ENDPOINT = 'expected the URL that takes spans, e.g. http://localhost:4318/v1/traces';

/** The section `tracing`. */
export const tracingSection: z.ZodType<TracingConfig | undefined> = z
  .strictObject(
    {
      endpoint: z
        .string({ error: ENDPOINT })
        .refine(isEndpoint, { error: ENDPOINT })
        .describe('URL that takes spans by OTLP/HTTP in JSON, with its path. No credentials in it.'),
      headers: z
        .record(z.string().regex(HEADER, { error: 'expected the name of a header' }), secret())
        .default({})
        .refine((headers) => Object.values(headers).every((value) => VALUE.test(value)), {
          error: 'a value has characters that cannot stand in a header',
        })
        .describe('Headers of every request to it, e.g. an API key. Values are secrets.'),
      sample: z
        .number()
        .min(0)
        .max(1)
        .default(0.01)
        .describe('Part of the events that is traced, 0 to 1, of those that bring no trace. Else who sent it decides.'),
      serviceName: z.string().min(1).optional().describe('`service.name` of the spans; default `name` of the gateway.'),
      maxSpans: z
        .int()
        .min(256)
        .max(1_000_000)
        .default(8_192)
        .describe('Spans that wait for the collector at most; what has no room is dropped and counted.'),
    },
    { error: 'expected tracing as a map, e.g. tracing: { endpoint: http://localhost:4318/v1/traces }' },
  )
  .optional();

function isEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '';
}
