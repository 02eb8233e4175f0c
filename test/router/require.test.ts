import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MeshEvent } from '../../src/core/event.ts';
import { compileTemplate } from '../../src/core/template.ts';
import { explainRequire } from '../../src/router/explain/require.ts';
import { compileRequire, type Labelled, type Requirements } from '../../src/router/require.ts';
import { extensions, jsonEvent } from '../setup/events.ts';

type Attributes = Parameters<typeof extensions>[0];

const event = (attributes: Attributes): MeshEvent => jsonEvent(1, { extensions: extensions(attributes) });
const labelled = (...labels: Labelled['labels'][]): Labelled[] => labels.map((one) => ({ labels: one }));

/** What `require` means, word by word. */
function eligible(require: Requirements, targets: readonly Labelled[], attributes: Attributes): number[] {
  const value = (name: string): string | undefined => {
    const raw = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    if (raw === undefined) return undefined;
    return Buffer.isBuffer(raw) ? raw.toString('base64') : String(raw);
  };
  const found: number[] = [];
  for (const [at, { labels }] of targets.entries()) {
    const all = Object.entries(require).every(([label, values]) => {
      if (!Object.hasOwn(labels, label)) return false;
      return values.some((text) => compileTemplate(text).render(value) === String(labels[label]));
    });
    if (all) found.push(at);
  }
  return found;
}

const regions = labelled({ region: 'eu', tier: 1 }, { region: 'us', tier: 2, fast: true }, { tier: 1 });

describe('require', () => {
  test('nothing required: every target', () => {
    expect(compileRequire({}, regions)(event({}))).toEqual([0, 1, 2]);
  });

  test('values are compared as text, and a list is one of them', () => {
    expect(compileRequire({ tier: ['1'] }, regions)(event({}))).toEqual([0, 2]);
    expect(compileRequire({ fast: ['true'] }, regions)(event({}))).toEqual([1]);
    expect(compileRequire({ region: ['us', 'eu'] }, regions)(event({}))).toEqual([0, 1]);
    expect(compileRequire({ region: ['us', 'eu'], tier: ['1'] }, regions)(event({}))).toEqual([0]);
  });

  test('a template takes the value of the event, or its default', () => {
    const ask = compileRequire({ region: ['{dataregion:-eu}'] }, regions);
    expect(ask(event({ dataregion: 'us' }))).toEqual([1]);
    expect(ask(event({}))).toEqual([0]);
    expect(ask(event({ dataregion: 'mars' }))).toEqual([]);
    expect(compileRequire({ tier: ['{tier}'] }, regions)(event({ tier: 2 }))).toEqual([1]);
  });

  test('a missing attribute without a default equals nothing, not even a missing label', () => {
    expect(compileRequire({ region: ['{dataregion}'] }, regions)(event({}))).toEqual([]);
    expect(compileRequire({ region: ['{dataregion}', 'us'] }, regions)(event({}))).toEqual([1]);
  });

  test('what every object has is no label', () => {
    expect(compileRequire({ toString: ['{a}'] }, regions)(event({ a: String(Object.prototype.toString) }))).toEqual([]);
  });

  test('the same values give the same array, without being worked out again', () => {
    const fixed = compileRequire({ tier: ['1'] }, regions);
    expect(fixed(event({}))).toBe(fixed(event({ a: 1 })));
    const open = compileRequire({ region: ['{a}-{b}'] }, labelled({ region: 'x-y' }));
    expect(open(event({ a: 'x', b: 'y' }))).toBe(open(event({ a: 'x', b: 'y' })));
    expect(open(event({ a: 'x', b: 'y' }))).toEqual([0]);
  });

  test('the same targets are the same array, whatever the values were', () => {
    const ask = compileRequire({ region: ['{a}', '{b}'] }, regions);
    const eu = ask(event({ a: 'eu' }));
    expect(ask(event({ b: 'eu' }))).toBe(eu);
    expect(ask(event({ a: 'mars', b: 'eu' }))).toBe(eu);
    expect(ask(event({ a: 'mars' }))).toBe(ask(event({})));
    for (let n = 0; n < 3_000; n += 1) ask(event({ a: n }));
    expect(ask(event({ a: 'eu' }))).toBe(eu);
  });

  test('combinations that read alike are kept apart', () => {
    const ask = compileRequire(
      { one: ['{a}'], two: ['{b}'] },
      labelled({ one: '1', two: '12:3' }, { one: '11', two: '2' }),
    );
    expect(ask(event({ a: '1', b: '12:3' }))).toEqual([0]);
    expect(ask(event({ a: '11', b: '2' }))).toEqual([1]);
    expect(ask(event({ a: '-' }))).toEqual([]);
    expect(ask(event({ b: '-' }))).toEqual([]);
  });

  test('answers stay right when there are more values than are kept', () => {
    const ask = compileRequire({ region: ['r{n}'] }, labelled({ region: 'r7' }, { region: 'r4999' }));
    for (const round of [0, 1]) {
      for (let n = 0; n < 5_000; n += 1) {
        const expected = n === 7 ? [0] : n === 4_999 ? [1] : [];
        if (expected.length > 0 || n % 500 === round) expect(ask(event({ n }))).toEqual(expected);
        else ask(event({ n }));
      }
    }
    expect(ask(event({ n: `7${' '.repeat(1_000)}` }))).toEqual([]);
  });

  test('a template that is none is refused', () => {
    expect(() => compileRequire({ region: ['{Region}'] }, regions)).toThrow('"Region" is not a name');
  });
});

