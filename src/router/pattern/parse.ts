import type { NestedNode, PatternNode, PatternTest, TestsNode } from './ast.ts';
import { PatternError, type PatternFinding } from './finding.ts';
import { PATTERN_LIMITS } from './limits.ts';
import { OPERATORS, readTest } from './operators.ts';
import { Place } from './place.ts';

/** What reading a pattern gave: everything that is wrong or risky, and the tree where nothing is wrong. */
export interface PatternReading {
  readonly node: PatternNode | undefined;
  readonly findings: readonly PatternFinding[];
}

/** Reads a pattern as it stands in a configuration or program. Throws PatternError for the first mistake. */
export function parsePattern(raw: unknown): PatternNode {
  const { node, findings } = readPattern(raw);
  const error = findings.find(({ severity }) => severity === 'error');
  if (error !== undefined) throw new PatternError(error);
  return node as PatternNode;
}

/** Everything that is wrong with a pattern, or risky, in the order of the pattern. Throws nothing. */
export function checkPattern(raw: unknown): readonly PatternFinding[] {
  return readPattern(raw).findings;
}

/** {@link parsePattern} that tells of everything and throws nothing. */
export function readPattern(raw: unknown): PatternReading {
  const found: PatternFinding[] = [];
  const node = readFields(raw, new Place([], true, { found, entries: 0, stars: 0 }), [], 0);
  return { node: found.some(({ severity }) => severity === 'error') ? undefined : node, findings: found };
}

function readFields(raw: unknown, place: Place, path: readonly string[], depth: number): PatternNode | undefined {
  if (!isMap(raw)) {
    const example = path.length === 0 ? "{ data: { celsius: [{ numeric: ['>', 90] }] } }" : '{ celsius: [21] }';
    return place.error('E_PATTERN_SHAPE', `expected a map of fields, e.g. ${example}`);
  }
  if (depth >= PATTERN_LIMITS.depth)
    return place.error('E_PATTERN_TOO_LARGE', `nested more than ${PATTERN_LIMITS.depth} levels deep`);
  const names = Object.keys(raw);
  if (names.length === 0)
    return place.error('E_PATTERN_SHAPE', 'expected at least one field, found an empty map', 'leave it out');
  if (!place.count(names.length)) return undefined;
  const fields: (TestsNode | NestedNode)[] = [];
  const or: (readonly PatternNode[])[] = [];
  for (const name of names) {
    const value = raw[name];
    if (name === '$or') {
      const group = readOr(value, place.at(name), path, depth);
      if (group !== undefined) or.push(group);
      continue;
    }
    const inBody = path.length > 0 || name === 'data';
    const field = readField(name, value, place.at(name, !inBody), [...path, name], depth);
    if (field !== undefined) fields.push(field);
  }
  return { fields, or };
}

function readOr(
  raw: unknown,
  place: Place,
  path: readonly string[],
  depth: number,
): readonly PatternNode[] | undefined {
  if (!Array.isArray(raw) || raw.length < 2)
    return place.error('E_PATTERN_SHAPE', 'expected a list of two or more patterns, e.g. [{ … }, { … }]');
  const nodes = raw.map((one, index) => readFields(one, place.at(index), path, depth + 1));
  return nodes.filter((node) => node !== undefined);
}

function readField(
  name: string,
  value: unknown,
  place: Place,
  path: readonly string[],
  depth: number,
): TestsNode | NestedNode | undefined {
  if (place.onAttribute && !/^[a-z0-9]+$/.test(name)) {
    const hint = 'fields of the body stand under "data"';
    return place.error('E_PATTERN_ATTRIBUTE', `"${name}" is not the name of an attribute`, hint);
  }
  if (Array.isArray(value)) {
    if (!place.count(value.length)) return undefined;
    if (value.length === 0) return place.error('E_PATTERN_SHAPE', 'expected at least one value, found an empty list');
    const tests = value.map((entry, index) => readTest(entry, place.at(index))).filter((test) => test !== undefined);
    warnOfTests(name, tests, place);
    return { kind: 'tests', name, path, tests };
  }
  if (!isMap(value)) {
    const expected = place.onAttribute ? 'a list of values' : 'a list of values or a map of fields';
    return place.error('E_PATTERN_SHAPE', `expected ${expected}`, listOf(value));
  }
  const operator = Object.keys(value).find((key) => Object.hasOwn(OPERATORS, key));
  if (place.onAttribute) {
    const hint = operator === undefined ? 'fields of the body stand under "data"' : `write [{ ${operator}: … }]`;
    return place.error('E_PATTERN_SHAPE', 'expected a list of values: an attribute has no fields', hint);
  }
  if (operator !== undefined) {
    const message = `"${operator}" is read as a field of the body here`;
    place.at(operator).warn('W_PATTERN_FIELD', message, `the operator is written in a list: [{ ${operator}: … }]`);
  }
  const inner = readFields(value, place, path, depth + 1);
  return inner && { kind: 'nested', name, path, inner };
}

/** Attributes that are never a number, whatever the event. */
const TEXTS: readonly string[] = ['source', 'type', 'time', 'datacontenttype', 'dataschema'];
const REQUIRED: readonly string[] = ['id', 'source', 'type', 'specversion'];

function warnOfTests(name: string, tests: readonly PatternTest[], place: Place): void {
  if (!place.onAttribute) return;
  for (const [index, test] of tests.entries()) {
    if (test.kind === 'numeric' && TEXTS.includes(name))
      place.at(index).warn('W_PATTERN_NEVER', `"${name}" is never a number, so this never matches`);
    if (test.kind === 'exists' && !test.value && REQUIRED.includes(name))
      place.at(index).warn('W_PATTERN_NEVER', `every event has "${name}", so this never matches`);
  }
}

function listOf(value: unknown): string | undefined {
  return typeof value === 'object' || value === undefined ? undefined : 'put it in a list: [ … ]';
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
