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

  test('unmatched: fail where the broker knows no refusal', () => {
    const one = (brokers: string, source: string): string[] =>
      lines(
        load(`version: 1
brokers: { b: ${brokers}, mem: { type: memory } }
sources: { in: { broker: b, ${source} } }
targets: { out: { broker: mem, topic: out } }
routes:
  - { name: some, from: [in], when: { filters: [{ exact: { type: a } }] }, to: [out], delivery: { deadLetter: { store: true } } }
unmatched: fail
`),
      );
    const said = (kind: string): string =>
      `test.yaml:7:12 warning W_UNMATCHED_FAIL: ${kind} cannot refuse an event: those from in that no route matches are counted as rejected, acknowledged and gone — dead-letter keeps them`;
    expect(one("{ type: kafka, brokers: ['eu:9092'] }", 'topics: [a], startFrom: latest')).toEqual([said('kafka')]);
    expect(one('{ type: mqtt, url: mqtt://edge }', 'topic: a')).toEqual([said('mqtt')]);
    expect(one('{ type: rabbitmq, url: amqp://jobs }', 'queue: a')).toEqual([]);
    expect(one('{ type: http, listen: { port: 1 } }', 'path: /a')).toEqual([]);
    expect(one('{ type: sqs, region: a }', 'queue: a')).toEqual([]);
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

  test('a window or a sample is a condition', () => {
    const second = '\n  - { name: late, from: [in], to: [out], delivery: { deadLetter: { store: true } } }\nunmatched';
    for (const gate of ['sample: 0.5', 'active: { from: 2026-01-01T00:00:00Z }']) {
      expect(codes({ 'to: [out]': `to: [out]\n    ${gate}`, 'unmatched: dead-letter\n': '' })).toEqual([
        'W_UNMATCHED_UNSET',
      ]);
      expect(codes({ 'to: [out]': `to: [out]\n    continue: false\n    ${gate}`, '\nunmatched': second })).toEqual([]);
    }
  });

  test('a window that is over', () => {
    const until = (to: string): string[] =>
      lines(load(memoryConfig({ 'to: [out]': `to: [out]\n    active: { to: ${to} }` })));
    expect(until('2020-01-01T00:00:00Z')).toEqual([
      'test.yaml:12:19 warning W_ROUTE_OVER: the window of route all is over: it matches nothing any more',
    ]);
    expect(until('9999-01-01T00:00:00Z')).toEqual([]);
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
