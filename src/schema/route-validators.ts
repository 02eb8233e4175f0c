import type { CheckItem } from '../core/source.ts';
import type { Validator } from '../core/validation.ts';
import type { SchemaDocument } from './compile.ts';
import { SchemaStore, type SchemaStoreOptions } from './store.ts';
import { DataschemaValidator, FixedValidator } from './validators.ts';

/** What a route's data is held against. */
export type RouteSchema =
  | { readonly kind: 'schema'; readonly location: string; readonly documents: readonly SchemaDocument[] }
  | { readonly kind: 'dataschema'; readonly unknown: 'accept' | 'reject' };

/** Makes the validators of routes; those of one schema are one, also over a reload. */
export class RouteValidators {
  readonly #store: SchemaStore;
  readonly #fixed = new Map<string, FixedValidator>();
  readonly #byUnknown = new Map<string, DataschemaValidator>();

  constructor(options: SchemaStoreOptions) {
    this.#store = new SchemaStore(options);
  }

  validator(schema: RouteSchema): Validator {
    if (schema.kind === 'schema')
      return made(this.#fixed, keyOf(schema), () => new FixedValidator(this.#store, schema));
    return made(this.#byUnknown, schema.unknown, () => new DataschemaValidator(this.#store, schema.unknown));
  }

  /** The schemas that routes name from now on: begins to fetch them, so that events need not wait, and gives up the others. */
  start(schemas: readonly (RouteSchema | undefined)[]): void {
    const named = new Set(schemas.map((schema) => (schema?.kind === 'schema' ? keyOf(schema) : undefined)));
    for (const [key, validator] of this.#fixed) {
      if (named.has(key)) void validator.load();
      else {
        validator.close();
        this.#fixed.delete(key);
      }
    }
  }

  /** Says whether a schema can be had and used. Never rejects. */
  check(schema: RouteSchema & { readonly kind: 'schema' }): Promise<CheckItem> {
    return this.#store.check(schema);
  }

  /** Ends every fetch; what waits for one waits on. */
  close(): Promise<void> {
    return this.#store.close();
  }
}

/** A file that was changed is another schema. */
function keyOf({ location, documents }: RouteSchema & { readonly kind: 'schema' }): string {
  return JSON.stringify([location, documents]);
}

function made<T>(known: Map<string, T>, key: string, make: () => T): T {
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}
