import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';
import { byteSize, duration } from '../adapters/fields.ts';
import { codeOf, FairleadError } from '../core/errors.ts';
import { Allowance, allowMistake, readSchemaFiles } from '../schema/check.ts';
import type { Located } from './finding.ts';
import type { Surroundings } from './interpolate.ts';
import type { RouteSchemaConfig, SchemasConfig } from './types.ts';

interface SchemasFields {
  readonly allow: readonly string[];
  readonly dataschema?: DataschemaFields | undefined;
  readonly timeout: number;
  readonly maxBytes: number;
  readonly maxSchemas: number;
}

interface DataschemaFields {
  readonly unknown: 'accept' | 'reject';
}

/** What a route says of schemas, as it stands in the file. */
export type RouteSchemaFields = string | false | { readonly dataschema: DataschemaFields };

const dataschema = z.strictObject(
  {
    unknown: z
      .enum(['accept', 'reject'])
      .describe(
        'What becomes of an event without `dataschema`, with one that is not allowed or does not exist, or with data that is not JSON: `accept` lets it pass unchecked, `reject` dead-letters it. Mandatory: neither is a safe guess.',
      ),
  },
  { error: 'expected { unknown: reject } or { unknown: accept }' },
);

/** The section `schemas`. */
export const schemasSection: z.ZodType<SchemasFields> = z
  .strictObject({
    allow: z
      .array(
        z.string().superRefine((text, context) => {
          const message = allowMistake(text);
          if (message !== undefined) context.addIssue({ code: 'custom', message });
        }),
        { error: 'expected a list of URLs, e.g. ["https://schemas.acme.com/"]' },
      )
      .default([])
      .describe('URLs that schemas may be fetched from: documents, or folders, which end with `/`.'),
    dataschema: dataschema
      .optional()
      .describe('Checks events by the schema that their own `dataschema` names, on every route without a `schema`.'),
    timeout: duration({ minMs: 100 }).prefault('5s').describe('Bound of one fetch; it is tried again with backoff.'),
    maxBytes: byteSize({ min: 1_024, max: 64 * 2 ** 20 })
      .prefault('1MiB')
      .describe('Largest schema document.'),
    maxSchemas: z
      .int()
      .min(1)
      .default(1_000)
      .describe('Most schemas kept that events name by their `dataschema`; past it the oldest is given up.'),
  })
  .prefault({});

/** The field `schema` of a route. */
export const routeSchemaField: z.ZodType<RouteSchemaFields | undefined, RouteSchemaFields | undefined> = z
  .union(
    [
      z.string().min(1),
      z.literal(false),
      z.strictObject({ dataschema: dataschema.describe('Checks events by the schema that their `dataschema` names.') }),
    ],
    { error: 'expected the path or URL of a JSON Schema, { dataschema: { unknown: reject } }, or false' },
  )
  .optional()
  .describe(
    'A JSON Schema that the data must meet: a file, relative to this one, or a URL that `schemas.allow` covers. Events that do not meet it are dead-lettered. `false` switches `schemas.dataschema` off for this route.',
  );

export interface LoadedSchemas {
  /** By place in the list of routes. */
  readonly routes: readonly (RouteSchemaConfig | undefined)[];
  readonly findings: readonly Located[];
}

/** Reads and compiles the schema files of all routes. */
export function loadRouteSchemas(
  routes: readonly { readonly schema?: RouteSchemaFields | undefined }[],
  { allow, dataschema: byDefault, maxBytes }: SchemasFields,
  { file, readFile }: Pick<Surroundings, 'readFile'> & { readonly file: string },
): LoadedSchemas {
  const findings: Located[] = [];
  const allowance = new Allowance(allow);
  const folder = pathToFileURL(`${dirname(resolve(file))}/`).href;
  const read = (location: string): string | undefined => readBounded(location, readFile, maxBytes);
  const loaded = routes.map(
    ({ schema = byDefault && { dataschema: byDefault } }, index): RouteSchemaConfig | undefined => {
      if (schema === undefined || schema === false) return undefined;
      if (typeof schema === 'object') return { kind: 'dataschema', unknown: schema.dataschema.unknown };
      const tell = (severity: Located['severity'], code: string, message: string): void => {
        const text = `routes[${index}].schema: ${message.replaceAll(folder, '')}`;
        findings.push({ severity, code, path: ['routes', index, 'schema'], at: 'value', message: text });
      };
      try {
        if (/^https?:/i.test(schema)) return { kind: 'schema', location: allowed(schema, allowance), documents: [] };
        const location = pathToFileURL(resolve(fileURLToPath(folder), schema)).href;
        const { documents, compiled } = readSchemaFiles(location, read, allowance);
        for (const warning of compiled?.warnings ?? []) tell('warning', 'W_SCHEMA_IGNORED', warning);
        return { kind: 'schema', location, documents };
      } catch (error) {
        if (!(error instanceof FairleadError)) throw error;
        tell('error', error.code, error.message);
        return undefined;
      }
    },
  );
  return { routes: loaded, findings };
}

/** The section as the rest of the program reads it. */
export function schemasConfig({ allow, timeout, maxBytes, maxSchemas }: SchemasFields): SchemasConfig {
  return { allow, timeoutMs: timeout, maxBytes, maxSchemas };
}

function allowed(url: string, allowance: Allowance): string {
  const address = allowance.address(url);
  if (address !== undefined) return address;
  const message = `${url} is not allowed: schemas.allow must name it, or a folder above it that ends with "/"`;
  throw new FairleadError({ code: 'E_SCHEMA_NOT_ALLOWED', message });
}

function readBounded(location: string, readFile: Surroundings['readFile'], maxBytes: number): string | undefined {
  let text: string;
  try {
    text = readFile(fileURLToPath(location));
  } catch (error) {
    const cause = codeOf(error);
    if (cause === 'ENOENT') return undefined;
    throw unreadable(location, `cannot be read (${cause ?? 'unknown cause'})`, error);
  }
  if (text.length > maxBytes) throw unreadable(location, `has more than schemas.maxBytes (${maxBytes})`);
  return text;
}

function unreadable(location: string, why: string, cause?: unknown): FairleadError {
  return new FairleadError({ code: 'E_SCHEMA_READ', message: `the schema ${location} ${why}`, cause });
}
