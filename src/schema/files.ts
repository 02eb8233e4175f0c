import { FairleadError } from '../core/errors.ts';
import type { Allowance } from './allowance.ts';
import { type CompiledSchema, SchemaCompiler, type SchemaDocument, unusable } from './compile.ts';

/** Most documents that one schema may be made of. */
export const MAX_DOCUMENTS = 64;

/** A schema file with what it refers to, as far as that stands in files. */
export interface SchemaFiles {
  /** `file:` URL of the schema. */
  readonly location: string;
  readonly documents: readonly SchemaDocument[];
  /** Undefined where something has to be fetched first. */
  readonly compiled: CompiledSchema | undefined;
}

/** Reads the text of a `file:` URL; undefined where there is no such file. Throws what keeps a file from being read. */
export type ReadSchema = (location: string) => string | undefined;

/**
 * Reads a schema file and, one after the other, the files that it refers to: those in its folder and below. A reference
 * relative to an `$id` is looked for beside the file first, since that is how bundles of schemas are laid out. Throws
 * `E_SCHEMA_READ`, `E_SCHEMA_NOT_ALLOWED` and `E_SCHEMA_UNUSABLE`.
 */
export function readSchemaFiles(location: string, read: ReadSchema, allowance: Allowance): SchemaFiles {
  const text = read(location);
  if (text === undefined) {
    throw new FairleadError({ code: 'E_SCHEMA_READ', message: `there is no schema ${location}` });
  }
  const root = { location, text };
  const documents: SchemaDocument[] = [root];
  const compiler = new SchemaCompiler(root);
  const folder = new URL('.', location).href;
  const base = new URL('.', idOf(text, location)).href;
  for (;;) {
    const step = compiler.compile();
    if ('schema' in step) return { location, documents, compiled: step.schema };
    const { missing } = step;
    const beside = missing.startsWith(base) ? new URL(missing.slice(base.length), folder).href : missing;
    const found = beside.startsWith(folder) ? read(beside) : undefined;
    if (found === undefined) {
      if (allowance.address(missing) !== undefined) return { location, documents, compiled: undefined };
      throw notAllowed(location, missing);
    }
    if (documents.length === MAX_DOCUMENTS) throw unusable(location, `it refers to more than ${MAX_DOCUMENTS} files`);
    const document = { location: missing, text: found };
    documents.push(document);
    compiler.add(document);
  }
}

export function notAllowed(location: string, reference: string): FairleadError {
  const message = `the schema ${location} refers to ${reference}, which is neither a file beside it nor allowed by schemas.allow`;
  return new FairleadError({ code: 'E_SCHEMA_NOT_ALLOWED', message });
}

function idOf(text: string, location: string): string {
  const { $id } = (JSON.parse(text) ?? {}) as { $id?: unknown };
  return typeof $id === 'string' && URL.canParse($id, location) ? new URL($id, location).href : location;
}
