import type { MeshEvent } from '../../core/event.ts';
import type { Filter } from '../../core/routing.ts';
import { attributeText } from '../attribute.ts';
import { compileFilters } from '../filter.ts';
import { BRANCHES, quoted, type Refusal, shown } from './refusal.ts';
import { explainSql } from './sql.ts';

/** Gives the first condition that does not hold, or undefined where all do. */
export type Explain = (event: MeshEvent) => Refusal | undefined;

const LEAVES = {
  exact: { test: (value: string, operand: string) => value === operand, verb: 'is', wanted: '' },
  prefix: {
    test: (value: string, operand: string) => value.startsWith(operand),
    verb: 'is',
    wanted: 'beginning with ',
  },
  suffix: { test: (value: string, operand: string) => value.endsWith(operand), verb: 'is', wanted: 'ending with ' },
} as const;

/** {@link compileFilters} for people: in the same order, which is that of the dialects and not of the file. */
export function explainFilters(filters: readonly Filter[], at: string): Explain {
  return first(filters.map((filter, index) => explainFilter(filter, `${at}[${index}]`)));
}

function explainFilter(filter: Filter, at: string): Explain {
  const parts: Explain[] = [];
  for (const dialect of ['exact', 'prefix', 'suffix'] as const) {
    for (const [name, operand] of Object.entries(filter[dialect] ?? {}))
      parts.push(leaf(dialect, name, operand, `${at}.${dialect}.${name}`));
  }
  if (filter.all !== undefined) parts.push(explainFilters(filter.all, `${at}.all`));
  if (filter.any !== undefined) parts.push(any(filter.any, `${at}.any`));
  if (filter.not !== undefined) parts.push(not(filter.not, `${at}.not`));
  if (filter.sql !== undefined) parts.push(explainSql(filter.sql, `${at}.sql`));
  return first(parts);
}

function first(parts: readonly Explain[]): Explain {
  return (event) => {
    for (const part of parts) {
      const refusal = part(event);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  };
}

function leaf(dialect: keyof typeof LEAVES, name: string, operand: string, at: string): Explain {
  const { test, verb, wanted } = LEAVES[dialect];
  const expected = shown(operand);
  return (event) => {
    const value = event.attribute(name);
    if (value === undefined) return { code: 'missing', at, message: `the event has no ${name}`, expected };
    const text = attributeText(value);
    if (test(text, operand)) return undefined;
    const message = `${name} ${verb} ${quoted(text)}, not ${wanted}${quoted(operand)}`;
    return { code: 'differs', at, message, expected, actual: shown(text) };
  };
}

function any(filters: readonly Filter[], at: string): Explain {
  const branches = filters.map((filter, index) => explainFilter(filter, `${at}[${index}]`));
  return (event) => {
    const because: Refusal[] = [];
    for (const branch of branches) {
      const refusal = branch(event);
      if (refusal === undefined) return undefined;
      if (because.length < BRANCHES) because.push(refusal);
    }
    const message = filters.length === 1 ? 'its one filter does not pass' : `none of ${filters.length} filters passes`;
    return { code: 'none-passes', at, message, because };
  };
}

function not(filter: Filter, at: string): Explain {
  const passes = compileFilters([filter]);
  return (event) => (passes(event) ? { code: 'passes', at, message: 'the filter passes and must not' } : undefined);
}
