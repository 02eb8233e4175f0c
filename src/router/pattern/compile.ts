import { attributeText } from '../attribute.ts';
import type { Predicate } from '../filter.ts';
import type { NestedNode, PatternNode, TestsNode } from './ast.ts';
import { bodyOf, NOT_JSON, type Subject } from './subject.ts';
import { compileTests, type Leaf } from './tests.ts';

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

/** A condition on events from a pattern. Attributes are asked before the body, which is parsed only if they match. */
export function patternPredicate(node: PatternNode): Predicate {
  return compileSubject(node);
}

/** {@link patternPredicate} for anything that has attributes and a body. */
export function compileSubject({ fields, or }: PatternNode): (subject: Subject) => boolean {
  const tests: ((subject: Subject) => boolean)[] = [];
  for (const field of fields) if (field.kind === 'tests' && field.name !== 'data') tests.push(ofAttribute(field));
  for (const group of or) {
    const alternatives = group.map(compileSubject);
    tests.push((subject) => alternatives.some((alternative) => alternative(subject)));
  }
  for (const field of fields) if (field.name === 'data') tests.push(ofBody(field));
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

function ofBody(field: TestsNode | NestedNode): (subject: Subject) => boolean {
  const check = compileField(field);
  return (subject) => {
    const body = bodyOf(subject);
    return body !== NOT_JSON && check(body) !== NO;
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

function passesAbsent(tests: TestsNode['tests']): boolean {
  return tests.some((test) => test.kind === 'exists' && !test.value);
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
function compileMap({ fields, or }: PatternNode): Check {
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

/** The elements of an array, those of arrays within it included, in any order. Not recursive: a body may nest deeply. */
function* elements(array: readonly unknown[]): Generator<unknown> {
  const open: (readonly unknown[])[] = [array];
  for (let list = open.pop(); list !== undefined; list = open.pop()) {
    for (const element of list) {
      if (Array.isArray(element)) open.push(element);
      else yield element;
    }
  }
}
