import type { AttributeValue, MeshEvent } from '../core/event.ts';
import type { Filter } from '../core/routing.ts';

/** A compiled condition on an event. */
export type Predicate = (event: MeshEvent) => boolean;

type Test = (value: string, operand: string) => boolean;

const LEAVES: Readonly<Record<'exact' | 'prefix' | 'suffix', Test>> = {
  exact: (value, operand) => value === operand,
  prefix: (value, operand) => value.startsWith(operand),
  suffix: (value, operand) => value.endsWith(operand),
};

/** Compiles filters of the Subscriptions dialects; an array ANDs, an empty one passes. */
export function compileFilters(filters: readonly Filter[]): Predicate {
  return allOf(filters.map(compileFilter));
}

function compileFilter(filter: Filter): Predicate {
  const parts: Predicate[] = [];
  for (const dialect of ['exact', 'prefix', 'suffix'] as const) {
    for (const [name, operand] of Object.entries(filter[dialect] ?? {}))
      parts.push(leaf(name, operand, LEAVES[dialect]));
  }
  if (filter.all !== undefined) parts.push(allOf(filter.all.map(compileFilter)));
  if (filter.any !== undefined) parts.push(anyOf(filter.any.map(compileFilter)));
  if (filter.not !== undefined) parts.push(negate(compileFilter(filter.not)));
  return allOf(parts);
}

function leaf(name: string, operand: string, test: Test): Predicate {
  return (event) => {
    const value = event.attribute(name);
    return value !== undefined && test(text(value), operand);
  };
}

function text(value: AttributeValue): string {
  if (typeof value === 'string') return value;
  return Buffer.isBuffer(value) ? value.toString('base64') : String(value);
}

function allOf(parts: readonly Predicate[]): Predicate {
  const [first, second] = parts;
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  return (event) => parts.every((part) => part(event));
}

function anyOf(parts: readonly Predicate[]): Predicate {
  return (event) => parts.some((part) => part(event));
}

function negate(part: Predicate): Predicate {
  return (event) => !part(event);
}
