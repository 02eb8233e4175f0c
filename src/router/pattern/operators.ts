import type { PatternTest } from './ast.ts';
import { parseNetwork } from './cidr.ts';
import { PATTERN_LIMITS } from './limits.ts';
import { readNumeric } from './numeric.ts';
import type { Place } from './place.ts';
import { parseWildcard } from './wildcard.ts';

type Read = (operand: unknown, place: Place) => PatternTest | undefined;

const READ: Readonly<Record<string, Read>> = {
  exact: (operand, place) => withText(operand, place, (value) => ({ kind: 'exact', value })),
  prefix: (operand, place) => readAffix('prefix', operand, place),
  suffix: (operand, place) => readAffix('suffix', operand, place),
  'anything-but': readAnythingBut,
  'equals-ignore-case': (operand, place) =>
    withText(operand, place, (value) => ({ kind: 'equals-ignore-case', value })),
  numeric: readNumeric,
  exists: readExists,
  wildcard: (operand, place) => withText(operand, place, (text) => readWildcard(text, place)),
  cidr: (operand, place) => withText(operand, place, (text) => readCidr(text, place)),
};

/** What each operator takes and when it passes. */
export const OPERATORS: Readonly<Record<string, string>> = {
  exact: 'Text that is equal; the same as the text alone.',
  prefix: 'Text that begins with this, or { equals-ignore-case: text }.',
  suffix: 'Text that ends with this, or { equals-ignore-case: text }.',
  'equals-ignore-case': 'Text that is equal when case does not count.',
  'anything-but':
    'A value that is not this text or number, none of a list of them, or does not pass { prefix | suffix | equals-ignore-case | wildcard: text or list }.',
  numeric: "A number in a range: ['=', 5], ['>', 0], ['>', 0, '<=', 5].",
  exists: 'true: there is a value. false: there is none.',
  wildcard: 'Text in which each "*" of this stands for any characters; \\* and \\\\ are themselves.',
  cidr: 'Text that is an IPv4 or IPv6 address of this block, e.g. 10.0.0.0/8.',
};

const NAMES: readonly string[] = Object.keys(OPERATORS);

const NEGATED = ['prefix', 'suffix', 'equals-ignore-case', 'wildcard'] as const;

/** Reads one alternative of a list: a value, or a map of one operator. Undefined where something was told. */
export function readTest(entry: unknown, place: Place): PatternTest | undefined {
  if (entry === null) return readNull(place);
  switch (typeof entry) {
    case 'string':
    case 'number':
    case 'boolean':
      return readValue(entry, place);
    case 'object':
      if (!Array.isArray(entry)) return readOperator(entry as object, place);
  }
  return place.error('E_PATTERN_VALUE', 'expected text, a number, true, false, null or a map of one operator');
}

function readValue(value: string | number | boolean, place: Place): PatternTest | undefined {
  if (typeof value === 'string' && value.length > PATTERN_LIMITS.textLength) return tooLong(place);
  if (typeof value === 'number' && !place.isExact(value)) return undefined;
  return { kind: 'exact', value: place.onAttribute ? String(value) : value };
}

function readNull(place: Place): PatternTest | undefined {
  if (!place.onAttribute) return { kind: 'null' };
  return place.error('E_PATTERN_VALUE', 'an attribute is never null', 'for one that is absent write { exists: false }');
}

function readOperator(map: object, place: Place): PatternTest | undefined {
  const names = Object.keys(map);
  const [name, second] = names;
  if (name === undefined) return place.error('E_PATTERN_OPERATOR', 'expected an operator, found an empty map');
  if (second !== undefined) {
    const hint = 'alternatives stand beside each other: [{ … }, { … }]';
    return place.error('E_PATTERN_OPERATOR', `expected one operator, found ${names.length} in one map`, hint);
  }
  const read = Object.hasOwn(READ, name) ? READ[name] : undefined;
  if (read === undefined) return place.at(name).unknown('an operator', name, NAMES);
  return read((map as Record<string, unknown>)[name], place.at(name));
}

