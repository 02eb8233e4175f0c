import type { z } from 'zod';
import { type FieldKind, fieldKinds } from '../adapters/fields.ts';

/** Any schema of zod, whatever it gives. */
export type Schema = z.core.$ZodType;

/** A field's schema without its wrappers, and what the wrappers said. */
export interface Field {
  readonly schema: Schema;
  readonly kind: FieldKind['kind'] | undefined;
  readonly required: boolean;
  readonly fallback: unknown;
  readonly description: string | undefined;
}

/** Takes optional, default, prefault, pipe, … off a schema. */
export function unwrap(outer: Schema): Field {
  let schema = outer;
  let kind: FieldKind['kind'] | undefined;
  let required = true;
  let fallback: unknown;
  let description: string | undefined;
  for (;;) {
    kind ??= fieldKinds.get(schema)?.kind;
    const meta = metaOf(schema);
    description ??= meta?.description;
    if (meta !== undefined && 'default' in meta) fallback ??= meta['default'];
    const def = (schema as z.core.$ZodTypes)._zod.def;
    if (def.type === 'default' || def.type === 'prefault') fallback ??= def.defaultValue;
    if (def.type === 'default' || def.type === 'prefault' || def.type === 'optional') required = false;
    const inner = innerOf(schema);
    if (inner === undefined) return { schema, kind, required, fallback, description };
    schema = inner;
  }
}

function metaOf(schema: Schema): z.core.GlobalMeta | undefined {
  return (schema as z.ZodType).meta();
}

function innerOf(schema: Schema): Schema | undefined {
  const def = (schema as z.core.$ZodTypes)._zod.def;
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return def.innerType;
    case 'pipe':
      return def.in;
    case 'lazy':
      return (schema as z.core.$ZodLazy)._zod.innerType; // the getter would make a new one each time
    default:
      return undefined;
  }
}

/** The fields of an object schema, or undefined for anything else. */
export function shapeOf(schema: Schema): Readonly<Record<string, Schema>> | undefined {
  const def = (unwrap(schema).schema as z.core.$ZodTypes)._zod.def;
  return def.type === 'object' ? def.shape : undefined;
}

/** The schemas that `value[key]` may have to meet under `schema`; several where a union leaves it open. */
export function childSchemas(schema: Schema, key: PropertyKey, value: unknown): readonly Schema[] {
  const def = (unwrap(schema).schema as z.core.$ZodTypes)._zod.def;
  switch (def.type) {
    case 'object': {
      const child = Object.hasOwn(def.shape, key) ? def.shape[String(key)] : undefined;
      return child === undefined ? [] : [child];
    }
    case 'array':
      return [def.element];
    case 'record':
      return [def.valueType];
    case 'union':
      return branches(schema, value).flatMap((branch) => childSchemas(branch, key, value));
    default:
      return [];
  }
}

/** The branches of a union that `value` can be meant for: by its discriminator where there is one. */
export function branches(schema: Schema, value: unknown): readonly Schema[] {
  const def = (unwrap(schema).schema as z.core.$ZodTypes)._zod.def;
  if (def.type !== 'union') return [schema];
  const discriminator = (def as { discriminator?: string }).discriminator;
  if (discriminator === undefined) return def.options;
  const wanted = (value as Record<string, unknown> | undefined)?.[discriminator];
  return def.options.filter((option) => {
    const literal = shapeOf(option)?.[discriminator];
    return literal !== undefined && (literal as z.ZodType).safeParse(wanted).success;
  });
}

/** A schema as what it may stand for: the branches of a union, unless the union is a field of a kind of its own. */
export function alternatives(schema: Schema, value: unknown): readonly Schema[] {
  if (unwrap(schema).kind !== undefined) return [schema];
  const found = branches(schema, value);
  return found.length === 1 && found[0] === schema ? found : found.flatMap((branch) => alternatives(branch, value));
}

/** The schemas at `path` below `schema`, for the value that stands there. */
export function schemasAt(schema: Schema, path: readonly PropertyKey[], value: unknown): readonly Schema[] {
  let schemas: readonly Schema[] = [schema];
  let at = value;
  for (const key of path) {
    const here = at;
    schemas = schemas.flatMap((candidate) => childSchemas(candidate, key, here));
    at = valueAt(at, [key]);
  }
  return schemas;
}

/** The value at `path`, or undefined. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<PropertyKey, unknown>)[key];
  }
  return at;
}
