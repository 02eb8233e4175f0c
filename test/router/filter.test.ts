import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Filter } from '../../src/core/routing.ts';
import { compileFilters } from '../../src/router/filter.ts';
import { LinearMatcher } from '../../src/router/linear-matcher.ts';
import { extensions, jsonEvent } from '../setup/events.ts';

const event = jsonEvent(1, {
  type: 'com.acme.reading',
  source: '/plant/7',
  extensions: extensions({ level: 3, hot: true }),
});
const passes = (...filters: Filter[]): boolean => compileFilters(filters)(event);

describe('Subscriptions dialects', () => {
  test.each<[string, Filter, boolean]>([
    ['exact', { exact: { type: 'com.acme.reading' } }, true],
    ['exact is case-sensitive', { exact: { type: 'com.acme.Reading' } }, false],
    ['several attributes of a dialect AND', { exact: { type: 'com.acme.reading', source: '/plant/8' } }, false],
    ['prefix', { prefix: { type: 'com.acme.' } }, true],
    ['suffix', { suffix: { source: '/7' } }, true],
    ['several dialects AND', { prefix: { type: 'com.' }, suffix: { source: '/8' } }, false],
    ['typed extensions compare as their canonical text', { exact: { level: '3', hot: 'true' } }, true],
    ['a missing attribute fails a leaf', { prefix: { nothing: '' } }, false],
    ['not of a missing attribute passes', { not: { exact: { nothing: 'x' } } }, true],
    ['all', { all: [{ exact: { type: 'com.acme.reading' } }, { prefix: { source: '/plant' } }] }, true],
    ['any', { any: [{ exact: { type: 'x' } }, { prefix: { source: '/plant' } }] }, true],
    ['any of none', { any: [{ exact: { type: 'x' } }] }, false],
    ['empty', {}, true],
    ['sql', { sql: "type LIKE 'com.acme.%' AND level < 5 AND hot = TRUE" }, true],
    ['sql that is false', { sql: 'level > 5' }, false],
    ['sql beside another dialect', { sql: 'level < 5', exact: { type: 'x' } }, false],
    ['sql with an error', { sql: "nothing != 'x'" }, false],
    ['sql that gives no Boolean', { sql: 'level' }, false],
    ['not of sql with an error passes', { not: { sql: "nothing = 'x'" } }, true],
    ['sql deeper down', { any: [{ all: [{ not: { sql: 'hot' } }] }, { sql: "source = '/plant/7'" }] }, true],
  ])('%s', (_name, filter, expected) => {
    expect(passes(filter)).toBe(expected);
  });

  test('the filters array ANDs, and none passes', () => {
    expect(passes()).toBe(true);
    expect(passes({ exact: { type: 'com.acme.reading' } }, { exact: { type: 'x' } })).toBe(false);
  });

  test('an expression that is refused does not compile', () => {
    expect(() => compileFilters([{ any: [{ sql: 'type =' }] }])).toThrow(/1:7: expected a value, found the end/);
    expect(() => compileFilters([{ sql: "type = 'a' AND hot OR level = 3" }])).toThrow(
      expect.objectContaining({ code: 'E_CESQL_MIXED' }),
    );
  });

  test('each evaluation that fails is told of', () => {
    let errors = 0;
    const matches = compileFilters(
      [{ any: [{ sql: 'level' }, { sql: "nothing = 'x'" }, { sql: 'hot = TRUE' }] }],
      () => {
        errors += 1;
      },
    );
    expect([matches(event), matches(event), errors]).toEqual([true, true, 4]);
  });

  test('not inverts whatever it holds', () => {
    const leaf = fc.record({
      exact: fc.dictionary(fc.constantFrom('type', 'source', 'nope'), fc.constantFrom('com.acme.reading', '/plant/7')),
    });
    fc.assert(fc.property(leaf, (filter) => passes({ not: filter }) === !passes(filter)));
  });
});

describe('route semantics', () => {
  const route = (over: object) => ({ from: [0], filters: [], continue: true, disabled: false, ...over });
  const matched = (routes: ReturnType<typeof route>[], source = 0): number[] => {
    const out: number[] = [];
    const count = new LinearMatcher(routes).match(event, source, out);
    return out.slice(0, count);
  };

  test('every matching route fires, in order', () => {
    expect(matched([route({}), route({ filters: [{ exact: { type: 'x' } }] }), route({})])).toEqual([0, 2]);
  });

  test('continue: false ends the search at a match only', () => {
    const miss = route({ filters: [{ exact: { type: 'x' } }], continue: false });
    expect(matched([miss, route({ continue: false }), route({})])).toEqual([1]);
  });

  test('errors of filters are told by route', () => {
    const told: number[] = [];
    const bad = route({ filters: [{ sql: "nothing = 'x'" }] });
    const matcher = new LinearMatcher([route({}), bad, route({ filters: [{ sql: 'hot = TRUE' }] }), bad], (number) =>
      told.push(number),
    );
    const out: number[] = [];
    expect([matcher.match(event, 0, out), out, told]).toEqual([2, [0, 2], [1, 3]]);
  });

  test('other sources and disabled routes do not match', () => {
    expect(matched([route({ from: [1] }), route({ disabled: true }), route({ from: [0, 0, 1] })])).toEqual([2]);
    expect(matched([route({})], 5)).toEqual([]);
  });
});
