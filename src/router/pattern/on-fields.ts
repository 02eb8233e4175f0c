import type { NestedNode, PatternNode, TestsNode } from './ast.ts';
import type { FieldReader } from './field-reader.ts';
import type { FieldValue } from './field-scanner.ts';
import { compileTests, passesAbsent } from './tests.ts';

/** Decides by the values of fields. */
type OnFields = (values: readonly FieldValue[]) => boolean;

/** A part of a pattern for bodies that are read field by field (`flat`): no two fields can be of different elements. */
export function compileOnFields(field: TestsNode | NestedNode, reader: FieldReader): OnFields {
  return field.kind === 'nested' ? ofNode(field.inner, reader) : ofTests(field, reader);
}

function ofNode({ fields, or }: PatternNode, reader: FieldReader): OnFields {
  const parts = fields.map((field) => compileOnFields(field, reader));
  for (const group of or) {
    const alternatives = group.map((node) => ofNode(node, reader));
    parts.push((values) => alternatives.some((alternative) => alternative(values)));
  }
  const [first, second] = parts;
  if (first !== undefined && second === undefined) return first;
  return (values) => parts.every((part) => part(values));
}

function ofTests({ path, tests }: TestsNode, reader: FieldReader): OnFields {
  const slot = reader.slot(path.slice(1));
  const whenAbsent = passesAbsent(tests);
  const passes = compileTests(tests, false);
  return (values) => {
    const value = values[slot];
    if (value === undefined) return whenAbsent;
    return typeof value === 'object' && value !== null ? value.some(passes) : passes(value);
  };
}
