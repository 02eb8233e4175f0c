import type { MeshEvent } from '../core/event.ts';
import type { Filter } from '../core/routing.ts';
import { attributeText } from './attribute.ts';
import { compileCesqlFilter } from './cesql/filter.ts';

/** A compiled condition on an event. */
export type Predicate = (event: MeshEvent) => boolean;

type Test = (value: string, operand: string) => boolean;

const LEAVES: Readonly<Record<'exact' | 'prefix' | 'suffix', Test>> = {
  exact: (value, operand) => value === operand,
  prefix: (value, operand) => value.startsWith(operand),
  suffix: (value, operand) => value.endsWith(operand),
};

/**
 * Compiles filters of the Subscriptions dialects; an array ANDs, an empty one passes. Throws FairleadError for an
 * expression that is refused. `onError` is called for each evaluation of an expression that failed or gave no Boolean,
 * which is no match.
 */
export function compileFilters(filters: readonly Filter[], onError: () => void = ignore): Predicate {
  return allOf(filters.map((filter) => compileFilter(filter, onError)));
}

function ignore(): void {
  // The caller does not count.
}

function compileFilter(filter: Filter, onError: () => void): Predicate {
  const each = (inner: readonly Filter[]): Predicate[] => inner.map((one) => compileFilter(one, onError));
  const parts: Predicate[] = [];
  for (const dialect of ['exact', 'prefix', 'suffix'] as const) {
    for (const [name, operand] of Object.entries(filter[dialect] ?? {}))
      parts.push(leaf(name, operand, LEAVES[dialect]));
  }
  if (filter.all !== undefined) parts.push(allOf(each(filter.all)));
  if (filter.any !== undefined) parts.push(anyOf(each(filter.any)));
  if (filter.not !== undefined) parts.push(negate(compileFilter(filter.not, onError)));
  if (filter.sql !== undefined) parts.push(sql(filter.sql, onError));
  return allOf(parts);
}

function sql(text: string, onError: () => void): Predicate {
  const filter = compileCesqlFilter(text);
  return (event) => {
    const verdict = filter(event);
    if (verdict === 'error') onError();
    return verdict === 'match';
  };
}

function leaf(name: string, operand: string, test: Test): Predicate {
  return (event) => {
    const value = event.attribute(name);
    return value !== undefined && test(attributeText(value), operand);
  };
}

/** All of them, in their order. */
export function allOf(parts: readonly Predicate[]): Predicate {
  const [first, second, third] = parts;
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  if (third === undefined) return (event) => first(event) && second(event);
  return (event) => {
    for (const part of parts) if (!part(event)) return false;
    return true;
  };
}

function anyOf(parts: readonly Predicate[]): Predicate {
  return (event) => parts.some((part) => part(event));
}

function negate(part: Predicate): Predicate {
  return (event) => !part(event);
}
