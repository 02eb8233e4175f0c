import { describe, expect, test } from 'vitest';
import type { CircuitBreakerSettings } from '../../src/core/policy.ts';
import { lines, load, memoryConfig } from './load.ts';

/** What a target comes to that binds these policies, in this order. */
function target(policies: Readonly<Record<string, string>>) {
  const names = Object.keys(policies);
  const entries = names.map((name) => `  ${name}: ${policies[name]}\n`).join('');
  const result = load(
    memoryConfig({
      'topic: out': `topic: out, policies: [${names.join(', ')}]`,
      'unmatched: dead-letter\n': `unmatched: dead-letter\npolicies:\n${entries}`,
    }),
  );
  return { breaker: result.config?.targets[0]?.circuitBreaker, lines: lines(result) };
}

const DEFAULTS: CircuitBreakerSettings = {
  failureRate: 0.5,
  windowMs: 10_000,
  minimum: 20,
  halfOpenAfterMs: 5_000,
  halfOpenAfterMaxMs: 60_000,
  probes: 5,
};

describe('circuitBreaker', () => {
  test('none without the field', () => {
    expect(target({ plain: '{ retry: 1 }' })).toEqual({ breaker: undefined, lines: [] });
  });

  test('has defaults for everything', () => {
    expect(target({ careful: '{ circuitBreaker: {} }' })).toEqual({ breaker: DEFAULTS, lines: [] });
  });

  test('every field is read', () => {
    const text =
      '{ circuitBreaker: { failureRate: 0.2, window: 1m, minimum: 3, halfOpenAfter: 1s, halfOpenAfterMax: 9s, probes: 2, slowCall: { over: 2s } } }';
    expect(target({ careful: text }).breaker).toEqual({
      failureRate: 0.2,
      windowMs: 60_000,
      minimum: 3,
      halfOpenAfterMs: 1_000,
      halfOpenAfterMaxMs: 9_000,
      probes: 2,
      slowCall: { overMs: 2_000, rate: 0.5 },
    });
  });

  test('the last breaker of several policies is taken whole', () => {
    const found = target({
      first: '{ circuitBreaker: { failureRate: 0.1 } }',
      second: '{ circuitBreaker: { minimum: 7 } }',
      third: '{ retry: 2 }',
    });
    expect(found.breaker).toEqual({ ...DEFAULTS, minimum: 7 });
  });

  test('the longest wait is never shorter than the first', () => {
    const { breaker } = target({ careful: '{ circuitBreaker: { halfOpenAfter: 5m } }' });
    expect(breaker).toMatchObject({ halfOpenAfterMs: 300_000, halfOpenAfterMaxMs: 300_000 });
  });
});
