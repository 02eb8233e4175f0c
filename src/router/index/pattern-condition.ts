import type { PatternNode, PatternTest, TestsNode } from '../pattern/ast.ts';
import { foldCase } from '../pattern/fold.ts';
import { all, any, type Condition, decisive, type Field, inText, term, UNKNOWN } from './condition.ts';

/** What must hold for a pattern to match. That fields belong to one element of an array is left to the pattern. */
export function patternCondition({ fields, or }: PatternNode): Condition {
  const parts = fields.map((field) =>
    field.kind === 'nested' ? patternCondition(field.inner) : testsCondition(field),
  );
  for (const group of or) parts.push(any(group.map(patternCondition)));
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : all(parts);
}

function testsCondition({ path, tests }: TestsNode): Condition {
  const [first = '', ...below] = path;
  const field: Field = first === 'data' ? { kind: 'body', path: below } : { kind: 'attribute', name: first };
  const [test] = tests;
  return tests.length === 1 && test !== undefined
    ? testCondition(field, test)
    : any(tests.map((one) => testCondition(field, one)));
}

function testCondition(field: Field, test: PatternTest): Condition {
  switch (test.kind) {
    case 'exact':
      return decisive({ field, op: 'exact', value: test.value });
    case 'null':
      return decisive({ field, op: 'exact', value: null });
    case 'prefix':
    case 'suffix':
      if (test.ignoreCase || test.value === '') return term({ field, op: 'present' });
      return decisive({ field, op: test.kind, value: test.value });
    case 'equals-ignore-case':
      return decisive({ field, op: 'folded', value: foldCase(test.value) });
    case 'numeric': {
      const low = test.min?.value ?? Number.NEGATIVE_INFINITY;
      const high = test.max?.value ?? Number.POSITIVE_INFINITY;
      if (low === high && field.kind === 'body') return term({ field, op: 'exact', value: low });
      return term({ field, op: 'range', low, high });
    }
    case 'wildcard': {
      const { segments } = test;
      const [head = ''] = segments;
      if (segments.length === 1) return decisive({ field, op: 'exact', value: head });
      return inText(field, segments);
    }
    case 'exists':
      return test.value ? term({ field, op: 'present' }) : UNKNOWN;
    case 'cidr':
    case 'anything-but':
      return term({ field, op: 'present' });
  }
}
