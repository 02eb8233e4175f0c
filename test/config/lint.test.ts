import { describe, expect, test } from 'vitest';
import { lines, load, memoryConfig } from './load.ts';

const codes = (change: Readonly<Record<string, string>>): string[] =>
  load(memoryConfig(change)).findings.map(({ code }) => code);

describe('lint', () => {
  test('has nothing to say about a careful configuration', () => {
    expect(codes({})).toEqual([]);
  });

  test('a route without a dead letter', () => {
    expect(codes({ '    delivery: { deadLetter: { store: true } }\n': '' })).toEqual(['W_NO_DEAD_LETTER']);
    expect(codes({ '{ deadLetter: { store: true } }': '{ retry: 3 }' })).toEqual(['W_NO_DEAD_LETTER']);
  });

  test('unmatched events without a rule, unless a route takes everything', () => {
    expect(codes({ 'unmatched: dead-letter\n': '' })).toEqual([]);
    const filtered = 'to: [out]\n    when: { filters: [{ exact: { type: a } }] }';
    expect(codes({ 'to: [out]': filtered, 'unmatched: dead-letter\n': '' })).toEqual(['W_UNMATCHED_UNSET']);
    expect(codes({ 'to: [out]': 'to: [out]\n    state: disabled', 'unmatched: dead-letter\n': '' })).toEqual([
      'W_UNMATCHED_UNSET',
    ]);
    expect(codes({ 'unmatched: dead-letter': 'unmatched: drop' })).toEqual(['W_UNMATCHED_DROP']);
  });

  test('what nothing uses', () => {
    expect(codes({ 'mem: { type: memory }': 'mem: { type: memory }\n  other: { type: memory }' })).toEqual([
      'W_UNUSED_BROKER',
    ]);
    expect(codes({ 'topic: in }': 'topic: in }\n  more: { broker: mem, topic: more }' })).toEqual(['W_UNUSED_SOURCE']);
    expect(codes({ 'topic: out }': 'topic: out }\n  more: { broker: mem, topic: more }' })).toEqual([
      'W_UNUSED_TARGET',
    ]);
    expect(codes({ 'unmatched: dead-letter': 'unmatched: fail\npolicies: { careful: { retry: 1 } }' })).toEqual([
      'W_UNUSED_POLICY',
    ]);
  });

  test('a target that only dead letters or unmatched events reach is used', () => {
    const more = { 'topic: out }': 'topic: out }\n  more: { broker: mem, topic: more }' };
    expect(codes({ ...more, 'store: true': 'target: more' })).toEqual([]);
    expect(codes({ ...more, 'unmatched: dead-letter': 'unmatched: { to: [more] }' })).toEqual([]);
  });

  test('a route behind one that takes everything and stops', () => {
    const second = '\n  - { name: late, from: [in], to: [out], delivery: { deadLetter: { store: true } } }\nunmatched';
    expect(codes({ 'to: [out]': 'to: [out]\n    continue: false', '\nunmatched': second })).toEqual([
      'W_ROUTE_UNREACHABLE',
    ]);
    expect(
      codes({
        'to: [out]': 'to: [out]\n    continue: false\n    when: { filters: [{ prefix: { type: a } }] }',
        '\nunmatched': second,
      }),
    ).toEqual([]);
    expect(codes({ '\nunmatched': second })).toEqual([]);
  });

  test('template names', () => {
    const as = (template: string): string[] =>
      lines(load(memoryConfig({ 'topic: in }': `topic: in, as: { type: a, source: '${template}' } }` })));
    expect(as('/{topic}/{key:-none}')).toEqual([]);
    expect(as('/{topci}')).toEqual([
      'test.yaml:5:56 warning W_TEMPLATE_NAME: sources.in.as.source: this source has no variable {topci} — did you mean "topic"?',
    ]);
  });

  test('what adapters say has its place in the file; their errors refuse it', () => {
    const text = `version: 1
brokers: { plant: { type: mqtt, url: mqtt://edge } }
sources:
  readings: { broker: plant, topic: a, qos: 0 }
targets:
  back: { broker: plant, topic: b }
routes: [{ name: all, from: [readings], to: [back], delivery: { deadLetter: { store: true } } }]
unmatched: fail
`;
    const result = load(text);
    expect(result.findings).toEqual([
      expect.objectContaining({ code: 'W_MQTT_QOS0', severity: 'warning', line: 4, column: 45 }),
    ]);
    expect(result.config).toBeDefined();
  });
});
