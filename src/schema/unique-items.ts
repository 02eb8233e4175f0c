import type { FuncKeywordDefinition } from 'ajv';

/** `uniqueItems` in one pass: ajv's own compares every pair of items that are not scalars. */
export const UNIQUE_ITEMS: FuncKeywordDefinition = {
  keyword: 'uniqueItems',
  type: 'array',
  schemaType: 'boolean',
  error: { message: 'must not have two items that are equal' },
  validate: (wanted: boolean, items: readonly unknown[]) => !wanted || areUnique(items),
};

function areUnique(items: readonly unknown[]): boolean {
  const seen = new Set<unknown>();
  for (const item of items) seen.add(typeof item === 'object' && item !== null ? keyOf(item) : scalarKey(item));
  return seen.size === items.length;
}

/** Text that begins like an object's key must not be taken for one. */
function scalarKey(item: unknown): unknown {
  return typeof item === 'string' ? `"${item}` : item;
}

/** The same text for equal values, whatever the order of their fields (JSON Schema 2020-12 core, 4.2.2). */
function keyOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(keyOf).join(',')}]`;
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '0' : JSON.stringify(value);
  const fields = value as Record<string, unknown>;
  const names = Object.keys(fields).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${keyOf(fields[name])}`).join(',')}}`;
}
