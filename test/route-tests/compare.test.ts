import { describe, expect, test } from 'vitest';
import type { RouteExpectation } from '../../src/config/types.ts';
import type { MeshEvent } from '../../src/core/event.ts';
import type { LegOutcome } from '../../src/outcomes.ts';
import { compareOutcome } from '../../src/route-tests/compare.ts';

import { extensions, jsonEvent } from '../setup/events.ts';

const event = jsonEvent(1, {
  type: 'a',
  source: '/s',
  extensions: extensions({ level: 3, hot: true, bytes: Buffer.from('x') }),
  data: Buffer.from('{"a":1,"b":[1,null],"odd key":true}'),
});
const sent = (over: Partial<MeshEvent> = {}, target = 'out'): LegOutcome => ({
  route: 'all',
  target,
  event: event.with(over),
});
const failed: LegOutcome = { route: 'all', target: 'out', error: { code: 'E_X', message: 'no good' } };

function differences(expectation: Partial<RouteExpectation>, legs: readonly LegOutcome[] = [sent()]): unknown[] {
  const none = { routes: undefined, legs: undefined, unmatched: undefined, error: undefined };
  const refusal = { code: 'differs' as const, at: 'when.filters[0].exact.type', message: 'type is "a", not "b"' };
  const routes = [
    { route: 'all', matched: true },
    { route: 'some', matched: false, refusal },
  ];
  return [...compareOutcome({ ...none, ...expectation }, { routes, legs })];
}

const leg = { route: 'all', target: 'out' };
const at = (place: string): string => `all → out: ${place}`;

describe('an outcome as expected', () => {
  test.each<[string, Partial<RouteExpectation>]>([
    ['routes', { routes: ['all'] }],
    ['unmatched', { unmatched: false }],
    ['legs', { legs: [leg] }],
    ['attributes, text for any type', { legs: [{ ...leg, attributes: { type: 'a', level: '3', hot: 'true' } }] }],
    ['attributes of their own type', { legs: [{ ...leg, attributes: { level: 3, hot: true } }] }],
    ['absent attributes', { legs: [{ ...leg, without: ['subject', 'other'] }] }],
    ['data', { legs: [{ ...leg, data: { b: [1, null], a: 1, 'odd key': true } }] }],
  ])('%s', (_name, expectation) => {
    expect(differences(expectation)).toEqual([]);
  });

  test('text data, data that is null, and failures that are expected', () => {
    const text = sent({ datacontenttype: 'text/plain', data: Buffer.from('grüße') });
    expect(differences({ legs: [{ ...leg, data: 'grüße' }] }, [text])).toEqual([]);
    expect(differences({ legs: [{ ...leg, data: null }] }, [sent({ data: Buffer.from('null') })])).toEqual([]);
    expect(differences({ legs: [{ ...leg, error: 'E_X' }] }, [failed])).toEqual([]);
    expect(differences({ error: 'E_X' }, [failed, sent()])).toEqual([]);
  });

  test('legs of one route and target are compared in their order, others in any', () => {
    const legs = [sent({ subject: '1' }), sent({ subject: '2' }), sent({}, 'more')];
    const wanted = [
      { ...leg, target: 'more' },
      { ...leg, attributes: { subject: '1' } },
      { ...leg, attributes: { subject: '2' } },
    ];
    expect(differences({ legs: wanted }, legs)).toEqual([]);
    expect(differences({ legs: [...wanted.slice(0, 1), ...wanted.slice(1).reverse()] }, legs)).toHaveLength(2);
  });
});

