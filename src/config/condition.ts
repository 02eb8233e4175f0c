import { type CesqlFinding, checkCesql } from '../router/check.ts';
import { type Located, pathText } from './finding.ts';
import { lintPattern } from './pattern.ts';
import type { Filter, GatewayConfig } from './types.ts';

/** What is wrong with an expression, and where in it: YAML may fold lines, so the place in the file is that of its start. */
export function conditionText(text: string, { message, position }: CesqlFinding): string {
  const { line, column } = position;
  return `${message} (${text.includes('\n') ? `line ${line}, ` : ''}character ${column} of the expression)`;
}

/** The risks in the filters and patterns of all routes. Errors were told of when the file was read. */
export function lintConditions({ routes }: GatewayConfig): readonly Located[] {
  return routes.flatMap(({ when: { filters, pattern } }, index) => {
    const path = ['routes', index, 'when'];
    const found = filters.flatMap((filter, number) => lintFilter(filter, [...path, 'filters', number]));
    return pattern === undefined ? found : [...found, ...lintPattern(pattern, [...path, 'pattern'])];
  });
}

function lintFilter(filter: Filter, path: readonly PropertyKey[]): readonly Located[] {
  const { sql, all = [], any = [], not } = filter;
  return [
    ...(sql === undefined ? [] : lintSql(sql, [...path, 'sql'])),
    ...all.flatMap((inner, number) => lintFilter(inner, [...path, 'all', number])),
    ...any.flatMap((inner, number) => lintFilter(inner, [...path, 'any', number])),
    ...(not === undefined ? [] : lintFilter(not, [...path, 'not'])),
  ];
}

function lintSql(text: string, path: readonly PropertyKey[]): readonly Located[] {
  return checkCesql(text)
    .filter(({ severity }) => severity === 'warning')
    .map((finding) => ({
      severity: 'warning',
      code: finding.code,
      path,
      at: 'value',
      message: `${pathText(path)}: ${conditionText(text, finding)}`,
      hint: finding.hint,
    }));
}
