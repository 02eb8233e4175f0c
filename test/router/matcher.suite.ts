import { describe, expect, test } from 'vitest';
import type { MeshEvent } from '../../src/core/event.ts';
import type { Filter, RouteMatcher } from '../../src/core/routing.ts';
import type { MatchedRoute } from '../../src/router/linear-matcher.ts';
import { extensions, jsonEvent } from '../setup/events.ts';

/** Makes a matcher of routes; `onFilterError` is told the route of every expression that failed. */
export type MakeMatcher = (
  routes: readonly MatchedRoute[],
  onFilterError?: (route: number) => void,
) => RouteMatcher | Promise<RouteMatcher>;

const READING = jsonEvent(1, {
  type: 'com.acme.reading',
  source: '/plant/7',
  subject: 'sensor-1',
  extensions: extensions({ level: 3, hot: true, region: 'eu-west-1' }),
  data: Buffer.from(JSON.stringify({ celsius: 93.5, device: { id: 'd-7', tags: ['a', 'b'] }, none: null })),
});

function route(...filters: Filter[]): MatchedRoute {
  return { from: [0], filters, continue: true, disabled: false };
}

/** What every implementation of RouteMatcher does, run for each from a file of a few lines. */
export function matcherSuite(name: string, make: MakeMatcher): void {
  const matched = async (
    routes: readonly MatchedRoute[],
    event: MeshEvent = READING,
    source = 0,
  ): Promise<readonly number[]> => {
    const out: number[] = [];
    const count = (await make(routes)).match(event, source, out);
    return out.slice(0, count);
  };

  describe(`${name}: conditions`, () => {
    test.each<[string, Filter[], boolean]>([
      ['no filters', [], true],
      ['an empty filter', [{}], true],
      ['exact', [{ exact: { type: 'com.acme.reading' } }], true],
      ['exact, another value', [{ exact: { type: 'com.acme' } }], false],
      ['exact of an Integer', [{ exact: { level: '3' } }], true],
      ['exact of a missing attribute', [{ exact: { nothing: '' } }], false],
      ['prefix', [{ prefix: { type: 'com.acme.' } }], true],
      ['prefix, the whole value', [{ prefix: { type: 'com.acme.reading' } }], true],
      ['prefix, longer than the value', [{ prefix: { type: 'com.acme.reading.more' } }], false],
      ['an empty prefix asks for presence', [{ prefix: { region: '' } }], true],
      ['an empty prefix of a missing attribute', [{ prefix: { nothing: '' } }], false],
      ['suffix', [{ suffix: { source: '/7' } }], true],
      ['suffix, another', [{ suffix: { source: '/8' } }], false],
      ['several dialects', [{ exact: { level: '3' }, prefix: { type: 'com.' }, suffix: { source: '7' } }], true],
      ['several filters, one fails', [{ exact: { level: '3' } }, { prefix: { type: 'org.' } }], false],
      ['any', [{ any: [{ exact: { type: 'x' } }, { prefix: { source: '/plant' } }] }], true],
      ['any of none', [{ any: [] }], false],
      ['any with an alternative that is always true', [{ any: [{ exact: { type: 'x' } }, {}] }], true],
      ['any of conjunctions', [{ any: [{ exact: { type: 'x', level: '3' } }, { exact: { level: '3' } }] }], true],
      ['not', [{ not: { exact: { type: 'x' } } }], true],
      ['not, of what holds', [{ not: { exact: { level: '3' } } }], false],
      ['all', [{ all: [{ exact: { level: '3' } }, { not: { exact: { type: 'x' } } }] }], true],
      ['sql', [{ sql: "type = 'com.acme.reading' AND level < 5" }], true],
      ['sql in a range', [{ sql: 'level >= 3 AND 4 > level' }], true],
      ['sql out of a range', [{ sql: 'level > 3' }], false],
      ['sql on a Boolean as an Integer', [{ sql: 'hot < 2 AND hot = 1' }], true],
      ['sql with IN', [{ sql: "region IN ('us-east-1', 'eu-west-1')" }], true],
      ['sql with IN of Integers', [{ sql: 'level IN (1, 2, 3)' }], true],
      ['sql with LIKE', [{ sql: "region LIKE 'eu%'" }], true],
      ['sql with LIKE in the middle', [{ sql: "type LIKE '%acme%'" }], true],
      ['sql with LIKE and _', [{ sql: "type LIKE 'com_acme_r%'" }], true],
      ['sql with OR', [{ sql: "region = 'us' OR level = 3" }], true],
      ['sql with XOR', [{ sql: "region = 'us' XOR level = 3" }], true],
      ['sql with EXISTS', [{ sql: 'EXISTS region' }], true],
      ['sql with NOT', [{ sql: 'NOT EXISTS nothing' }], true],
      ['sql with a function', [{ sql: "UPPER(region) = 'EU-WEST-1'" }], true],
      ['sql with an error', [{ sql: "nothing = 'x'" }], false],
    ])('%s', async (_name, filters, expected) => {
      // Alone, and among others that make another of its terms the selective one.
      const crowd = Array.from({ length: 40 }, (_, n) =>
        route({ exact: { type: 'com.acme.reading', source: `${n}` } }),
      );
      expect(await matched([route(...filters)])).toEqual(expected ? [0] : []);
      expect(await matched([...crowd, route(...filters)])).toEqual(expected ? [40] : []);
    });
  });

  describe(`${name}: routes`, () => {
    const miss = { exact: { type: 'x' } };

    test('every matching route fires, in order', async () => {
      expect(await matched([route(), route(miss), route({ prefix: { type: 'com' } }), route()])).toEqual([0, 2, 3]);
    });

    test('continue: false ends the search at a match only', async () => {
      const last = (...filters: Filter[]): MatchedRoute => ({ ...route(...filters), continue: false });
      expect(await matched([last(miss), last({ exact: { level: '3' } }), route()])).toEqual([1]);
      expect(await matched([route({ exact: { level: '3' } }), last(), route()])).toEqual([0, 1]);
    });

    test('other sources, sources beyond the last and disabled routes do not match', async () => {
      const routes = [
        { ...route(), from: [1] },
        { ...route(), disabled: true },
        { ...route(), from: [0, 0, 1] },
        { ...route(), from: [] },
      ];
      expect(await matched(routes)).toEqual([2]);
      expect(await matched(routes, READING, 1)).toEqual([0, 2]);
      expect(await matched(routes, READING, 5)).toEqual([]);
    });

    test('no routes', async () => {
      expect(await matched([])).toEqual([]);
    });

    test('routes that are alike all match', async () => {
      const routes = Array.from({ length: 200 }, () =>
        route({ exact: { type: 'com.acme.reading', source: '/plant/7' }, prefix: { region: 'eu' } }),
      );
      expect(await matched(routes)).toEqual(routes.map((_, n) => n));
    });

    test('what an earlier match has left behind does not show', async () => {
      const matcher = await make([route(), route({ exact: { level: '3' } })]);
      const out: number[] = [];
      const counts = [READING, jsonEvent(2), READING].map((event) => matcher.match(event, 0, out));
      expect(counts).toEqual([2, 1, 2]);
    });

    test('more attributes than an event has', async () => {
      const routes = Array.from({ length: 100 }, (_, n) => route({ exact: { [`attribute${n}`]: 'x' } }));
      const event = jsonEvent(1, { extensions: extensions({ attribute7: 'x', attribute8: 'y', attribute9: 'x' }) });
      expect(await matched(routes, event)).toEqual([7, 9]);
    });

    test('an expression that fails is told by route, where nothing rules the route out', async () => {
      const told: number[] = [];
      const bad = route({ sql: "type LIKE 'com%' AND UPPER(nothing) = 'X'" });
      const matcher = await make([route(), bad, route({ sql: 'hot = TRUE' }), bad], (number) => told.push(number));
      const out: number[] = [];
      expect([matcher.match(READING, 0, out), out.slice(0, 2), told]).toEqual([2, [0, 2], [1, 3]]);
    });

    test('an expression that is refused is an error', async () => {
      await expect(async () => make([route({ sql: 'type =' })])).rejects.toThrow(
        /1:7: expected a value, found the end/,
      );
    });
  });
}
