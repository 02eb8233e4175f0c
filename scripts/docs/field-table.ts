import type { z } from 'zod';
import { formatBytes, formatDuration } from '../../src/adapters/fields.ts';
import { type Field, shapeOf, unwrap } from '../../src/config/inspect.ts';

type Schema = z.core.$ZodType;

interface Row {
  readonly name: string;
  readonly type: string;
  readonly fallback: string;
  readonly description: string;
}

/** A Markdown table of the fields of an object schema; nested fields have dotted names. */
export function fieldTable(schema: Schema, omit: readonly string[] = []): string {
  const rows = new Map<string, Row>();
  collect(schema, '', rows, new Set());
  const lines = [...rows.values()]
    .filter(({ name }) => !omit.some((top) => name !== top && name.startsWith(top)))
    .map(({ name, type, fallback, description }) => `| \`${name}\` | ${type} | ${fallback} | ${description} |`);
  return ['| field | type | default | |', '|---|---|---|---|', ...lines].join('\n');
}

/** Names of fields without a description: a test wants none. */
export function undescribed(schema: Schema): readonly string[] {
  const rows = new Map<string, Row>();
  collect(schema, '', rows, new Set());
  return [...rows.values()].filter(({ description }) => description === '').map(({ name }) => name);
}

function collect(schema: Schema, prefix: string, rows: Map<string, Row>, seen: Set<Schema>): void {
  const core = unwrap(schema).schema;
  if (seen.has(core)) return;
  const inside = new Set(seen).add(core);
  const def = (core as z.core.$ZodTypes)._zod.def;
  switch (def.type) {
    case 'object':
      for (const [key, child] of Object.entries(def.shape)) addRow(key, child, prefix, rows, inside);
      return;
    case 'array':
      collect(def.element, `${prefix}[]`, rows, inside);
      return;
    case 'record':
      collect(def.valueType, `${prefix}.*`, rows, inside);
      return;
    case 'union':
      for (const option of def.options) collect(option, prefix, rows, inside);
      return;
    default:
  }
}

function addRow(key: string, child: Schema, prefix: string, rows: Map<string, Row>, seen: Set<Schema>): void {
  const name = prefix === '' ? key : `${prefix}.${key}`;
  const field = unwrap(child);
  if (field.schema._zod.def.type === 'never') return;
  const before = rows.get(name);
  const type = typeText(child);
  if (before === undefined) {
    rows.set(name, { name, type, fallback: fallbackText(field), description: cell(field.description ?? '') });
  } else if (before.type !== type) {
    rows.set(name, { ...before, type: `${before.type} or ${type}` });
  }
  collect(child, name, rows, seen);
}

function fallbackText({ required, fallback, kind }: Field): string {
  if (required) return '**required**';
  if (fallback === undefined) return '';
  if (typeof fallback === 'object' && fallback !== null && Object.keys(fallback).length === 0) return '';
  if (typeof fallback === 'number' && kind === 'duration') return `\`${formatDuration(fallback)}\``;
  if (typeof fallback === 'number' && kind === 'byteSize') return `\`${formatBytes(fallback)}\``;
  return `\`${typeof fallback === 'string' ? fallback : JSON.stringify(fallback)}\``;
}

function typeText(schema: Schema): string {
  const field = unwrap(schema);
  if (field.kind !== undefined)
    return { duration: 'duration', byteSize: 'size', template: 'template', secret: 'secret' }[field.kind];
  const def = (field.schema as z.core.$ZodTypes)._zod.def;
  switch (def.type) {
    case 'string':
      return 'text';
    case 'number':
      return numberText(field.schema as z.core.$ZodNumber);
    case 'boolean':
      return '`true` or `false`';
    case 'literal':
      return def.values.map((value) => `\`${String(value)}\``).join(' or ');
    case 'enum':
      return Object.values(def.entries)
        .map((value) => `\`${value}\``)
        .join(' or ');
    case 'array':
      return `list of ${typeText(def.element)}`;
    case 'record':
      return isOpen(def.valueType) ? 'map by name' : `map of ${typeText(def.valueType)} by name`;
    case 'union':
      return [...new Set(def.options.map(typeText))].join(' or ');
    case 'object':
      return 'map';
    default:
      return 'any';
  }
}

function isOpen(schema: Schema): boolean {
  return shapeOf(schema) !== undefined || unwrap(schema).schema._zod.def.type === 'unknown';
}

function numberText(schema: z.core.$ZodNumber): string {
  let from: unknown;
  let to: unknown;
  let whole = 'format' in schema._zod.def;
  for (const check of schema._zod.def.checks ?? []) {
    const def = check._zod.def as z.core.$ZodCheckDef & { value?: unknown };
    if (def.check === 'greater_than') from = def.value;
    else if (def.check === 'less_than') to = def.value;
    else if (def.check === 'number_format') whole = true;
  }
  const name = whole ? 'whole number' : 'number';
  if (from === undefined && to === undefined) return name;
  if (to === undefined) return `${name} from ${from}`;
  return from === undefined ? `${name} to ${to}` : `${name}, ${from} to ${to}`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
