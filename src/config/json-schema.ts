import { z } from 'zod';
import { formatDuration } from '../adapters/fields.ts';
import type { AdapterSpec } from '../adapters/spec.ts';
import { unwrap } from './inspect.ts';
import { configSchemas } from './schema.ts';

type Json = Record<string, unknown>;

const PLACEHOLDER = { $ref: '#/definitions/reference' };

/**
 * The JSON Schema (draft-07) of a configuration file, for editors. An entry may have the form of any adapter, since JSON
 * Schema cannot follow the name of its broker; where a value is not free text, a `${…}` reference is allowed instead.
 */
export function jsonSchema(adapters: readonly AdapterSpec[]): Record<string, unknown> {
  const schema = z.toJSONSchema(configSchemas(adapters).whole, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema: node }) => {
      const { kind, fallback } = unwrap(zodSchema);
      if (kind === 'duration' && typeof fallback === 'number') node.default = formatDuration(fallback);
    },
  }) as Json;
  const { $schema, definitions, ...rest } = schema;
  return {
    $schema,
    title: 'Fairlead configuration',
    ...withReferences(rest),
    definitions: {
      reference: {
        type: 'string',
        pattern: '\\$\\{[^}]+\\}',
        description: '$' + '{VAR}, $' + '{VAR:-default} or $' + '{file:/path}',
      },
      ...(definitions === undefined ? {} : (each(definitions as Json) as Json)),
    },
  };
}

function withReferences(node: Json): Json {
  const { description, default: fallback, ...form } = node;
  const around = {
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
  };
  if (wantsReference(form)) return { ...around, anyOf: [form, PLACEHOLDER] };
  if (Array.isArray(form['anyOf']) && form['anyOf'].some(wantsReference)) {
    const branches = form['anyOf'].map((branch: Json) => (wantsReference(branch) ? branch : withReferences(branch)));
    return { ...around, anyOf: [...branches, PLACEHOLDER] };
  }
  return { ...around, ...Object.fromEntries(Object.entries(form).map(([key, value]) => [key, descend(key, value)])) };
}

/** Numbers, booleans, enums and formed text. */
function wantsReference(form: Json): boolean {
  if ('const' in form) return false;
  const type = form['type'];
  if (type === 'number' || type === 'integer' || type === 'boolean') return true;
  return type === 'string' && ('pattern' in form || 'enum' in form || 'format' in form);
}

function descend(key: string, value: unknown): unknown {
  switch (key) {
    case 'properties':
      return each(value as Json);
    case 'items':
    case 'additionalProperties':
      return typeof value === 'object' && value !== null ? withReferences(value as Json) : value;
    case 'anyOf':
    case 'oneOf':
    case 'allOf':
      return (value as Json[]).map(withReferences);
    default:
      return value;
  }
}

function each(map: Json): Json {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, withReferences(value as Json)]));
}
