// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import { describe, expect, test } from 'vitest';
import { lines, load, memoryConfig } from './load.ts';

describe('a valid configuration', () => {
  test('comes out with defaults, milliseconds and bytes', () => {
    const { config, findings } = load(
      memoryConfig({
        'topic: out }':
          'topic: out, policies: [slow, careful], lane: { maxBytes: 1MiB }, batch: { maxEvents: 10 }, encoding: raw }',
        'unmatched: dead-letter':
          'unmatched: { to: [out] }\npolicies:\n  slow: { timeout: 1m, retry: 1 }\n  careful: { retry: 8, backoffPolicy: linear }',
      }),
    );
    expect(findings).toEqual([]);
    expect(config).toMatchObject({
      name: 'fairlead',
      brokers: [{ name: 'mem', kind: 'memory' }],
      sources: [
        { name: 'in', kind: 'memory', broker: 'mem', order: 'key', window: { maxEvents: 10_000, maxBytes: 2 ** 24 } },
      ],
      routes: [{ name: 'all', from: ['in'], to: ['out'], when: { filters: [] }, continue: true, state: 'active' }],
      unmatched: { to: ['out'] },
      drain: { deadlineMs: 25_000 },
      store: { path: './.fairlead', whenFull: 'block' },
    });
    expect(config?.sources[0]?.adapter).toMatchObject({ topic: 'in', maxEventBytes: 2 ** 20 });
    expect(config?.sources[0]?.adapter).not.toHaveProperty('broker');
    expect(config?.targets[0]).toMatchObject({
      delivery: { retry: 8, timeoutMs: 60_000, backoff: { policy: 'linear', delayMs: 200, maxMs: 30_000 } },
      batch: { maxEvents: 10 },
      lane: { maxEvents: 10_000, maxBytes: 2 ** 20 },
      adapter: { topic: 'out', encoding: 'raw', headers: 'pass' },
    });
    expect(config?.revision).toMatch(/^[0-9a-f]{12}$/);
  });

  test('keeps filters of every dialect as they stand', () => {
    const when =
      'when: { filters: [{ all: [{ exact: { type: a } }, { not: { any: [{ prefix: { id: b } }, { suffix: { id: c } }] } }] }] }';
    const { config } = load(memoryConfig({ 'to: [out]': `to: [out]\n    ${when}` }));
    expect(config?.routes[0]?.when.filters).toEqual([
      { all: [{ exact: { type: 'a' } }, { not: { any: [{ prefix: { id: 'b' } }, { suffix: { id: 'c' } }] } }] },
    ]);
  });

  test('a route overrides retry, timeout and dead letter only', () => {
    const { config } = load(
      memoryConfig({ '{ deadLetter: { store: true } }': '{ retry: 0, timeout: PT3S, deadLetter: { target: out } }' }),
    );
    expect(config?.routes[0]?.delivery).toEqual({
      retry: 0,
      timeoutMs: 3_000,
      deadLetter: { store: true, target: 'out' },
    });
  });

  test('anchors, aliases, comments and a byte order mark are fine', () => {
    const text = memoryConfig({
      'in: { broker: mem, topic: in }': 'in: &in { broker: mem, topic: in } # one\n  twin: *in',
      'from: [in]': 'from: [in, twin]',
    });
    expect(load(`\ufeff${text}`).config?.sources.map(({ name }) => name)).toEqual(['in', 'twin']);
  });
});

