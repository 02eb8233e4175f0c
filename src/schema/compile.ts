import { Ajv, type Options, type ValidateFunction } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import { FairleadError, messageOf } from '../core/errors.ts';
import type { Refusal } from '../core/validation.ts';
import { invalid, refusalOf } from './reason.ts';
import { REGEXP_ENGINE } from './regexp.ts';
import { UNIQUE_ITEMS } from './unique-items.ts';

/** A JSON Schema as it was read, with the absolute address it was read from. */
export interface SchemaDocument {
  readonly location: string;
  readonly text: string;
}

export interface CompiledSchema {
  /** Keywords and formats that ajv does not know and ignores. */
  readonly warnings: readonly string[];
  /** Looks at data; undefined where it holds. Never throws. */
  check(data: unknown): Refusal | undefined;
}

/** Compiled, or the address of a document that must be added first. */
export type Compilation = { readonly schema: CompiledSchema } | { readonly missing: string };

const MAX_DEPTH = 100;
const DRAFTS: Readonly<Record<string, new (options: Options) => Ajv>> = {
  'https://json-schema.org/draft/2020-12/schema': Ajv2020,
  'https://json-schema.org/draft/2019-09/schema': Ajv2019,
  'http://json-schema.org/draft-07/schema': Ajv,
};
const NEWEST = 'https://json-schema.org/draft/2020-12/schema';

/** Formats of JSON Schema and OpenAPI. `url` is neither, and its expression takes quadratic time. */
const { url: _, ...FORMATS } = fullFormats;

/** One schema on its way to being compiled: documents are added until none is missing. */
export class SchemaCompiler {
  readonly #location: string;
  readonly #ajv: Ajv;
  readonly #warnings: string[] = [];

  /** Throws `E_SCHEMA_UNUSABLE`; so do the methods. */
  constructor(root: SchemaDocument) {
    const schema = parse(root);
    this.#location = root.location;
    this.#ajv = newAjv(draftOf(schema, root.location), this.#warnings);
    this.#add(schema, root.location);
  }

  /** Adds a document under the address that {@link compile} asked for. */
  add(document: SchemaDocument): void {
    this.#add(parse(document), document.location);
  }

  compile(): Compilation {
    let validate: ValidateFunction | undefined;
    try {
      validate = this.#ajv.getSchema(this.#location);
    } catch (error) {
      if (error instanceof Ajv.MissingRefError) return { missing: error.missingSchema };
      throw unusable(this.#location, messageOf(error));
    }
    if (validate === undefined) throw unusable(this.#location, 'it holds no schema');
    // such a schema answers with a promise, which would pass for a yes
    if ('$async' in validate) throw unusable(this.#location, '"$async" is not JSON Schema');
    return { schema: { warnings: this.#warnings, check: checker(validate) } };
  }

  #add(schema: object | boolean, location: string): void {
    for (const format of formatsIn(schema)) {
      if (Object.hasOwn(this.#ajv.formats, format)) continue;
      this.#warnings.push(`unknown format "${format}"`);
      this.#ajv.addFormat(format, true); // it would be refused otherwise, or found on Object.prototype
    }
    try {
      this.#ajv.addSchema(withAbsoluteId(schema, location), location);
    } catch (error) {
      throw unusable(location, messageOf(error));
    }
  }
}

function checker(validate: ValidateFunction): (data: unknown) => Refusal | undefined {
  return (data) => {
    try {
      return validate(data) ? undefined : refusalOf(validate.errors?.[0]);
    } catch (error) {
      if (error instanceof RangeError) return invalid('the data is nested too deeply to be checked');
      throw error;
    }
  };
}

function newAjv(draft: new (options: Options) => Ajv, warnings: string[]): Ajv {
  const warn = (...[text]: unknown[]): void => {
    warnings.push(String(text).replace(/^strict mode: /, ''));
  };
  const ajv = new draft({
    code: { regExp: REGEXP_ENGINE },
    strictSchema: 'log',
    strictNumbers: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    validateFormats: true,
    formats: FORMATS,
    logger: { log: warn, warn, error: warn },
  });
  ajv.removeKeyword('uniqueItems').addKeyword(UNIQUE_ITEMS);
  return ajv;
}

function draftOf(schema: object | boolean, location: string): new (options: Options) => Ajv {
  const named = typeof schema === 'object' ? (schema as { $schema?: unknown }).$schema : undefined;
  const draft = DRAFTS[String(named ?? NEWEST).replace(/#$/, '')];
  if (draft !== undefined) return draft;
  throw unusable(location, `its "$schema" is none of ${Object.keys(DRAFTS).join(', ')}`);
}

/** A relative `$id` is relative to where the document was read. */
function withAbsoluteId(schema: object | boolean, location: string): object | boolean {
  if (typeof schema === 'boolean') return schema;
  const { $id } = schema as { $id?: unknown };
  return typeof $id === 'string' && URL.canParse($id, location)
    ? { ...schema, $id: new URL($id, location).href }
    : schema;
}

function parse({ location, text }: SchemaDocument): object | boolean {
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch {
    throw unusable(location, 'it is not JSON');
  }
  if (typeof schema !== 'boolean' && (typeof schema !== 'object' || schema === null || Array.isArray(schema))) {
    throw unusable(location, 'a schema is an object, true or false');
  }
  if (isDeeper(schema, MAX_DEPTH)) throw unusable(location, `it is nested more than ${MAX_DEPTH} levels deep`);
  return schema;
}

function formatsIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'format' && typeof inner === 'string' ? [inner] : formatsIn(inner),
  );
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

export function unusable(location: string, why: string): FairleadError {
  return new FairleadError({ code: 'E_SCHEMA_UNUSABLE', message: `the schema ${location} cannot be used: ${why}` });
}
