import { describe, expect, test } from 'vitest';
import { isTopicName } from '../../../src/adapters/kafka/config.ts';
import { kafka } from '../../../src/adapters/kafka/index.ts';

describe('configuration', () => {
  test('startFrom is mandatory, topics are names', () => {
    const source = kafka.source?.schema;
    expect(source?.safeParse({ topics: ['t'] }).success).toBe(false);
    expect(source?.safeParse({ topics: ['t'], startFrom: 'earliest' }).success).toBe(true);
    for (const topics of [[], ['a*'], ['..'], ['a b'], ['x'.repeat(250)]]) {
      expect(source?.safeParse({ topics, startFrom: 'latest' }).success).toBe(false);
    }
  });

  test('broker addresses are host:port', () => {
    for (const [address, isGood] of [
      ['a:1', true],
      ['a', false],
      ['kafka://a:1', false],
      ['[::1]:1', false],
    ] as const) {
      expect(kafka.broker.safeParse({ brokers: [address] }).success).toBe(isGood);
    }
  });

  test('topic names', () => {
    expect(['a', 'A.b_c-9', 'x'.repeat(249)].every(isTopicName)).toBe(true);
    expect(['', '.', '..', 'a/b', 'a\n', 'ü', 'x'.repeat(250)].some(isTopicName)).toBe(false);
  });

  test('lint: clear-text secrets, late heartbeats, fixed topics that cannot be', () => {
    const codes = (kind: 'broker' | 'source' | 'target', config: object): string[] =>
      (kafka.lint?.({ kind, config: config as never, broker: {} }) ?? []).map(({ code }) => code);
    expect(codes('broker', { sasl: { mechanism: 'plain' } })).toEqual(['W_KAFKA_CLEAR_TEXT']);
    expect(codes('broker', { sasl: { mechanism: 'plain' }, tls: true })).toEqual([]);
    expect(codes('broker', { sasl: { mechanism: 'scram-sha-512' } })).toEqual([]);
    expect(codes('source', { heartbeatInterval: 6_000, sessionTimeout: 10_000 })).toEqual(['E_KAFKA_HEARTBEAT']);
    expect(codes('target', { topic: 'a b' })).toEqual(['E_KAFKA_TOPIC']);
    expect(codes('target', { topic: '{type}', watchGroup: 'g' })).toEqual(['W_KAFKA_WATCH_GROUP']);
    expect(codes('target', { topic: 'fine', watchGroup: 'g' })).toEqual([]);
  });
});
