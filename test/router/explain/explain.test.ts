import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Filter, Pattern } from '../../../src/core/routing.ts';
import { compileExplainer, type NamedRoute, type RouteVerdict } from '../../../src/router/explain/explain.ts';
import { compileGate } from '../../../src/router/gate.ts';
import { LinearMatcher } from '../../../src/router/linear-matcher.ts';
import { extensions, jsonEvent } from '../../setup/events.ts';
import { anyConjunction, anyFewEvent } from '../cesql/events.ts';
import { anyBody, anyFields } from '../pattern/arbitrary.ts';

const NOW = Date.UTC(2026, 7, 1);
const route = (over: Partial<NamedRoute>): NamedRoute => ({
  name: 'r',
  from: ['in'],
  when: { filters: [] },
  to: ['out'],
  continue: true,
  state: 'active',
  ...over,
});
const event = jsonEvent(1, {
  id: '1',
  type: 'com.acme.reading',
  source: '/plant/7',
  extensions: extensions({ level: 3, region: 'eu' }),
});
const explain = (...routes: Partial<NamedRoute>[]): readonly RouteVerdict[] =>
  compileExplainer(routes.map(route), () => NOW)(event, 'in');
const refusal = (over: Partial<NamedRoute>): string => {
  const { at, message } = explain(over)[0]?.refusal ?? { at: '', message: 'matches' };
  return `${at}: ${message}`;
};
const filtered = (...filters: Filter[]): string => refusal({ when: { filters } });

describe('the first condition that does not hold', () => {
  test.each<[Filter, string]>([
    [{ exact: { type: 'x' } }, '[0].exact.type: type is "com.acme.reading", not "x"'],
    [{ exact: { tenant: 'x' } }, '[0].exact.tenant: the event has no tenant'],
    [{ prefix: { type: 'org.' } }, '[0].prefix.type: type is "com.acme.reading", not beginning with "org."'],
    [{ suffix: { source: '/8' } }, '[0].suffix.source: source is "/plant/7", not ending with "/8"'],
    [{ all: [{}, { exact: { level: '4' } }] }, '[0].all[1].exact.level: level is "3", not "4"'],
    [{ any: [{ exact: { level: '4' } }, { prefix: { region: 'us' } }] }, '[0].any: none of 2 filters passes'],
    [{ any: [{ exact: { level: '4' } }] }, '[0].any: its one filter does not pass'],
    [{ not: { exact: { level: '3' } } }, '[0].not: the filter passes and must not'],
    [{ sql: 'level > 5' }, '[0].sql: is false (level = 3)'],
    [{ sql: "level < 5 AND region = 'us'" }, `[0].sql: region = 'us' is false (region = "eu")`],
    [
      { sql: "level < 5 AND (EXISTS region AND (tenant = 'a')) AND level = 3" },
      `[0].sql: tenant = 'a' fails: the event has no attribute "tenant" (missingAttribute)`,
    ],
    [
      { sql: 'level < 5 AND region' },
      '[0].sql: region fails: a String other than "true" and "false" was used as a Boolean (cast)',
    ],
    [{ sql: 'level' }, '[0].sql: gives 3, which is no Boolean (level = 3)'],
    [{ sql: "region = 'us' OR level = 4" }, '[0].sql: is false (region = "eu", level = 3)'],
    [{ sql: 'FALSE' }, '[0].sql: is false'],
  ])('%j', (filter, expected) => {
    expect(filtered(filter)).toBe(`when.filters${expected}`);
  });

  test('any tells of its branches', () => {
    const [verdict] = explain({ when: { filters: [{ any: [{ exact: { level: '4' } }, { not: {} }] }] } });
    expect(verdict?.refusal?.because?.map(({ at, code }) => [at, code])).toEqual([
      ['when.filters[0].any[0].exact.level', 'differs'],
      ['when.filters[0].any[1].not', 'passes'],
    ]);
  });

  test('values are cut', () => {
    const long = compileExplainer([route({ when: { filters: [{ exact: { subject: 'x' } }] } })], () => NOW);
    const [verdict] = long(event.with({ subject: 'y'.repeat(5_000) }), 'in');
    expect(verdict?.refusal?.message.length).toBeLessThan(200);
    expect(verdict?.refusal?.actual).toMatch(/^y{80}… \(5000 characters\)$/);
  });

  test('state, source, search, window and sample', () => {
    expect(refusal({ state: 'disabled' })).toBe('state: the route is disabled');
    expect(refusal({ from: ['other', 'more'] })).toBe('from: the route does not read in');
    expect(refusal({ active: { fromMs: NOW + 1_000 } })).toBe('active.from: its window opens at 2026-08-01T00:00:01Z');
    expect(refusal({ active: { toMs: NOW } })).toBe('active.to: its window ended at 2026-08-01T00:00:00Z');
    expect(refusal({ sample: 0.01 })).toMatch(
      /^sample: the event is not in the sample: its point is 0\.\d{6}, not below 0\.01$/,
    );
    expect(explain({ name: 'first', continue: false }, { name: 'second' })[1]?.refusal).toEqual({
      code: 'ended',
      at: 'continue',
      message: 'first before it matched and has continue: false',
    });
  });

  test('a paused route matches', () => {
    expect(explain({ state: 'paused' })).toEqual([{ route: 'r', matched: true, paused: true }]);
  });
});