describe('references', () => {
  test('become numbers and booleans where the schema wants them, and stay text elsewhere', () => {
    const text = memoryConfig({
      '{ type: memory }': "{ type: memory, maxEvents: '${MAX}' }",
      'topic: out }': "topic: '${TOPIC}', lane: { maxBytes: '${BYTES}' } }",
      'to: [out]': "to: [out]\n    continue: '${GO_ON:-false}'",
    });
    const { config, findings } = load(text, { env: { MAX: '50', TOPIC: '007', BYTES: '65536' } });
    expect(findings).toEqual([]);
    expect(config?.brokers[0]?.adapter).toEqual({ maxEvents: 50 });
    expect(config?.targets[0]?.adapter).toMatchObject({ topic: '007' });
    expect(config?.targets[0]?.lane.maxBytes).toBe(65_536);
    expect(config?.routes[0]?.continue).toBe(false);
  });

  test('that fail are told at their own place, and nothing that follows from them', () => {
    const result = load(memoryConfig({ 'broker: mem, topic: out': "broker: '${BROKER}', topic: out" }), {
      env: { BROKERS: 'x' },
    });
    expect(lines(result)).toEqual([
      'test.yaml:7:19 error E_CONFIG_VARIABLE: the environment variable BROKER is not set — did you mean "BROKERS"?',
    ]);
    expect(result.config).toBeUndefined();
  });

  test('a file loses one trailing newline', () => {
    const { config } = load(memoryConfig({ 'topic: out': "topic: '${file:/run/secrets/two-lines}'" }));
    expect(config?.targets[0]?.adapter['topic']).toBe('one\ntwo\n');
  });
});

describe('errors', () => {
  test('of a whole file are told at once, in its order', () => {
    const result = load(
      memoryConfig({
        'type: memory': 'type: memroy',
        'topic: in': 'topc: in',
        'from: [in]': 'from: [inn]',
        dead: 'deed',
        'store: true': 'store: maybe',
      }),
    );
    expect(result.config).toBeUndefined();
    expect(result.findings.map(({ code, line }) => [line, code])).toEqual([
      [3, 'E_CONFIG_VALUE'],
      [10, 'E_CONFIG_REFERENCE'],
      [12, 'E_CONFIG_UNKNOWN_KEY'],
    ]);
  });

  test.each(['__proto__', 'constructor', 'prototype'])(
    'the key %s is refused everywhere and pollutes nothing',
    (key) => {
      const result = load(
        memoryConfig({
          'topic: out }': `topic: out, labels: { ${key}: { polluted: yes } } }`,
          'version: 1': `version: 1\n${key}: 1`,
        }),
      );
      expect(result.findings.filter(({ code }) => code === 'E_CONFIG_KEY')).toHaveLength(2);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    },
  );

  test.each(['', '# only a comment\n', 'null\n', '~'])('an empty file (%j) says how to begin', (text) => {
    expect(lines(load(text))).toEqual([
      'test.yaml:1:1 error E_CONFIG_YAML: the file is empty — run "fairlead init" for a commented start',
    ]);
  });

  test.each(['just text', '[1, 2]', '42'])('a file that is no map (%j) is told so', (text) => {
    expect(load(text).findings[0]).toMatchObject({ code: 'E_CONFIG_TYPE', line: 1, column: 1 });
  });

  test('an alias to nothing and an alias inside itself', () => {
    expect(lines(load('version: *x\n'))).toContainEqual(
      expect.stringMatching(/^test.yaml:1:10 error E_CONFIG_ALIAS: .*no anchor/),
    );
    expect(lines(load('brokers: &b { inner: *b }\n')).some((line) => line.includes('contains itself'))).toBe(true);
  });

  test('a huge, deep or hostile file ends in one finding', () => {
    expect(load(`a: ${'x'.repeat(2 ** 20)}`).findings).toHaveLength(1);
    expect(load('['.repeat(20_000)).findings).toHaveLength(1);
    expect(
      load(`a: ${'['.repeat(80)}${']'.repeat(80)}`).findings.some(({ message }) => message.includes('64 levels')),
    ).toBe(true);
  });

  test('a mistake under an anchor is told once', () => {
    const text = memoryConfig({
      'in: { broker: mem, topic: in }': "in: &in { broker: mem, topic: '${GONE}' }\n  twin: *in",
    });
    expect(load(text).findings.filter(({ code }) => code === 'E_CONFIG_VARIABLE')).toHaveLength(1);
  });
});