function withText<T>(operand: unknown, place: Place, make: (text: string) => T): T | undefined {
  if (typeof operand !== 'string') return place.error('E_PATTERN_VALUE', 'expected text');
  return operand.length > PATTERN_LIMITS.textLength ? tooLong(place) : make(operand);
}

function tooLong(place: Place): undefined {
  return place.error('E_PATTERN_TOO_LARGE', `longer than ${PATTERN_LIMITS.textLength} characters`);
}

function readAffix(kind: 'prefix' | 'suffix', operand: unknown, place: Place): PatternTest | undefined {
  if (typeof operand !== 'object' || operand === null || Array.isArray(operand))
    return withText(operand, place, (value) => ({ kind, value, ignoreCase: false }));
  const [name, second] = Object.keys(operand);
  if (name !== 'equals-ignore-case' || second !== undefined)
    return place.error('E_PATTERN_VALUE', `expected text or { equals-ignore-case: text }`);
  const text = (operand as Record<string, unknown>)[name];
  return withText(text, place.at(name), (value) => ({ kind, value, ignoreCase: true }));
}

function readExists(operand: unknown, place: Place): PatternTest | undefined {
  if (typeof operand === 'boolean') return { kind: 'exists', value: operand };
  return place.error('E_PATTERN_VALUE', 'expected true or false');
}

function readWildcard(text: string, place: Place): PatternTest | undefined {
  const segments = parseWildcard(text);
  if (typeof segments === 'string')
    return place.error('E_PATTERN_WILDCARD', segments, 'a literal "*" is written \\*, a backslash \\\\');
  return place.countStars(segments.length - 1) ? { kind: 'wildcard', segments } : undefined;
}

function readCidr(text: string, place: Place): PatternTest | undefined {
  const network = parseNetwork(text);
  if (network !== undefined) return { kind: 'cidr', network };
  return place.error('E_PATTERN_VALUE', 'expected a block of addresses, e.g. 10.0.0.0/8 or 2001:db8::/32');
}

function readAnythingBut(operand: unknown, place: Place): PatternTest | undefined {
  if (typeof operand === 'object' && operand !== null && !Array.isArray(operand)) {
    const [name, second] = Object.keys(operand);
    const known = NEGATED.find((negated) => negated === name);
    if (name === undefined || second !== undefined)
      return place.error('E_PATTERN_OPERATOR', 'expected one operator', `known: ${NEGATED.join(', ')}`);
    if (known === undefined) return place.at(name).unknown('an operator of anything-but', name, NEGATED);
    const inner = (operand as Record<string, unknown>)[name];
    return negation(inner, place.at(name), (text, at) => readNegated(known, text, at));
  }
  const kinds = new Set(listOf(operand).map((value) => typeof value));
  if (kinds.size > 1) return place.error('E_PATTERN_VALUE', 'expected all text or all numbers');
  return negation(operand, place, (value, at) => {
    if (typeof value === 'string' || typeof value === 'number') return readValue(value, at);
    return at.error('E_PATTERN_VALUE', 'expected text, numbers, or a map of one operator');
  });
}

function readNegated(kind: (typeof NEGATED)[number], operand: unknown, place: Place): PatternTest | undefined {
  const empty = operand === '' && (kind === 'prefix' || kind === 'suffix');
  if (empty) return place.error('E_PATTERN_VALUE', `every text has the ${kind} "", so this never matches`);
  return withText(operand, place, (value) => READ[kind]?.(value, place));
}

function negation(
  operand: unknown,
  place: Place,
  read: (value: unknown, place: Place) => PatternTest | undefined,
): PatternTest | undefined {
  const list = listOf(operand);
  if (list.length === 0) return place.error('E_PATTERN_VALUE', 'expected at least one value');
  if (!place.count(list.length)) return undefined;
  const tests = list.map((value, index) => read(value, Array.isArray(operand) ? place.at(index) : place));
  const known = tests.filter((test) => test !== undefined);
  return known.length === tests.length ? { kind: 'anything-but', tests: known } : undefined;
}

function listOf(operand: unknown): readonly unknown[] {
  return Array.isArray(operand) ? operand : [operand];
}
