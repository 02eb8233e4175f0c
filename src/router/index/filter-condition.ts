import type { Filter } from '../../core/routing.ts';
import { parseCesql } from '../cesql/parser.ts';
import { cesqlCondition } from './cesql-condition.ts';
import { all, any, type Condition, decisive, UNKNOWN } from './condition.ts';

/** What filters of the Subscriptions dialects ask for. A negation says nothing. */
export function filterCondition(filter: Filter): Condition {
  const parts: Condition[] = [];
  for (const op of ['exact', 'prefix', 'suffix'] as const) {
    for (const [name, value] of Object.entries(filter[op] ?? {})) {
      const field = { kind: 'attribute', name } as const;
      parts.push(decisive(op !== 'exact' && value === '' ? { field, op: 'present' } : { field, op, value }));
    }
  }
  if (filter.all !== undefined) parts.push(...filter.all.map(filterCondition));
  if (filter.any !== undefined) parts.push(any(filter.any.map(filterCondition)));
  if (filter.sql !== undefined) parts.push(cesqlCondition(parseCesql(filter.sql)));
  if (filter.not !== undefined) parts.push(UNKNOWN);
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : all(parts);
}
