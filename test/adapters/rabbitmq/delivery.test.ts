import type { ConsumeMessage } from 'amqplib';
import { describe, expect, test } from 'vitest';
import { DeliveryMaker } from '../../../src/adapters/rabbitmq/delivery.ts';
import type { WrapConfig } from '../../../src/adapters/spec.ts';

function message(
  properties: Partial<ConsumeMessage['properties']>,
  fields: Partial<ConsumeMessage['fields']> = {},
  body = 'x',
): ConsumeMessage {
  return {
    content: Buffer.from(body),
    properties: { headers: {}, ...properties } as ConsumeMessage['properties'],
    fields: {
      consumerTag: 'c',
      deliveryTag: 7,
      redelivered: false,
      exchange: 'ex',
      routingKey: 'eu.orders.new',
      ...fields,
    },
  };
}

const maker = (as?: WrapConfig, maxEventBytes = 100): DeliveryMaker =>
  new DeliveryMaker({ queue: 'q', maxEventBytes, as });

describe('what is not a CloudEvent', () => {
  test('is wrapped with the data untouched, and the message-id as its id', () => {
    const { event, meta } = maker().make(message({ messageId: 'm-1', contentType: 'text/plain' }, {}, 'hello'));
    expect(event).toMatchObject({
      id: 'm-1',
      source: '/rabbitmq/q',
      type: 'com.rabbitmq.message',
      datacontenttype: 'text/plain',
    });
    expect(event?.data?.toString()).toBe('hello');
    expect(meta.position).toEqual({ queue: 'q', tag: 7 });
  });

  test('without a message-id gets an id of its own', () => {
    const ids = [1, 2].map(() => maker().make(message({})).event?.id);
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  test('is wrapped from every variable', () => {
    const all =
      '{queue}|{exchange}|{routingkey}|{routingkey.0}|{routingkey.2}|{routingkey.9:-none}|{messageid}|{correlationid}';
    const as = {
      type: all,
      source: '/{header.tenant}/{header.count}/{header.none:-x}',
      subject: '{contenttype}',
      time: '{timestamp}',
      id: '{header.__proto__:-own}',
    };
    const properties = {
      messageId: 'm',
      correlationId: 'c',
      timestamp: 1_767_322_245,
      contentType: 'text/plain',
      headers: { tenant: 't', count: 3 },
    };
    expect(maker(as).make(message(properties)).event).toMatchObject({
      type: 'q|ex|eu.orders.new|eu|new|none|m|c',
      source: '/t/3/x',
      subject: 'text/plain',
      time: '2026-01-02T02:50:45Z',
      id: 'own',
    });
  });

  test('is poison where a variable it needs is missing', () => {
    const { poison } = maker({ type: '{header.kind}', source: '/s' }).make(message({}));
    expect(poison).toMatchObject({ code: 'E_WRAP', raw: Buffer.from('x') });
  });
});

describe('poison', () => {
  test('more than maxEventBytes, verbatim with its content type', () => {
    const { poison, meta } = maker(undefined, 3).make(message({ contentType: 'text/plain' }, {}, 'four'));
    expect(poison).toMatchObject({ code: 'E_EVENT_TOO_LARGE', raw: Buffer.from('four'), contentType: 'text/plain' });
    expect(meta.position).toEqual({ queue: 'q', tag: 7 });
  });

  test('an incomplete CloudEvent', () => {
    const { poison } = maker().make(message({ headers: { cloudEvents_id: 'i' } }));
    expect(poison?.code).toBe('E_CE_MISSING');
  });
});

test('the attempt is what the broker counted, else that there was one before', () => {
  const attempt = (headers: object, redelivered: boolean): number =>
    maker().make(message({ headers }, { redelivered })).attempt;
  expect(attempt({}, false)).toBe(1);
  expect(attempt({}, true)).toBe(2);
  expect(attempt({ 'x-delivery-count': 0 }, false)).toBe(1);
  expect(attempt({ 'x-delivery-count': 4 }, true)).toBe(5);
  expect(attempt({ 'x-delivery-count': 'many' }, true)).toBe(2);
});
