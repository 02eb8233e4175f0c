import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { mqttAdapter } from '../../../src/adapters/mqtt/index.ts';
import { filterMistake, topicMistake } from '../../../src/adapters/mqtt/topics.ts';
import type { LintEntry } from '../../../src/adapters/spec.ts';
import { sourceOf, targetOf } from './fixture.ts';

const broker = { url: 'mqtt://b:1883', protocolVersion: 5 };

function findings(
  kind: LintEntry['kind'],
  config: Record<string, unknown>,
  on: Record<string, unknown> = broker,
): string[] {
  const found = mqttAdapter.lint?.({ kind, config, broker: on }) ?? [];
  return found.map(({ severity, code, path }) => `${severity} ${code} ${path.join('.')}`.trim());
}

function issue(schema: z.ZodObject | undefined, value: unknown): string | undefined {
  return schema?.safeParse(value).error?.issues[0]?.message;
}

describe('schemas', () => {
  test('defaults', () => {
    expect(mqttAdapter.broker.parse({ url: 'mqtt://b' })).toEqual({
      url: 'mqtt://b',
      protocolVersion: 5,
      keepalive: 30_000,
      connectTimeout: 10_000,
    });
    expect(mqttAdapter.source?.schema.parse({ topic: 'x' })).toMatchObject({
      qos: 1,
      sessionExpiry: 3_600_000,
      retain: 'take',
      format: 'auto',
      receiveMaximum: 1_000,
    });
    expect(mqttAdapter.target?.schema.parse({ topic: 'x' })).toMatchObject({
      qos: 1,
      retain: false,
      slashes: 'reject',
    });
  });

  test('QoS 2 is refused with the reason', () => {
    expect(issue(mqttAdapter.source?.schema, { topic: 'x', qos: 2 })).toMatch(/QoS 2 is not supported.*lose/);
    expect(issue(mqttAdapter.target?.schema, { topic: 'x', qos: 2 })).toMatch(/QoS 2 is not supported/);
  });

  test('addresses', () => {
    for (const url of ['mqtt://h:1883', 'mqtts://h', 'ws://h:9001/mqtt', 'wss://[::1]:1']) {
      expect(issue(mqttAdapter.broker, { url })).toBeUndefined();
    }
    for (const url of ['tcp://h', 'mqtt://', 'h:1883', 'mqtt://h:port']) {
      expect(issue(mqttAdapter.broker, { url })).toMatch(/expected mqtt/);
    }
    expect(issue(mqttAdapter.broker, { url: 'mqtt://u:p@h' })).toMatch(/redacted/);
  });

  test('every field is described', () => {
    for (const schema of [mqttAdapter.broker, mqttAdapter.source?.schema, mqttAdapter.target?.schema]) {
      for (const [name, field] of Object.entries(schema?.shape ?? {})) {
        expect((field as z.ZodType).description, name).toBeTruthy();
      }
    }
  });
});

describe('lint', () => {
  test('nothing to say about a plain entry', () => {
    expect(findings('broker', broker)).toEqual([]);
    expect(findings('source', { topic: 'a/+', qos: 1 })).toEqual([]);
    expect(findings('target', { topic: 'a/{type}', qos: 1 })).toEqual([]);
  });

  test('sources', () => {
    expect(findings('source', { qos: 1 })).toEqual(['error E_MQTT_CONFIG']);
    expect(findings('source', { topic: 'a', topics: ['b'], qos: 1 })).toEqual(['error E_MQTT_CONFIG topics']);
    expect(findings('source', { topics: ['a', 'b/#/c'], qos: 1 })).toEqual(['error E_MQTT_TOPIC topics.1']);
    expect(findings('source', { topic: '$share/g/a', qos: 1 })).toEqual(['error E_MQTT_CONFIG topic']);
    expect(findings('source', { topic: 'a', qos: 0 })).toEqual(['warning W_MQTT_QOS0 qos']);
    expect(findings('source', { topic: 'a', qos: 1, clientId: 'fixed' })).toEqual([
      'warning W_MQTT_CLIENT_ID clientId',
    ]);
  });

  test('targets', () => {
    const old = { ...broker, protocolVersion: 4 };
    expect(findings('target', { topic: 'a', qos: 1, encoding: 'binary' }, old)).toEqual([
      'error E_MQTT_CONFIG encoding',
    ]);
    for (const topic of ['a/#', '+/{id}', '$SYS/x', '']) {
      expect(findings('target', { topic, qos: 1 })).toEqual(['error E_MQTT_TOPIC topic']);
    }
    expect(findings('target', { topic: 'a', qos: 0 })).toEqual(['warning W_MQTT_QOS0 qos']);
  });

  test('brokers', () => {
    expect(findings('broker', { ...broker, tls: { rejectUnauthorized: true } })).toEqual(['error E_MQTT_CONFIG tls']);
    expect(findings('broker', { url: 'mqtts://b', tls: { rejectUnauthorized: false } })).toEqual([
      'warning W_MQTT_TLS tls.rejectUnauthorized',
    ]);
    expect(findings('broker', { ...broker, password: 'x' })).toEqual(['error E_MQTT_CONFIG password']);
  });

  test('what lint calls an error cannot be made either', () => {
    expect(() => sourceOf(broker, {})).toThrow(/topic/);
    expect(() => targetOf({ ...broker, protocolVersion: 4 }, { topic: 'a' }, { encoding: 'binary' })).toThrow(
      /3\.1\.1/,
    );
  });
});

describe('topics', () => {
  test('filters', () => {
    for (const filter of ['#', '+', 'a/+/b/#', '/', 'a//b', '$SYS/#', 'ü'])
      expect(filterMistake(filter)).toBeUndefined();
    for (const filter of ['', 'a#', '#/a', 'a+/b', 'a\0b', '\ud800', 'x'.repeat(65_536)]) {
      expect(filterMistake(filter), filter.slice(0, 9)).toBeDefined();
    }
  });

  test('names to publish to', () => {
    for (const topic of ['a', '/', 'a//b', 'ü/€', 'x'.repeat(65_535), 'a$b'])
      expect(topicMistake(topic)).toBeUndefined();
    for (const topic of ['', 'a/#', 'a+', '$a', 'a\nb', 'a\u0085', '\udc00', 'é'.repeat(32_768)]) {
      expect(topicMistake(topic), topic.slice(0, 9)).toBeDefined();
    }
  });
});
