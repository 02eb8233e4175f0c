import type { Message } from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import type { CommonSourceConfig } from '../../../src/adapters/spec.ts';
import type { Queue } from '../../../src/adapters/sqs/client.ts';
import { Decoder } from '../../../src/adapters/sqs/decode.ts';
import { type Encoded, type EncodeOptions, encode } from '../../../src/adapters/sqs/encode.ts';
import { memberText } from '../../../src/adapters/sqs/text.ts';
import { encodeJson } from '../../../src/cloudevents/json.ts';
import type { Delivery, EventDelivery } from '../../../src/core/delivery.ts';
import type { MeshEvent } from '../../../src/core/event.ts';
import { extensions, identity, jsonEvent } from '../../setup/events.ts';

const arn = 'arn:aws:sqs:eu-central-1:123456789012:jobs';
const queue: Queue = { url: 'http://sqs/123456789012/jobs', name: 'jobs', fifo: false, arn, attributes: {} };
const options: EncodeOptions = {
  encoding: 'structured',
  headers: 'pass',
  mirror: ['type', 'source'],
  maxBytes: 2 ** 20,
};

function decode(message: Message, config: Partial<CommonSourceConfig> = {}, at: Queue = queue): Delivery {
  return new Decoder(at, { maxEventBytes: 2 ** 20, ...config }).decode({ MessageId: 'm-1', ...message });
}

function eventOf(message: Message, config?: Partial<CommonSourceConfig>): MeshEvent {
  const { event, poison } = decode(message, config);
  if (event === undefined) throw new Error(`${poison.code} ${poison.message}`);
  return event;
}

function back({ body, attributes }: Encoded): EventDelivery {
  const delivery = decode({ Body: body, ...(attributes === undefined ? {} : { MessageAttributes: attributes }) });
  if (delivery.event === undefined) throw new Error(delivery.poison.message);
  return delivery;
}

describe('encode', () => {
  test('eleven attributes do not fit beside the data: delivered structured', () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const many = extensions(Object.fromEntries(names.map((name) => [name, name])));
    const event = jsonEvent(1, { extensions: many }); // with specversion, id, source, type, time, datacontenttype
    const encoded = encode(event, undefined, { ...options, encoding: 'binary' });
    expect(JSON.parse(encoded.body)).toMatchObject({ specversion: '1.0', id: event.id, e: 'e' });
    expect(identity(back(encoded).event)).toEqual(identity(event));

    const ten = jsonEvent(1, { extensions: extensions({ a: 'a', b: 'b', c: 'c', d: 'd' }) });
    const fits = encode(ten, undefined, { ...options, encoding: 'binary' });
    expect(fits.body).toBe(String(ten.data));
    expect(Object.keys(fits.attributes ?? {}).length).toBe(10);
    expect(identity(back(fits).event)).toEqual(identity(ten));
  });

  test('U+0001 in the data is lossless, and the body has only characters that SQS takes', () => {
    for (const datacontenttype of ['text/plain', 'application/octet-stream']) {
      const event = jsonEvent(1, { datacontenttype, data: Buffer.from('a\u0001\ufffeb\uffff') });
      const encoded = encode(event, undefined, options);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
      expect(encoded.body).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/);
      expect(identity(back(encoded).event)).toEqual(identity(event));
    }
  });

  test('verbatim structured bytes with a raw U+FFFE are escaped, otherwise untouched', () => {
    const text =
      '{"specversion":"1.0", "id":"1","source":"/s","type":"t","data":{"big":12345678901234567890,"x":"\ufffe"}}';
    const event = eventOf({ Body: text });
    expect(encode(event, undefined, options).body).toBe(text.replace('\ufffe', '\\ufffe'));
    const plain = eventOf({ Body: text.replace('\ufffe', 'ok') });
    expect(encode(plain, undefined, options).body).toBe(text.replace('\ufffe', 'ok'));
  });

  test('raw: text goes out alone; bytes, forbidden characters and no data are refused for good', () => {
    const raw = { ...options, encoding: 'raw' } as const;
    expect(encode(jsonEvent(1, { data: Buffer.from('Grüße 😀') }), undefined, raw).body).toBe('Grüße 😀');
    const refused = (data: Buffer | undefined): unknown => encode(jsonEvent(1, { data }), undefined, raw);
    expect(() => refused(Buffer.from([0xff, 0xfe]))).toThrow(expect.objectContaining({ code: 'E_SQS_NOT_TEXT' }));
    expect(() => refused(Buffer.from('\u0001'))).toThrow(expect.objectContaining({ code: 'E_SQS_NOT_TEXT' }));
    expect(() => refused(undefined)).toThrow(expect.objectContaining({ code: 'E_SQS_EMPTY', retryable: false }));
  });

  test('over the limit is refused for good, attributes counted in', () => {
    const event = jsonEvent(1, { datacontenttype: 'text/plain', data: Buffer.from('x'.repeat(2_000)) });
    const { bytes, body } = encode(event, undefined, options);
    expect(bytes).toBeGreaterThan(Buffer.byteLength(body));
    const tooLarge = expect.objectContaining({ code: 'E_SQS_TOO_LARGE', retryable: false, sent: 'no' });
    expect(() => encode(event, undefined, { ...options, maxBytes: bytes - 1 })).toThrow(tooLarge);
    expect(encode(event, undefined, { ...options, maxBytes: bytes }).bytes).toBe(bytes);
  });

  test('native headers pass up to ten in all; what cannot go along is counted', () => {
    const native: Record<string, string | Buffer> = {
      trace: 'abc',
      blob: Buffer.from([1, 2]),
      'AWS.x': 'no',
      'a b': 'no',
    };
    native['empty'] = '';
    native['ce_type'] = 'collides';
    native['control'] = '\u0001';
    const encoded = encode(jsonEvent(1), native, options);
    expect(encoded.headersDropped).toBe(5);
    expect(Object.keys(encoded.attributes ?? {}).sort()).toEqual(['blob', 'ce_source', 'ce_type', 'trace']);
    const { event, meta } = back(encoded);
    expect(event.type).toBe('test.reading');
    expect({ ...meta.headers }).toEqual({ trace: 'abc', blob: Buffer.from([1, 2]) });

    const twelve = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`h${n}`, 'x']));
    const full = encode(jsonEvent(1), twelve, options);
    expect([Object.keys(full.attributes ?? {}).length, full.headersDropped]).toEqual([10, 4]);
    expect(encode(jsonEvent(1), twelve, { ...options, headers: 'drop' }).headersDropped).toBe(12);
  });
});

