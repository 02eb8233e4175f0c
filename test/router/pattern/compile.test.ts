import { describe, expect, test } from 'vitest';
import type { Pattern } from '../../../src/core/routing.ts';
import { LinearMatcher } from '../../../src/router/linear-matcher.ts';
import { patternPredicate } from '../../../src/router/pattern/compile.ts';
import { parsePattern } from '../../../src/router/pattern/parse.ts';
import { extensions, jsonEvent } from '../../setup/events.ts';

const matches = (pattern: Pattern, data: unknown): boolean =>
  patternPredicate(parsePattern({ data: pattern }))(jsonEvent(1, { data: Buffer.from(JSON.stringify(data)) }));

describe('arrays in the body', () => {
  test('any element of an array passes, also of arrays in it', () => {
    expect(matches({ tags: ['b'] }, { tags: ['a', 'b'] })).toBe(true);
    expect(matches({ tags: ['b'] }, { tags: [['a'], [['b']]] })).toBe(true);
    expect(matches({ tags: ['b'] }, { tags: ['a', { b: 'b' }] })).toBe(false);
    expect(matches({ tags: [{ 'anything-but': 'a' }] }, { tags: ['a', 'b'] })).toBe(true);
    expect(matches({ tags: [{ 'anything-but': 'a' }] }, { tags: ['a', 'a'] })).toBe(false);
  });

  test('the fields of a map match in one element', () => {
    const pattern = { items: { sku: ['a'], count: [{ numeric: ['>', 1] }] } };
    expect(matches(pattern, { items: [{ sku: 'b' }, { sku: 'a', count: 2 }] })).toBe(true);
    expect(
      matches(pattern, {
        items: [
          { sku: 'a', count: 1 },
          { sku: 'b', count: 2 },
        ],
      }),
    ).toBe(false);
    expect(matches(pattern, { items: [[{ sku: 'a', count: 2 }]] })).toBe(true);
  });

  test('exists: false alone is about every element, beside others about the one that matches', () => {
    const alone = { items: { gone: [{ exists: false }] } };
    expect(matches(alone, { items: [{ sku: 'a' }, { gone: 1 }] })).toBe(false);
    expect(matches(alone, { items: [{ sku: 'a' }, 3] })).toBe(true);
    expect(matches(alone, { items: [] })).toBe(true);
    const beside = { items: { gone: [{ exists: false }], sku: ['a'] } };
    expect(matches(beside, { items: [{ sku: 'a' }, { gone: 1 }] })).toBe(true);
    expect(matches(beside, { items: [{ sku: 'a', gone: 1 }, { sku: 'b' }] })).toBe(false);
    expect(matches(beside, { items: [] })).toBe(false);
    const either = { items: { gone: [{ exists: false }, 'x'] } };
    expect(matches(either, { items: [{ gone: 'y' }, {}] })).toBe(false);
    expect(matches(either, { items: [{ gone: 'y' }, { gone: 'x' }] })).toBe(true);
  });

  test('a body that is an array', () => {
    expect(matches({ sku: ['a'] }, [{ sku: 'b' }, { sku: 'a' }])).toBe(true);
  });

  test('an array nested too deeply for recursion', () => {
    const deep = Buffer.from(`{"tags":${'['.repeat(50_000)}"b"${']'.repeat(50_000)}}`);
    const passes = patternPredicate(parsePattern({ data: { tags: ['b'] } }));
    expect(passes(jsonEvent(1, { data: deep }))).toBe(true);
  });
});

describe('attributes', () => {
  const event = jsonEvent(1, { extensions: extensions({ level: 3, hot: true, text: '12.5' }) });
  test.each<[Pattern, boolean]>([
    [{ type: ['test.reading'], level: [3], hot: [true] }, true],
    [{ level: ['3'], hot: ['true'] }, true],
    [{ level: [{ numeric: ['>', 2, '<', 4] }] }, true],
    [{ text: [{ numeric: ['=', 12.5] }] }, true],
    [{ level: [{ 'anything-but': 3 }] }, false],
    [{ nothing: [{ exists: false }], level: [{ exists: true }] }, true],
    [{ $or: [{ type: ['x'] }, { data: { n: [1] } }] }, true],
    [{ $or: [{ type: ['x'] }, { data: { n: [2] } }] }, false],
  ])('%j', (pattern, expected) => {
    expect(patternPredicate(parsePattern(pattern))(event)).toBe(expected);
  });
});

test('a route matches by its filters and its pattern', () => {
  const route = { from: [0], filters: [{ exact: { type: 'test.reading' } }], continue: true, disabled: false };
  const matcher = new LinearMatcher([
    { ...route, pattern: { data: { n: [1] } } },
    { ...route, pattern: { data: { n: [2] } } },
    { ...route, filters: [{ exact: { type: 'x' } }], pattern: { data: { n: [1] } } },
  ]);
  const out: number[] = [];
  expect(matcher.match(jsonEvent(1), 0, out)).toBe(1);
  expect(out[0]).toBe(0);
});