const anyFilter: fc.Arbitrary<Filter> = fc.letrec<{ filter: Filter }>((tie) => {
  const leaf = fc.dictionary(
    fc.constantFrom('id', 'type', 'ext', 'ext2', 'subject'),
    fc.constantFrom('a', 'ab', '5', ''),
    {
      maxKeys: 2,
    },
  );
  return {
    filter: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'filter' },
      fc.record({ exact: leaf }),
      fc.record({ prefix: leaf, suffix: leaf }, { requiredKeys: [] }),
      fc.record({ sql: anyConjunction }),
      fc.record({ all: fc.array(tie('filter'), { maxLength: 3 }) }),
      fc.record({ any: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ not: tie('filter') }),
    ),
  };
}).filter;

const anyRoute: fc.Arbitrary<Partial<NamedRoute>> = fc.record(
  {
    when: fc.record(
      { filters: fc.array(anyFilter, { maxLength: 2 }), pattern: anyFields.map((data) => ({ data }) as Pattern) },
      { requiredKeys: ['filters'] },
    ),
    from: fc.subarray(['in', 'other'], { minLength: 1 }),
    continue: fc.boolean(),
    state: fc.constantFrom('active' as const, 'active' as const, 'paused' as const, 'disabled' as const),
    active: fc.constantFrom({ fromMs: NOW }, { toMs: NOW }, { fromMs: NOW - 1, toMs: NOW + 1 }),
    sample: fc.constantFrom(0.1, 0.5, 1),
  },
  { requiredKeys: [] },
);

test('says of every route what the matcher decides', () => {
  fc.assert(
    fc.property(fc.array(anyRoute, { maxLength: 5 }), anyFewEvent, fc.option(anyBody), (parts, bare, body) => {
      const one = body === null ? bare : bare.with({ data: Buffer.from(body) });
      const routes = parts.map((part, number) => route({ ...part, name: `r${number}` }));
      const matcher = new LinearMatcher(
        routes.map((each) => ({
          from: each.from.map((name) => ['in', 'other'].indexOf(name)),
          filters: each.when.filters,
          pattern: each.when.pattern,
          continue: each.continue,
          disabled: each.state === 'disabled',
          only: compileGate(each, () => NOW),
        })),
      );
      const out: number[] = [];
      const count = matcher.match(one, 0, out);
      const verdicts = compileExplainer(routes, () => NOW)(one, 'in');
      expect(verdicts.filter(({ matched }) => matched).map((verdict) => verdict.route)).toEqual(
        out.slice(0, count).map((number) => `r${number}`),
      );
      for (const verdict of verdicts) expect(verdict.refusal === undefined).toBe(verdict.matched);
    }),
    { numRuns: 3_000 },
  );
});
