import { attributeText } from '../attribute.ts';
import type { NestedNode, PatternNode, TestsNode } from './ast.ts';
import { elements } from './elements.ts';
import { FieldReader } from './field-reader.ts';
import { compileOnFields } from './on-fields.ts';
import { bodyOf, type Subject } from './subject.ts';
import { compileTests, type Leaf, passesAbsent } from './tests.ts';

/**
 * How a part of a pattern matched. `ABSENT`: only because nothing is there. The difference matters in arrays of objects,
 * where `exists: false` alone speaks of all elements, and beside other tests of the element that passes them.
 */
export const NO = 0;
export const ABSENT = 1;
export const FOUND = 2;
export type Verdict = typeof NO | typeof ABSENT | typeof FOUND;

/** Looks at a value of the body; undefined where there is none. */
type Check = (value: unknown) => Verdict;

/**
 * A condition on events from a pattern. Attributes are asked before the body, which is read only if they match. Patterns
 * that share a reader read a body once for all of them.
 */
export function patternPredicate(
  { fields, or }: PatternNode,
  reader: FieldReader = new FieldReader(),
): (subject: Subject) => boolean {
  const tests: ((subject: Subject) => boolean)[] = [];
  for (const field of fields) if (field.kind === 'tests' && field.name !== 'data') tests.push(ofAttribute(field));
  for (const group of or) {
    const alternatives = group.map((node) => patternPredicate(node, reader));
    tests.push((subject) => alternatives.some((alternative) => alternative(subject)));
  }
  for (const field of fields) if (field.name === 'data') tests.push(ofBody(field, reader));
  const [first, second] = tests;
  if (first !== undefined && second === undefined) return first;
  return (subject) => tests.every((test) => test(subject));
}

function ofAttribute({ name, tests }: TestsNode): (subject: Subject) => boolean {
  const whenAbsent = passesAbsent(tests);
  const passes = compileTests(tests, true);
  return (subject) => {
    const value = subject.attribute(name);
    return value === undefined ? whenAbsent : passes(attributeText(value));
  };
}

/** Decides by the fields alone, unless they come out of several elements of an array. */
function ofBody(field: TestsNode | NestedNode, reader: FieldReader): (subject: Subject) => boolean {
  const onFields = compileOnFields(field, reader);
  let check: Check | undefined; // made when the first body needs it: most rules never see one
  return (subject) => {
    switch (reader.read(subject)) {
      case 'flat':
        return onFields(reader.values);
      case 'crossed':
        check ??= compileField(field);
        return check(bodyOf(subject)) !== NO;
      case 'not-json':
        return false;
    }
  };
}

/** A field of the body, given its value. */
export function compileField(field: TestsNode | NestedNode): Check {
  return field.kind === 'nested' ? compileNested(field.inner) : compileLeaf(field);
}

function compileLeaf({ tests }: TestsNode): Check {
  const absent: Verdict = passesAbsent(tests) ? ABSENT : NO;
  const passes = compileTests(tests, false);
  return (value) => {
    if (typeof value !== 'object' || value === null)
      return value === undefined ? absent : passes(value as Leaf) ? FOUND : NO;
    if (!Array.isArray(value)) return absent;
    let any = false;
    for (const leaf of elements(value)) {
      if (typeof leaf === 'object' && leaf !== null) continue;
      if (passes(leaf as Leaf)) return FOUND;
      any = true;
    }
    return any ? NO : absent;
  };
}

function compileNested(node: PatternNode): Check {
  const check = compileMap(node);
  const nowhere = check(undefined);
  return (value) => {
    if (!Array.isArray(value)) return check(value);
    let verdict: Verdict = nowhere;
    for (const element of elements(value)) {
      const found = check(element);
      if (found === FOUND) return FOUND;
      if (found === NO) verdict = NO;
    }
    return verdict;
  };
}

/** Fields of one map; of anything else than a map every field is absent. */
export function compileMap({ fields, or }: PatternNode): Check {
  const parts = fields.map((field): Check => {
    const get = getter(field.name);
    const check = compileField(field);
    return (value) => check(get(value));
  });
  for (const group of or) parts.push(anyOf(group.map(compileMap)));
  return (value) => {
    const map = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
    let verdict: Verdict = ABSENT;
    for (const part of parts) {
      const found = part(map);
      if (found === NO) return NO;
      if (found === FOUND) verdict = FOUND;
    }
    return verdict;
  };
}

function anyOf(checks: readonly Check[]): Check {
  return (value) => {
    let verdict: Verdict = NO;
    for (const check of checks) {
      const found = check(value);
      if (found === FOUND) return FOUND;
      if (found === ABSENT) verdict = ABSENT;
    }
    return verdict;
  };
}

/** Reads a member; names that every object inherits are read with care. */
function getter(name: string): (map: unknown) => unknown {
  if (name in Object.prototype)
    return (map) => (map !== undefined && Object.hasOwn(map as object, name) ? read(map, name) : undefined);
  return (map) => (map === undefined ? undefined : read(map, name));
}

function read(map: unknown, name: string): unknown {
  return (map as Readonly<Record<string, unknown>>)[name];
}
