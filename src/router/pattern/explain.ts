import { attributeText } from '../attribute.ts';
import { BRANCHES, quoted, type Refusal, shown } from '../explain/refusal.ts';
import type { PatternNode, TestsNode } from './ast.ts';
import { compileField, compileMap, NO, patternPredicate } from './compile.ts';
import { describeTests } from './describe.ts';
import { elements } from './elements.ts';
import { bodyOf, NOT_JSON, type Subject } from './subject.ts';
import { compileTests, passesAbsent } from './tests.ts';

/**
 * The first part of a pattern that an event does not match, in the order in which they are looked at: attributes, `$or`,
 * body. Undefined where all do. `at` is where the pattern stands. The refusal may show a value of the event.
 */
export function explainPattern(node: PatternNode, subject: Subject, at: string = 'pattern'): Refusal | undefined {
  for (const field of node.fields) {
    if (field.kind !== 'tests' || field.name === 'data') continue;
    const value = subject.attribute(field.name);
    const text = value === undefined ? undefined : attributeText(value);
    if (text === undefined ? passesAbsent(field.tests) : compileTests(field.tests, true)(text)) continue;
    return refuse(field, text, `${at}.${field.name}`);
  }
  for (const group of node.or) {
    if (group.some((one) => patternPredicate(one)(subject))) continue;
    return noneOf(group, `${at}.$or`, (one, place) => explainPattern(one, subject, place));
  }
  const field = node.fields.find(({ name }) => name === 'data');
  if (field === undefined) return undefined;
  const body = bodyOf(subject);
  if (body === NOT_JSON) return notJson(subject.datacontenttype, `${at}.data`);
  return explainField(field, body, at);
}

function notJson(datacontenttype: string | undefined, at: string): Refusal {
  const type =
    datacontenttype === undefined ? 'there is no datacontenttype' : `datacontenttype is ${quoted(datacontenttype)}`;
  return { code: 'not-json', at, message: `the body is not JSON (${type})` };
}

function explainField(field: PatternNode['fields'][number], value: unknown, above: string): Refusal | undefined {
  const at = `${above}.${field.name}`;
  if (compileField(field)(value) !== NO) return undefined;
  if (field.kind === 'tests') return refuse(field, value, at);
  if (!Array.isArray(value)) return explainMap(field.inner, value, at);
  const all = [...elements(value)];
  const [first] = all;
  if (all.length < 2) return explainMap(field.inner, first, at);
  const because = all
    .slice(0, BRANCHES)
    .map((element, index) => explainMap(field.inner, element, `${at}[${index}]`))
    .filter((refusal) => refusal !== undefined);
  return { code: 'no-element', at, message: `none of ${all.length} elements matches by itself`, because };
}

function explainMap({ fields, or }: PatternNode, value: unknown, at: string): Refusal | undefined {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  for (const field of fields) {
    const inner =
      isMap && Object.hasOwn(value, field.name) ? (value as Record<string, unknown>)[field.name] : undefined;
    const refusal = explainField(field, inner, at);
    if (refusal !== undefined) return refusal;
  }
  for (const group of or) {
    if (group.some((one) => compileMap(one)(value) !== NO)) continue;
    return noneOf(group, `${at}.$or`, (one, place) => explainMap(one, value, place));
  }
  return undefined;
}

function noneOf(
  group: readonly PatternNode[],
  at: string,
  explain: (node: PatternNode, at: string) => Refusal | undefined,
): Refusal {
  const because = group
    .slice(0, BRANCHES)
    .map((node, index) => explain(node, `${at}[${index}]`))
    .filter((refusal) => refusal !== undefined);
  return { code: 'none-passes', at, message: `none of ${group.length} alternatives matches`, because };
}

/** A field whose tests a value does not pass. */
function refuse({ name, tests }: TestsNode, value: unknown, at: string): Refusal {
  const expected = shown(describeTests(tests));
  if (value === undefined) return { code: 'missing', at, message: `there is no ${name}`, expected };
  const code = 'differs';
  if (typeof value !== 'object' || value === null) {
    const actual = shown(JSON.stringify(value));
    return { code, at, message: `${name} is ${actual}, not ${expected}`, expected, actual };
  }
  if (!Array.isArray(value)) return { code, at, message: `${name} is a map, and only values are tested`, expected };
  const leaves = [...elements(value)].filter((leaf) => typeof leaf !== 'object' || leaf === null);
  const message =
    leaves.length === 0 ? `${name} is a list without values` : `no value of the list ${name} is ${expected}`;
  return { code, at, message, expected, actual: shown(JSON.stringify(leaves.slice(0, BRANCHES))) };
}
