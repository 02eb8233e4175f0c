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
  const folded = new Set<string>();
  const others: LeafTest[] = [];
  for (const test of tests) {
    if (test.kind === 'exact') exact.add(test.value);
    else if (test.kind === 'null') exact.add(null);
    else if (test.kind === 'equals-ignore-case') folded.add(foldCase(test.value));
    else others.push(compileTest(test, onText));
  }
  if (folded.size > 0) others.unshift(equalsFolded(folded));
  if (exact.size > 0) others.unshift(isOneOf(exact));
  const [first, second] = others;
  if (first === undefined) return () => false;
  return second === undefined ? first : anyOf(others);
}

function anyOf(tests: readonly LeafTest[]): LeafTest {
  return (value) => tests.some((test) => test(value));
}

/** Apart, so that a test of one value does not hold on to the set. */
function isOneOf(values: ReadonlySet<Leaf>): LeafTest {
  const [only] = values;
  return values.size === 1 ? isExactly(only as Leaf) : (value) => values.has(value);
}

function isExactly(wanted: Leaf): LeafTest {
  return (value) => value === wanted;
}

function compileTest(test: PatternTest, onText: boolean): LeafTest {
  switch (test.kind) {
    case 'exact':
      return isExactly(test.value);
    case 'null':
      return isExactly(null);
    case 'prefix':
    case 'suffix':
      return affix(test);
    case 'equals-ignore-case':
      return equalsFolded(new Set([foldCase(test.value)]));
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

/** Folding makes no text shorter, so a long one is not folded at all. */
function equalsFolded(wanted: ReadonlySet<string>): LeafTest {
  const most = Math.max(...[...wanted].map(({ length }) => length));
  return (value) => typeof value === 'string' && value.length <= most && wanted.has(foldCase(value));
}

function affix({ kind, value: operand, ignoreCase }: PatternTest & { kind: 'prefix' | 'suffix' }): LeafTest {
  if (!ignoreCase) {
    if (kind === 'prefix') return ofText((text) => text.startsWith(operand));
    return ofText((text) => text.endsWith(operand));
  }
  const folded = foldCase(operand);
  const most = folded.length + 1; // one more, since a pair of surrogates may be cut
  if (kind === 'prefix') return ofText((text) => foldCase(text.slice(0, most)).startsWith(folded));
  return ofText((text) => foldCase(text.slice(-most)).endsWith(folded));
}

function ofText(test: (text: string) => boolean): LeafTest {
  return (value) => typeof value === 'string' && test(value);
}

const NUMBER = /^-?(?:0|[1-9]\d{0,308})(?:\.\d{1,308})?(?:[eE][+-]?\d{1,4})?$/;

/** Whether a text is a number as JSON writes it. */
function isNumber(text: string): boolean {
  return NUMBER.test(text);
}
