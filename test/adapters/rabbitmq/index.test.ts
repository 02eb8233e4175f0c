import { describe, expect, test } from 'vitest';
import { endpointOf } from '../../../src/adapters/rabbitmq/endpoint.ts';
import { rabbitmq } from '../../../src/adapters/rabbitmq/index.ts';
import { RoutingKey } from '../../../src/adapters/rabbitmq/routing.ts';
import { jsonEvent } from '../../setup/events.ts';
import { brokerConfig, sourceConfig, targetConfig } from './raw.ts';

describe('configuration', () => {
  test('defaults', () => {
    const url = 'amqp://localhost';
    expect(rabbitmq.broker.parse({ url })).toEqual({ ...brokerConfig(url), connectTimeout: 10_000 });
    const { maxEventBytes: _, ...source } = sourceConfig('q');
    expect(rabbitmq.source?.schema.parse({ queue: 'q' })).toEqual(source);
    const { headers: __, ...target } = targetConfig({ queue: 'q' });
    expect(rabbitmq.target?.schema.parse({ queue: 'q' })).toEqual(target);
    expect(rabbitmq.source?.schema.parse({ queue: 'q', declare: {} })).toMatchObject({
      declare: { type: 'quorum', durable: true, bindings: [], arguments: {} },
    });
  });

  test.each(['http://localhost', 'localhost', ''])('"%s" is no broker', (url) => {
    expect(rabbitmq.broker.safeParse({ url }).success).toBe(false);
  });

  test('names are bounded by the wire', () => {
    expect(rabbitmq.source?.schema.safeParse({ queue: 'é'.repeat(128) }).success).toBe(false);
    expect(rabbitmq.source?.schema.safeParse({ queue: 'q', unknown: 1 }).success).toBe(false);
  });

  const lint = (kind: 'broker' | 'target', config: Record<string, unknown>): string[] =>
    (rabbitmq.lint?.({ kind, config, broker: {} }) ?? []).map(({ severity, path }) => `${severity} ${path.join('.')}`);

  test('lint says what a schema cannot', () => {
    expect(
      lint('target', { exchange: 'x', routingKey: 'k', queue: 'q', declare: { exchange: {}, queue: {} } }),
    ).toEqual([]);
    expect(lint('target', { queue: 'q' })).toEqual([]);
    expect(lint('target', {})).toEqual(['error ']);
    expect(lint('target', { queue: 'q', routingKey: 'k' })).toEqual(['error routingKey']);
    expect(lint('target', { queue: 'q', declare: { exchange: {} } })).toEqual(['error declare.exchange']);
    expect(lint('target', { exchange: 'x', declare: { queue: {} } })).toEqual(['error declare.queue']);
    expect(lint('target', { queue: 'q', persistent: false })).toEqual(['warning persistent']);
    expect(lint('broker', { url: 'amqp://h', tls: {} })).toEqual(['warning tls']);
    expect(lint('broker', { url: 'amqps://h', tls: {} })).toEqual([]);
  });
});

describe('endpoint', () => {
  const endpoint = (url: string) => endpointOf({ url, heartbeat: 10_000 });

  test('the AMQP URI: percent-encoding, default ports, virtual hosts', () => {
    expect(endpoint('amqp://u%40x:p%2Fw@h/a%2Fb')).toMatchObject({
      tls: false,
      host: 'h',
      port: 5672,
      username: 'u@x',
      password: 'p/w',
      vhost: 'a/b',
      options: { vhost: 'a%2Fb', heartbeat: 10 },
    });
    expect(endpoint('amqps://h')).toMatchObject({ tls: true, port: 5671, username: 'guest', vhost: '/' });
    expect(endpoint('amqp://[::1]:99/')).toMatchObject({ host: '::1', port: 99, vhost: '/' });
  });
});

describe('routing key', () => {
  const key = (template: string, over: Parameters<typeof jsonEvent>[1] = {}): string =>
    new RoutingKey(template).of(jsonEvent(1, over));

  test('rendered from attributes', () => {
    expect(key('')).toBe('');
    expect(key('a.{{b}}')).toBe('a.{b}');
    expect(key('{type}.{subject:-none}')).toBe('test.reading.none');
  });

  test.each(['a#', '*', 'a\n', 'a\u0000', '\u007f'])('%j from an attribute is refused', (subject) => {
    expect(() => key('{subject}', { subject })).toThrow(expect.objectContaining({ code: 'E_RABBITMQ_ROUTING_KEY' }));
  });

  test('a missing attribute and a key over 255 bytes are refused', () => {
    const refused = expect.objectContaining({ code: 'E_RABBITMQ_ROUTING_KEY', retryable: false });
    expect(() => key('{subject}')).toThrow(refused);
    expect(() => key('{subject}', { subject: 'é'.repeat(128) })).toThrow(refused);
    expect(() => new RoutingKey('x'.repeat(256))).toThrow(refused);
    expect(key('{subject}', { subject: 'x'.repeat(255) }).length).toBe(255);
  });
});
