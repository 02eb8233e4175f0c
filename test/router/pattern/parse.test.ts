import { describe, expect, test } from 'vitest';
import { PatternError } from '../../../src/router/pattern/finding.ts';
import { PATTERN_LIMITS } from '../../../src/router/pattern/limits.ts';
import { checkPattern, parsePattern } from '../../../src/router/pattern/parse.ts';

const codes = (raw: unknown): string[] => checkPattern(raw).map(({ code, path }) => `${code} ${path.join('.')}`);
const field = (entry: unknown): string[] => codes({ data: { a: [entry] } });

function nested(levels: number): unknown {
  let pattern: unknown = [1];
  for (let level = 0; level < levels; level += 1) pattern = { a: pattern };
  return { data: pattern };
}

describe('reading a pattern', () => {
  test('gives a tree of typed tests', () => {
    const node = parsePattern({
      hops: [3, { numeric: ['>', 5] }],
      data: {
        a: { b: [{ 'anything-but': { prefix: ['x', 'y'] } }] },
        $or: [{ c: [null] }, { d: [{ wildcard: 'a*' }] }],
      },
    });
    expect(node.fields[0]).toEqual({
      kind: 'tests',
      name: 'hops',
      path: ['hops'],
      tests: [
        { kind: 'exact', value: '3' },
        { kind: 'numeric', min: { value: 5, inclusive: false }, max: undefined },
      ],
    });
    expect(node.fields[1]).toMatchObject({
      kind: 'nested',
      inner: {
        fields: [{ name: 'a', inner: { fields: [{ path: ['data', 'a', 'b'] }] } }],
        or: [[{ fields: [{ tests: [{ kind: 'null' }] }] }, { fields: [{ tests: [{ segments: ['a', ''] }] }] }]],
      },
    });
  });

  test.each<[unknown, string]>([
    [null, 'E_PATTERN_SHAPE '],
    ['x', 'E_PATTERN_SHAPE '],
    [{}, 'E_PATTERN_SHAPE '],
    [{ data: 5 }, 'E_PATTERN_SHAPE data'],
    [{ data: [] }, 'E_PATTERN_SHAPE data'],
    [{ data: { a: undefined } }, 'E_PATTERN_SHAPE data.a'],
    [{ 'not a name': [1] }, 'E_PATTERN_ATTRIBUTE not a name'],
    [{ $or: [{ type: ['a'] }] }, 'E_PATTERN_SHAPE $or'],
    [{ $or: [{ type: ['a'] }, 5] }, 'E_PATTERN_SHAPE $or.1'],
    [{ type: { a: [1] } }, 'E_PATTERN_SHAPE type'],
  ])('%j', (raw, expected) => {
    expect(codes(raw)).toEqual([expected]);
    expect(() => parsePattern(raw)).toThrow(PatternError);
  });

  test.each<[unknown, string]>([
    [['x'], 'E_PATTERN_VALUE data.a.0'],
    [{}, 'E_PATTERN_OPERATOR data.a.0'],
    [{ toString: 1 }, 'E_PATTERN_OPERATOR data.a.0.toString'],
    [{ prefix: 5 }, 'E_PATTERN_VALUE data.a.0.prefix'],
    [{ prefix: { suffix: 'x' } }, 'E_PATTERN_VALUE data.a.0.prefix'],
    [{ numeric: '> 5' }, 'E_PATTERN_VALUE data.a.0.numeric'],
    [{ numeric: ['==', 5] }, 'E_PATTERN_VALUE data.a.0.numeric.0'],
    [{ numeric: ['>', Number.NaN] }, 'E_PATTERN_VALUE data.a.0.numeric.1'],
    [{ numeric: ['>', 1, '>=', 2] }, 'E_PATTERN_VALUE data.a.0.numeric'],
    [{ numeric: ['=', 1, '<', 2] }, 'E_PATTERN_VALUE data.a.0.numeric'],
    [{ numeric: ['>', 5, '<', 5] }, 'E_PATTERN_VALUE data.a.0.numeric'],
    [{ numeric: ['=', 2 ** 53] }, 'E_PATTERN_VALUE data.a.0.numeric.1'],
    [2 ** 53, 'E_PATTERN_VALUE data.a.0'],
    [Number.POSITIVE_INFINITY, 'E_PATTERN_VALUE data.a.0'],
    [{ exists: 1 }, 'E_PATTERN_VALUE data.a.0.exists'],
    [{ wildcard: 'a**' }, 'E_PATTERN_WILDCARD data.a.0.wildcard'],
    [{ wildcard: 'a\\b' }, 'E_PATTERN_WILDCARD data.a.0.wildcard'],
    [{ wildcard: 'a\\' }, 'E_PATTERN_WILDCARD data.a.0.wildcard'],
    [{ cidr: '10.0.0.0/33' }, 'E_PATTERN_VALUE data.a.0.cidr'],
    [{ cidr: '::/129' }, 'E_PATTERN_VALUE data.a.0.cidr'],
    [{ cidr: '::1::/8' }, 'E_PATTERN_VALUE data.a.0.cidr'],
    [{ 'anything-but': [] }, 'E_PATTERN_VALUE data.a.0.anything-but'],
    [{ 'anything-but': [1, 'a'] }, 'E_PATTERN_VALUE data.a.0.anything-but'],
    [{ 'anything-but': true }, 'E_PATTERN_VALUE data.a.0.anything-but'],
    [{ 'anything-but': [null] }, 'E_PATTERN_VALUE data.a.0.anything-but.0'],
    [{ 'anything-but': { cidr: '::/8' } }, 'E_PATTERN_OPERATOR data.a.0.anything-but.cidr'],
    [{ 'anything-but': { suffix: ['x', ''] } }, 'E_PATTERN_VALUE data.a.0.anything-but.suffix.1'],
  ])('%j', (entry, expected) => {
    expect(field(entry)).toEqual([expected]);
  });

  test('is bounded in depth, size, length and wildcards', () => {
    const { depth, entries, textLength, stars } = PATTERN_LIMITS;
    expect(codes(nested(depth - 1))).toEqual([]);
    expect(codes(nested(depth))[0]).toMatch(/^E_PATTERN_TOO_LARGE data\.a/);
    expect(codes(nested(100_000))[0]).toMatch(/^E_PATTERN_TOO_LARGE/);
    const values = Array.from({ length: entries }, (_, n) => n);
    expect(codes({ data: { a: values.slice(2) } })).toEqual([]);
    expect(codes({ data: { a: values } })).toEqual(['E_PATTERN_TOO_LARGE data.a']);
    expect(codes({ data: { a: [{ 'anything-but': values }] } })).toEqual(['E_PATTERN_TOO_LARGE data.a.0.anything-but']);
    expect(field('x'.repeat(textLength))).toEqual([]);
    expect(field({ prefix: 'x'.repeat(textLength + 1) })).toEqual(['E_PATTERN_TOO_LARGE data.a.0.prefix']);
    expect(field({ wildcard: 'a*'.repeat(stars) })).toEqual([]);
    expect(field({ wildcard: 'a*'.repeat(stars + 1) })).toEqual(['E_PATTERN_WILDCARD data.a.0.wildcard']);
  });

  test('says where and what to do in one line', () => {
    expect(() => parsePattern({ data: { a: [{ numerc: ['>', 5] }] } })).toThrow(
      'data.a[0].numerc: "numerc" is not an operator — known: exact, prefix,',
    );
  });
});
