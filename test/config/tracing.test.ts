import { expect, test } from 'vitest';
import { lines, load, memoryConfig } from './load.ts';

const section = (text: string): string =>
  memoryConfig({ 'unmatched: dead-letter\n': `unmatched: dead-letter\ntracing: ${text}\n` });

test('nothing is traced without the section', () => {
  expect(load(memoryConfig()).config?.tracing).toBeUndefined();
});

test('defaults, and headers that nobody is shown', () => {
  const text = section(`{ endpoint: 'http://c:4318/v1/traces', headers: { x-key: '\${file:/run/secrets/token}' } }`);
  const { config, echo, findings } = load(text);
  expect(findings).toEqual([]);
  const endpoint = 'http://c:4318/v1/traces';
  expect(config?.tracing).toEqual({
    endpoint,
    headers: { 'x-key': 'canary-from-a-file' },
    sample: 0.01,
    maxSpans: 8_192,
  });
  expect(echo?.['tracing']).toEqual({ endpoint, headers: { 'x-key': '***' }, sample: 0.01, maxSpans: 8_192 });
});

test.each([
  ['{}', 'E_CONFIG_MISSING: tracing lacks "endpoint"'],
  ['{ endpoint: localhost }', 'E_CONFIG_VALUE: tracing.endpoint'],
  ['{ endpoint: "grpc://c:4317" }', 'E_CONFIG_VALUE: tracing.endpoint'],
  ['{ endpoint: "http://user:canary@c/v1/traces" }', 'E_CONFIG_VALUE: tracing.endpoint'],
  ['{ endpoint: "http://c/v1/traces", sample: 1.5 }', 'E_CONFIG_VALUE: tracing.sample'],
  ['{ endpoint: "http://c/v1/traces", maxSpans: 1 }', 'E_CONFIG_VALUE: tracing.maxSpans'],
  ['{ endpoint: "http://c/v1/traces", headers: { "a b": x } }', 'E_CONFIG_NAME: tracing.headers'],
  ['{ endpoint: "http://c/v1/traces", headers: { a: "canary\\n" } }', 'E_CONFIG_VALUE: tracing.headers'],
  ['{ endpoint: "http://c/v1/traces", headers: { a: "" } }', 'E_CONFIG_VALUE: tracing.headers'],
])('refused: %s', (text, place) => {
  const found = lines(load(section(text)));
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(place);
  expect(found[0]).not.toContain('canary');
});
