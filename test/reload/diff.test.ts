import { describe, expect, test } from 'vitest';
import type { GatewayConfig } from '../../src/config/types.ts';
import { type ConfigDiff, diffConfigs } from '../../src/reload/diff.ts';
import { same } from '../../src/reload/same.ts';
import { briefly, summarise } from '../../src/reload/summary.ts';
import { config, document, route } from '../app/mesh.ts';

const two = {
  brokers: { here: { type: 'memory' }, there: { type: 'memory' } },
  sources: { in: { broker: 'here', topic: 'in' }, side: { broker: 'there', topic: 'side' } },
  targets: { out: { broker: 'here', topic: 'out' }, far: { broker: 'there', topic: 'far' } },
  routes: [route('a', ['in'], ['out']), route('b', ['side'], ['far'])],
};

function diff(over: Record<string, unknown>): ConfigDiff {
  return diffConfigs(config(document(two)), config(document({ ...two, ...over })));
}

function restarts({ restarts: { brokers, sources, targets } }: ConfigDiff): string[] {
  return [...brokers, ...[...sources].map((name) => `source ${name}`), ...[...targets].map((name) => `target ${name}`)];
}

describe('what differs', () => {
  test('nothing', () => {
    const found = diff({});
    expect(restarts(found)).toEqual([]);
    expect(summarise(found, 'r')).toEqual({
      revision: 'r',
      added: [],
      removed: [],
      changed: [],
      restarted: [],
      unchanged: 8,
    });
  });

  test('a route alone restarts nothing', () => {
    const found = diff({ routes: [route('a', ['in'], ['far']), route('c', ['side'], ['far'])] });
    expect(found.routes).toEqual({ added: ['c'], removed: ['b'], changed: ['a'], unchanged: [] });
    expect(restarts(found)).toEqual([]);
  });

  test('the order of routes is a change of its own', () => {
    const found = diff({ routes: [...two.routes].reverse() });
    expect(found.settings).toEqual(['routes']);
    expect(found.routes.changed).toEqual([]);
    expect(diff({ routes: [route('z', ['in'], ['out']), ...two.routes] }).settings).toEqual([]);
    expect(diff({ routes: [two.routes[1]] }).settings).toEqual([]);
  });

  test.each([
    ['batch', { batch: { maxEvents: 7 } }, ['target out']],
    ['concurrency', { concurrency: 3 }, ['target out']],
    ['lane', { lane: { maxEvents: 700 } }, ['target out']],
    ['a field of the adapter', { topic: 'elsewhere' }, ['target out']],
    ['encoding', { encoding: 'structured' }, ['target out']],
    ['broker', { broker: 'there' }, ['target out']],
    ['labels', { labels: { region: 'eu' } }, []],
    ['cost, capacity and floor', { cost: 1, capacity: { concurrent: 3 }, floor: '1ms' }, []],
    ['policies', { policies: ['calm'] }, []],
  ])('target: %s', (_what, over, expected) => {
    const out = { ...two.targets.out, ...over };
    const found = diff({ targets: { ...two.targets, out }, policies: { calm: { retry: 1 } } });
    expect(found.targets.changed).toEqual(['out']);
    expect(restarts(found)).toEqual(expected);
  });

  test('a source restarts whatever changes about it', () => {
    const found = diff({ sources: { ...two.sources, in: { ...two.sources.in, window: { maxEvents: 100 } } } });
    expect(restarts(found)).toEqual(['source in']);
  });

  test('a broker restarts all that is on it, and nothing else', () => {
    const found = diff({ brokers: { ...two.brokers, there: { type: 'memory', maxEvents: 9 } } });
    expect(restarts(found)).toEqual(['there', 'source side', 'target far']);
    expect(found.targets.unchanged).toEqual(['out', 'far']);
    expect(summarise(found, '').restarted).toEqual(['sources.side', 'targets.far']);
  });

  test('what is added on a changed broker is not restarted', () => {
    const brokers = { ...two.brokers, there: { type: 'memory', maxEvents: 9 } };
    const targets = { ...two.targets, new: { broker: 'there', topic: 'new' } };
    const found = diff({ brokers, targets });
    expect(found.targets.added).toEqual(['new']);
    expect([...found.restarts.targets]).toEqual(['far']);
  });

  test('a choice restarts nothing', () => {
    const both = { targets: ['out', 'far'], by: 'priority' };
    const before = config(document({ ...two, choices: { any: both, some: both } }));
    const turned = { ...both, targets: ['far', 'out'] };
    const found = diffConfigs(before, config(document({ ...two, choices: { any: turned, new: both } })));
    expect(found.choices).toEqual({ added: ['new'], removed: ['some'], changed: ['any'], unchanged: [] });
    expect(restarts(found)).toEqual([]);
    expect(found.settings).toEqual([]);
    const summary = summarise(found, '');
    expect([summary.added, summary.removed, summary.changed]).toEqual([
      ['choices.new'],
      ['choices.some'],
      ['choices.any'],
    ]);
  });

  test('a model restarts nothing', () => {
    const found = diff({ models: { latency: { path: './latency.onnx' } } });
    expect(found.models.added).toEqual(['latency']);
    expect(restarts(found)).toEqual([]);
  });

  test('live settings and refused ones', () => {
    const live = diff({ unmatched: 'drop', drain: { deadline: '1s' }, log: { level: 'debug' } });
    expect(live.settings).toEqual(['unmatched', 'drain', 'log']);
    expect(live.refused).toEqual([]);
    const refused = diff({ name: 'x', store: { path: '/x', maxBytes: '2MiB' } });
    expect(refused.refused).toEqual(['name', 'store.path', 'store.maxBytes']);
    expect(diff({ telemetry: { sample: 0.5 } }).refused).toEqual(['telemetry']);
    expect(diff({ tracing: { endpoint: 'http://collector:4318/v1/traces' } }).refused).toEqual(['tracing']);
  });
});

test('a summary for the log stays short', () => {
  const added = Array.from({ length: 25 }, (_, n) => `routes.r-${n}`);
  const summary = { revision: 'r', added, removed: [], changed: ['unmatched'], restarted: [], unchanged: 3 };
  expect(briefly(summary)).toEqual({
    revision: 'r',
    added: [...added.slice(0, 20), '… 5 more'],
    changed: ['unmatched'],
    unchanged: 3,
  });
});

test('how a value was made makes no difference', () => {
  const bare = Object.assign(Object.create(null) as object, { a: [1, { b: Buffer.from('x') }] });
  expect(same(bare, { a: [1, { b: Buffer.from('x') }], c: undefined })).toBe(true);
  expect(same({ a: undefined }, {})).toBe(true);
  expect(same({ a: null }, {})).toBe(false);
  expect(same([1, 2], [1])).toBe(false);
  expect(same([1], { 0: 1 })).toBe(false);
  expect(same(Buffer.from('x'), Buffer.from('y'))).toBe(false);
  expect(same(new Date(1), new Date(2))).toBe(false);
  expect(same(Number.NaN, Number.NaN)).toBe(true);
  const read: GatewayConfig = config(document(two));
  expect(same(read, structuredClone(read))).toBe(true);
});

test('fields named like what every object has are fields', () => {
  expect(same({}, { toString: 'x' })).toBe(false);
  expect(same({ toString: 'x' }, {})).toBe(false);
});