const name = fc.constantFrom('a', 'b', 'c');
const text = fc.constantFrom('', '1', 'true', 'x', 'eu', '-', '1:1', 'xx');
const value = fc.oneof(text, fc.constantFrom(1, true, false, -1), fc.constantFrom(Buffer.from('x'), Buffer.from('')));
const slot = fc.oneof(
  text,
  name.map((one) => `{${one}}`),
  fc.tuple(name, text).map(([one, fallback]) => `{${one}:-${fallback}}`),
  fc.tuple(name, name).map(([one, other]) => `{${one}}-{${other}}`),
);
const labels = fc.dictionary(
  fc.constantFrom('region', 'tier', 'zone'),
  fc.oneof(text, fc.constantFrom(1, true, 'x-x', 'x-1')),
  { noNullPrototype: true },
);
const required = fc.dictionary(
  fc.constantFrom('region', 'tier', 'zone'),
  fc.array(slot, { minLength: 1, maxLength: 3 }),
  { noNullPrototype: true },
);
const attributes = fc.dictionary(name, value, { noNullPrototype: true });

test('as the meaning says, for every event of a run; explained alike', () => {
  fc.assert(
    fc.property(
      fc.array(labels, { maxLength: 6 }),
      required,
      fc.array(attributes, { minLength: 1, maxLength: 12 }),
      (given, require, events) => {
        const targets = given.map((one, at) => ({ name: `t-${at}`, labels: one }));
        const ask = compileRequire(require, targets);
        const explain = explainRequire(require, targets);
        for (const one of events) {
          const expected = eligible(require, targets, one);
          expect(ask(event(one))).toEqual(expected);
          const told = explain(event(one)).flatMap(({ refusal }, at) => (refusal === undefined ? [at] : []));
          expect(told).toEqual(expected);
        }
      },
    ),
    { numRuns: 400 },
  );
});

test('why a candidate is not eligible', () => {
  const targets = [
    { name: 'eu', labels: { region: 'eu', tier: 1 } },
    { name: 'us', labels: { region: 'us' } },
  ];
  const explain = explainRequire({ region: ['{dataregion}'], tier: ['1', '2'] }, targets);
  expect(explain(event({ dataregion: 'us' })).map(({ refusal }) => refusal)).toEqual([
    { code: 'differs', at: 'require.region', message: 'region is "eu", not "us"', expected: '"us"', actual: 'eu' },
    { code: 'missing', at: 'require.tier', message: 'it has no label tier, wanted "1" or "2"', expected: '"1" or "2"' },
  ]);
  expect(explain(event({}))[0]?.refusal?.message).toBe('the event has no dataregion to compare region with');
  expect(explain(event({ dataregion: 'eu' }))[0]).toEqual({ target: 'eu' });
});