describe('what is told', () => {
  test.each<[string, Partial<RouteExpectation>, unknown]>([
    [
      'routes',
      { routes: ['some'] },
      [
        { at: 'routes', expected: 'some', why: 'when.filters[0].exact.type: type is "a", not "b"' },
        { at: 'routes', actual: 'all' },
      ],
    ],
    ['unmatched', { unmatched: true }, [{ at: 'unmatched', expected: 'true', actual: 'false', why: 'matched by all' }]],
    [
      'legs',
      { legs: [{ route: 'some', target: 'out' }] },
      [
        { at: 'legs', expected: 'some → out', why: 'when.filters[0].exact.type: type is "a", not "b"' },
        { at: 'legs', actual: 'all → out' },
      ],
    ],
    [
      'attributes',
      { legs: [{ ...leg, attributes: { type: 'b', subject: 'x', hot: false, bytes: 'y' }, without: ['source'] }] },
      [
        { at: at('attributes.type'), expected: '"b"', actual: '"a"' },
        { at: at('attributes.subject'), expected: '"x"' },
        { at: at('attributes.hot'), expected: 'false', actual: 'true' },
        { at: at('attributes.bytes'), expected: '"y"', actual: 'eA== (bytes)' },
        { at: at('attributes.source'), actual: '"/s"' },
      ],
    ],
    [
      'data, place by place',
      { legs: [{ ...leg, data: { a: '1', b: [1], c: {} } }] },
      [
        { at: at('data.a'), expected: '"1"', actual: '1' },
        { at: at('data.b[1]'), actual: 'null' },
        { at: at('data.c'), expected: '{}' },
        { at: at('data["odd key"]'), actual: 'true' },
      ],
    ],
    ['an error nobody has', { error: 'E_X' }, [{ at: 'error', expected: 'E_X' }]],
    ['an error of a leg', { legs: [{ ...leg, error: 'E_X' }] }, [{ at: at('error'), expected: 'E_X' }]],
  ])('%s', (_name, expectation, expected) => {
    expect(differences(expectation)).toEqual(expected);
  });

  test('candidates of a choice', () => {
    const refusal = { code: 'differs' as const, at: 'require.region', message: 'region is "us", not "eu"' };
    const candidates = [{ target: 'eu' }, { target: 'us', refusal }, { target: 'eu-2' }];
    const told = (expected: string[]) =>
      differences({ legs: [{ ...leg, candidates: expected }] }, [{ ...sent(), candidates }]);
    expect(told(['eu-2', 'eu'])).toEqual([]);
    expect(told(['eu', 'us', 'mars'])).toEqual([
      { at: at('candidates'), expected: 'us', why: 'require.region: region is "us", not "eu"' },
      { at: at('candidates'), expected: 'mars', why: 'not a target of it' },
      { at: at('candidates'), actual: 'eu-2' },
    ]);
    const none = { ...failed, candidates: [{ target: 'us', refusal }] };
    expect(differences({ legs: [{ ...leg, candidates: [], error: 'E_X' }] }, [none])).toEqual([]);
  });

  test('a leg that fails without being expected to', () => {
    const told = [{ at: at('error'), actual: 'E_X', why: 'no good' }];
    expect(differences({ routes: ['all'] }, [failed])).toEqual(told);
    expect(differences({ legs: [leg] }, [failed])).toEqual(told);
    expect(differences({ legs: [{ ...leg, error: 'E_Y' }] }, [failed])).toEqual([{ ...told[0], expected: 'E_Y' }]);
  });

  test('bytes and no data', () => {
    const none = differences({ legs: [{ ...leg, data: 1 }] }, [{ ...leg, event: jsonEvent(1, { data: undefined }) }]);
    expect(none).toEqual([{ at: at('data'), expected: '1', why: 'the event has no data' }]);
    const bytes = differences({ legs: [{ ...leg, data: 'x' }] }, [sent({ data: Buffer.from([0xff]) })]);
    expect(bytes).toEqual([{ at: at('data'), expected: '"x"', why: 'the data is 1 bytes and no text' }]);
  });

  test('no more than twenty differences of one body', () => {
    const data = Buffer.from(JSON.stringify(Array.from({ length: 1_000 }, (_, n) => n)));
    const told = differences({ legs: [{ ...leg, data: [] }] }, [sent({ data })]);
    expect(told).toHaveLength(21);
    expect(told.at(-1)).toEqual({ at: at('data'), why: 'and 980 more differences' });
  });
});
