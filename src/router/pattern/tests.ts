import type { PatternTest } from './ast.ts';
import { compileCidr } from './cidr.ts';
import { foldCase } from './fold.ts';
import { compileRange } from './numeric.ts';
import { compileWildcard } from './wildcard.ts';

/** A value that has no values within. */
export type Leaf = string | number | boolean | null;

/** A test of a value that is there. */
export type LeafTest = (value: Leaf) => boolean;

/** Whether one of the tests passes where there is no value. */
export function passesAbsent(tests: readonly PatternTest[]): boolean {
  return tests.some((test) => test.kind === 'exists' && !test.value);
}

/** Compiles tests of which one must pass. `onText`: for an attribute, which is text even where it is a number. */
export function compileTests(tests: readonly PatternTest[], onText: boolean): LeafTest {
  const exact = new Set<Leaf>();
  const others: LeafTest[] = [];
  for (const test of tests) {
    if (test.kind === 'exact') exact.add(test.value);
    else if (test.kind === 'null') exact.add(null);
    else others.push(compileTest(test, onText));
  }
  const [only] = exact;
  if (exact.size === 1) others.unshift((value) => value === only);
  else if (exact.size > 1) others.unshift((value) => exact.has(value));
  const [first, second] = others;
  if (first === undefined) return () => false;
  return second === undefined ? first : (value) => others.some((test) => test(value));
}

function compileTest(test: PatternTest, onText: boolean): LeafTest {
  switch (test.kind) {
    case 'exact':
      return (value) => value === test.value;
    case 'null':
      return (value) => value === null;
    case 'prefix':
      return affix(test, (text, operand) => text.startsWith(operand));
    case 'suffix':
      return affix(test, (text, operand) => text.endsWith(operand));
    case 'equals-ignore-case': {
      const wanted = foldCase(test.value);
      return (value) => typeof value === 'string' && foldCase(value) === wanted;
    }
    case 'numeric': {
      const inRange = compileRange(test.min, test.max);
      if (onText) return (value) => typeof value === 'string' && isNumber(value) && inRange(Number(value));
      return (value) => typeof value === 'number' && inRange(value);
    }
    case 'exists':
      return () => test.value;
    case 'wildcard':
      return ofText(compileWildcard(test.segments));
    case 'cidr':
      return ofText(compileCidr(test.network));
    case 'anything-but': {
      const passes = compileTests(test.tests, onText);
      return (value) => !passes(value);
    }
  }
}

function affix(
  { value: operand, ignoreCase }: PatternTest & { kind: 'prefix' | 'suffix' },
  test: (text: string, operand: string) => boolean,
): LeafTest {
  if (!ignoreCase) return (value) => typeof value === 'string' && test(value, operand);
  const folded = foldCase(operand);
  return (value) => typeof value === 'string' && test(foldCase(value), folded);
}

function ofText(test: (text: string) => boolean): LeafTest {
  return (value) => typeof value === 'string' && test(value);
}

const NUMBER = /^-?(?:0|[1-9]\d{0,308})(?:\.\d{1,308})?(?:[eE][+-]?\d{1,4})?$/;

/** Whether a text is a number as JSON writes it. */
function isNumber(text: string): boolean {
  return NUMBER.test(text);
}