describe('decode', () => {
  const event = jsonEvent(1, { extensions: extensions({ comx: 'ü' }) });
  const structured = encodeJson(event).toString();

  test('a CloudEvent in an SNS envelope is unwrapped once', () => {
    const sns = (message: string): string =>
      JSON.stringify({
        Type: 'Notification',
        MessageId: 'sns-1',
        TopicArn: 'arn:aws:sns:eu:1:topic',
        Subject: 'hello',
        Message: message,
        Timestamp: '2026-01-02T03:04:05.000Z',
        MessageAttributes: { color: { Type: 'String', Value: 'red' }, raw: { Type: 'Binary', Value: 'AQI=' } },
      });
    const delivery = decode({ Body: sns(structured) });
    expect(identity(delivery.event as MeshEvent)).toEqual(identity(event));
    expect(delivery.event?.structured?.toString()).toBe(structured);
    expect({ ...delivery.meta.headers }).toEqual({ color: 'red', raw: Buffer.from([1, 2]) });

    const twice = eventOf({ Body: sns(sns(structured)) });
    expect(twice.type).toBe('com.amazon.sns.notification');
    expect(String(twice.data)).toBe(sns(structured));

    const as = { type: '{subject}', source: '{topicarn}', time: '{sent}', subject: '{attribute.color}' };
    const wrapped = eventOf({ Body: sns('plain text') }, { as });
    expect(wrapped).toMatchObject({ id: 'sns-1', type: 'hello', source: 'arn:aws:sns:eu:1:topic', subject: 'red' });
    expect(wrapped.time).toBe('2026-01-02T03:04:05.000Z');
    expect([String(wrapped.data), wrapped.datacontenttype]).toEqual(['plain text', 'text/plain']);
  });

  test('an EventBridge envelope becomes its event, detail byte for byte', () => {
    const detail = '{ "big": 12345678901234567890, "one":1.0, "s":"a\\"}]\\\\", "n":{"specversion":"1.0"} }';
    const text = `{"version":"0","id":"eb-1","detail-type":"Order Placed","source":"com.acme","account":"123","time":"2026-01-02T03:04:05Z","region":"eu-central-1","resources":["arn:x"],"detail":${detail}}`;
    const found = eventOf({ Body: text });
    expect(String(found.data)).toBe(detail);
    expect(found).toMatchObject({ id: 'eb-1', source: 'com.acme', type: 'Order Placed', time: '2026-01-02T03:04:05Z' });
    expect({ ...found.extensions }).toEqual({
      awsaccount: '123',
      awsregion: 'eu-central-1',
      awsresources: '["arn:x"]',
    });
    // fields that make no CloudEvent: wrapped whole, nothing lost
    const odd = text.replace('com.acme', 'my app');
    expect(eventOf({ Body: odd })).toMatchObject({ id: 'm-1', type: 'com.amazon.sqs.message', source: arn });
    expect(String(eventOf({ Body: odd }).data)).toBe(odd);
  });

  test('anything else is wrapped: id, source and type from the message, data untouched', () => {
    for (const [body, type] of [
      ['{"a":1.0}', 'application/json'],
      [' [1]', 'application/json'],
      ['[x', 'text/plain'],
      ['Grüße 😀', 'text/plain'],
      ['{"a":{"specversion":"1.0"}}', 'application/json'],
    ] as const) {
      const wrapped = eventOf({ Body: body });
      expect(wrapped).toMatchObject({ id: 'm-1', source: arn, type: 'com.amazon.sqs.message', datacontenttype: type });
      expect(String(wrapped.data)).toBe(body);
    }
    const as = {
      type: 'job.{attribute.kind}',
      source: '/q/{queue}',
      id: '{messageid}-x',
      time: '{sent}',
      subject: '{groupid}',
    };
    const Attributes = { SentTimestamp: '1767323045123', MessageGroupId: 'g' };
    const MessageAttributes = { kind: { DataType: 'String', StringValue: 'print' } };
    const wrapped = eventOf({ Body: 'x', Attributes, MessageAttributes }, { as });
    expect(wrapped).toMatchObject({ id: 'm-1-x', type: 'job.print', source: '/q/jobs', subject: 'g' });
    expect(wrapped.time).toBe('2026-01-02T03:04:05.123Z');
  });

  test('what claims to be a CloudEvent and is none is poison, verbatim', () => {
    const binary = { ce_specversion: { DataType: 'String', StringValue: '1.0' } };
    for (const message of [
      { Body: '{"specversion":"1.0","id":"","source":"/s","type":"t"}' },
      { Body: '{"specversion":"1.0","id":"1","source":"/s"}' },
      { Body: '{"specversion":"0.3","id":"1","source":"/s","type":"t"}' },
      { Body: '{"specversion":"1.0","id":"1","source":"/s","type":"t","data":1,"data_base64":"AA=="}' },
      { Body: '{"specversion":"1.0","id":"1"' },
      { Body: 'x', MessageAttributes: binary },
    ]) {
      const delivery = decode(message);
      expect(delivery.poison?.raw.toString(), message.Body).toBe(message.Body);
      expect(delivery.poison?.code).toMatch(/^E_CE_/);
    }
    expect(decode({ Body: 'x'.repeat(11) }, { maxEventBytes: 10 }).poison?.code).toBe('E_SQS_TOO_LARGE');
    const as = { type: '{attribute.none}', source: '/s' };
    expect(decode({ Body: 'x' }, { as }).poison?.code).toBe('E_WRAP');
  });

  test('attempt, ordering key and position come from the message', () => {
    const Attributes = { ApproximateReceiveCount: '3', MessageGroupId: 'g' };
    const fifo = decode({ Body: structured, Attributes }, {}, { ...queue, fifo: true });
    expect(fifo).toMatchObject({
      attempt: 3,
      orderingKey: 'g',
      meta: { position: { queue: 'jobs', messageId: 'm-1' } },
    });
    expect(String(fifo.meta.key)).toBe('g');
    expect(decode({ Body: structured, Attributes }).orderingKey).toBeUndefined();
    expect(decode({ Body: structured }).attempt).toBe(1);
  });

  test('hostile bodies do no harm', () => {
    for (const body of ['{"__proto__":{"specversion":"1.0"}}', `{"a":${'['.repeat(100_000)}`, '{', '', '\u0000']) {
      expect(String(eventOf({ Body: body }).data)).toBe(body);
    }
  });
});

test('memberText finds top-level members as they stand', () => {
  const json = ' { "a" : [1,{"b":2}] ,"b":"x\\"}", "c":-1.50e3,"d":null\n,"a":{}, "\\u0065":true}';
  expect(memberText(json, 'a')).toBe('{}');
  expect(memberText(json, 'b')).toBe('"x\\"}"');
  expect(memberText(json, 'c')).toBe('-1.50e3');
  expect(memberText(json, 'd')).toBe('null');
  expect(memberText(json, 'e')).toBe('true');
  expect(memberText('{}', 'a')).toBeUndefined();
});
