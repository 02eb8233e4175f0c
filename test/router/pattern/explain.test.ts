import { describe, expect, test } from 'vitest';
import type { Pattern } from '../../../src/core/routing.ts';
import type { Refusal } from '../../../src/router/explain/refusal.ts';
import { explainPattern } from '../../../src/router/pattern/explain.ts';
import { parsePattern } from '../../../src/router/pattern/parse.ts';
import { jsonEvent } from '../../setup/events.ts';

const explain = (pattern: Pattern, data: unknown, datacontenttype = 'application/json'): Refusal | undefined =>
  explainPattern(parsePattern(pattern), jsonEvent(1, { datacontenttype, data: Buffer.from(JSON.stringify(data)) }));
const line = (...given: Parameters<typeof explain>): string => {
  const refusal = explain(...given);
  return refusal === undefined ? 'matches' : `${refusal.at}: ${refusal.message}`;
};

describe('why a pattern does not match', () => {
  test.each<[Pattern, unknown, string]>([
    [{ data: { celsius: [{ numeric: ['>', 90] }] } }, { celsius: 91 }, 'matches'],
    [
      { data: { celsius: [{ numeric: ['>', 90] }] } },
      { celsius: 85 },
      'pattern.data.celsius: celsius is 85, not a number > 90',
    ],
    [{ data: { a: { b: ['x', null] } } }, { a: {} }, 'pattern.data.a.b: there is no b'],
    [{ data: { a: ['x'] } }, { a: { b: 1 } }, 'pattern.data.a: a is a map, and only values are tested'],
    [{ data: { a: ['x'] } }, { a: [] }, 'pattern.data.a: a is a list without values'],
    [
      { data: { a: ['x', { suffix: 'y' }] } },
      { a: ['z'] },
      'pattern.data.a: no value of the list a is "x" or text ending with "y"',
    ],
    [{ data: { a: [{ exists: false }] } }, { a: null }, 'pattern.data.a: a is null, not no value'],
    [
      { type: [{ prefix: { 'equals-ignore-case': 'com' } }], data: { n: [1] } },
      { n: 2 },
      'pattern.type: type is "test.reading", not text beginning with "com" in any case',
    ],
    [
      { data: { ip: [{ cidr: '10.0.0.0/8' }, { wildcard: 'a\\**' }, { 'anything-but': ['b', 'c'] }] } },
      {},
      'pattern.data.ip: there is no ip',
    ],
    [{ $or: [{ type: ['a'] }, { data: { n: [1] } }] }, { n: 2 }, 'pattern.$or: none of 2 alternatives matches'],
    [
      { data: { items: { sku: ['a'], n: [1] } } },
      { items: [{ sku: 'a' }, { n: 1 }] },
      'pattern.data.items: none of 2 elements matches by itself',
    ],
    [{ data: { items: { sku: ['a'] } } }, { items: [{ sku: 'b' }] }, 'pattern.data.items.sku: sku is "b", not "a"'],
  ])('%j on %j', (pattern, data, expected) => {
    expect(line(pattern, data)).toBe(expected);
  });

  test('a body that is not JSON', () => {
    expect(line({ data: { a: [1] } }, { a: 1 }, 'text/plain')).toBe(
      'pattern.data: the body is not JSON (datacontenttype is "text/plain")',
    );
    const event = jsonEvent(1, { data: Buffer.from('{"a":') });
    expect(explainPattern(parsePattern({ data: { a: [1] } }), event)).toEqual({
      code: 'not-json',
      at: 'pattern.data',
      message: 'the body is not JSON (datacontenttype is "application/json")',
    });
  });

  test('tells what every alternative and element lacks', () => {
    const refusal = explain({ data: { items: { sku: ['a'], n: [1] } } }, { items: [{ sku: 'a' }, { sku: 'b', n: 1 }] });
    expect(refusal?.because?.map(({ at, message }) => `${at}: ${message}`)).toEqual([
      'pattern.data.items[0].n: there is no n',
      'pattern.data.items[1].sku: sku is "b", not "a"',
    ]);
  });

  test('shows no more of a value than a line', () => {
    const refusal = explain({ data: { a: ['x'] } }, { a: 'y'.repeat(10_000) });
    expect(refusal?.message.length).toBeLessThan(200);
  });
});
