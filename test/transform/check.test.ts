import { describe, expect, test } from 'vitest';
import type { TransformStep } from '../../src/core/transform.ts';
import { checkStep } from '../../src/transform/check.ts';
import { compileTransform } from '../../src/transform/compile.ts';
import { NO_JSONATA } from './steps.ts';

const told = (step: TransformStep): string[] =>
  checkStep(step).map(({ code, path, message }) => `${code} ${path.join('/')}: ${message}`);

describe('what is refused', () => {
  test.each<[TransformStep, RegExp]>([
    [{ set: { data: 'x' } }, /E_TRANSFORM_STEP set\/data: "data" is not an attribute/],
    [{ set: { specversion: '1.0' } }, /E_TRANSFORM_STEP set\/specversion/],
    [{ set: { tenantId: 'x' } }, /E_TRANSFORM_STEP set\/tenantId: .*lower-case/],
    [{ set: { type: '' } }, /E_TRANSFORM_ATTRIBUTE set\/type: .*empty/],
    [{ set: { time: 'now' } }, /E_TRANSFORM_ATTRIBUTE set\/time: .*RFC 3339/],
    [{ set: { hop: 1.5 } }, /E_TRANSFORM_ATTRIBUTE set\/hop: .*32-bit/],
    [{ set: { subject: true } }, /E_TRANSFORM_ATTRIBUTE set\/subject: .*string/],
    [{ set: { subject: '{a' } }, /E_TEMPLATE set\/subject/],
    [{ set: { subject: '{order.id}' } }, /E_TEMPLATE set\/subject: .*\{data\.order\.id\}/],
    [{ rename: { type: 'kind' } }, /E_TRANSFORM_STEP rename\/type: every event must have "type"/],
    [{ rename: { a: 'c', b: 'c' } }, /E_TRANSFORM_STEP rename: two are renamed to "c"/],
    [{ remove: ['a', 'id'] }, /E_TRANSFORM_STEP remove\/1: every event must have "id"/],
    [{ split: 'items' }, /E_TRANSFORM_PATH split: .*begin with "data"/],
    [{ data: { set: { 'a..b': 1 } } }, /E_TRANSFORM_PATH data\/set\/a..b: .*empty name/],
    [{ data: { set: { 'a.*': 1 } } }, /E_TRANSFORM_PATH data\/set\/a.\*: .*many fields/],
    [{ data: { set: { a: [{ b: '{x.y}' }] } } }, /E_TEMPLATE data\/set\/a/],
    [{ data: { remove: ['a\\'] } }, /E_TRANSFORM_PATH data\/remove\/0: .*backslash/],
    [{ data: { jsonata: '1', remove: ['a'] } }, /E_TRANSFORM_STEP data: jsonata makes all of the data/],
    [{ data: { remove: ['a'], timeoutMs: 5 } }, /E_TRANSFORM_STEP data: timeout/],
    [{ data: { jsonata: '{ "a": ' } }, /E_TRANSFORM_SYNTAX data\/jsonata: not a JSONata expression: .*character 7/],
    [{ data: { jsonata: '\n\n  $foo(' } }, /E_TRANSFORM_SYNTAX data\/jsonata: .*line 3, character/],
    [{ data: { jsonata: '/[/' } }, /E_TRANSFORM_SYNTAX/],
    [{ data: { jsonata: '$eval(a)' } }, /E_TRANSFORM_SYNTAX data\/jsonata: \$eval is not available/],
    [{ data: { jsonata: '($e := $eval; $e(a))' } }, /\$eval is not available/],
    [{ data: { jsonata: '$match(a, /(x)\\1/)' } }, /cannot be run in linear time \(character/],
    [{ data: { jsonata: '$match(a, /x(?=y)/)' } }, /cannot be run in linear time/],
    [{ data: { jsonata: '('.repeat(20_000) } }, /more than 16384 characters/],
    [{ data: { jsonata: '('.repeat(16_000) } }, /E_TRANSFORM_SYNTAX/],
  ])('%o', (step, expected) => {
    expect(told(step).join('\n')).toMatch(expected);
  });
});

test('what is not refused compiles', () => {
  const steps: TransformStep[] = [
    { set: { type: 'a.{type}', region: '{{eu}}', hop: 3, urgent: true }, rename: { a: 'b', b: 'a' }, remove: ['c'] },
    { data: { set: { 'a.b': { c: ['{data.x.0}', 1, null] } }, rename: { x: 'y' }, remove: ['items.*.note'] } },
    { data: { jsonata: '$map(items, function($i) { $i.p * 2 })', timeoutMs: 50, maxBytes: 10 } },
    { split: 'data.items' },
  ];
  for (const step of steps) expect(told(step)).toEqual([]);
  expect(compileTransform(steps, NO_JSONATA).kind).toBe('staged');
  expect(compileTransform(steps.slice(0, 2), NO_JSONATA).kind).toBe('inline');
});
