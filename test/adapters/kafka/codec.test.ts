import { CloudEvent, Kafka as SdkKafka } from 'cloudevents';
import { describe, expect, test } from 'vitest';
import { decodeRecord, encodeRecord, nativeHeaders, type RecordHeaders } from '../../../src/adapters/kafka/codec.ts';
import type { MeshEvent } from '../../../src/core/event.ts';
import { extensions, identity, jsonEvent } from '../../setup/events.ts';

const bytes = (text: string): Buffer => Buffer.from(text);
const REQUIRED = {
  ce_specversion: bytes('1.0'),
  ce_id: bytes('1'),
  ce_source: bytes('/s'),
  ce_type: bytes('t'),
} satisfies RecordHeaders;

function decode(value: Buffer | null, headers: RecordHeaders): MeshEvent {
  const decoded = decodeRecord(value, headers);
  if (!('event' in decoded)) throw new Error('not a CloudEvent');
  return decoded.event;
}
const codeOf = (value: Buffer | null, headers: RecordHeaders): string => {
  try {
    decodeRecord(value, headers);
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'decoded';
};

describe('reading records', () => {
  test('Buffer and string headers are the same; content-type is datacontenttype', () => {
    const text = Object.fromEntries(Object.entries(REQUIRED).map(([name, value]) => [name, value.toString()]));
    const type = { 'content-type': 'text/plain;charset=x' };
    const [fromBytes, fromText] = [
      decode(bytes('d'), { ...REQUIRED, ...type }),
      decode(bytes('d'), { ...text, ...type }),
    ];
    expect(identity(fromBytes)).toEqual(identity(fromText));
    expect(fromBytes.datacontenttype).toBe('text/plain;charset=x');
  });

  test('a null value is an event without data, an empty value is empty data', () => {
    expect(decode(null, REQUIRED).data).toBeUndefined();
    expect(decode(Buffer.alloc(0), REQUIRED).data).toEqual(Buffer.alloc(0));
  });

  test('values are raw UTF-8: percent signs are literal', () => {
    const event = decode(null, { ...REQUIRED, ce_a: bytes('100%20'), ce_b: bytes('Euro € 😀'), ce_c: bytes('%41') });
    expect(event.extensions).toEqual(extensions({ a: '100%20', b: 'Euro € 😀', c: '%41' }));
  });

  test('a record without any ce_ header is no CloudEvent', () => {
    expect(decodeRecord(bytes('x'), undefined)).toEqual({ plain: true, contentType: undefined });
    expect(decodeRecord(null, {})).toEqual({ plain: true, contentType: undefined });
    expect(decodeRecord(bytes('x'), { id: bytes('1'), 'content-type': bytes('text/csv') })).toEqual({
      plain: true,
      contentType: 'text/csv',
    });
  });

  test.each([
    ['a duplicate id', { ...REQUIRED, ce_id: [bytes('1'), bytes('1')] }, 'E_CE_DUPLICATE'],
    ['two content types', { ...REQUIRED, 'content-type': [bytes('a/b'), bytes('a/c')] }, 'E_CE_DUPLICATE'],
    [
      'an HTTP date as time',
      { ...REQUIRED, ce_time: bytes('Mon, 02 Jan 2026 03:04:05 GMT') },
      'E_CE_INVALID_ATTRIBUTE',
    ],
    ['no specversion', { ce_id: bytes('1') }, 'E_CE_MISSING'],
    ['a null id', { ...REQUIRED, ce_id: null }, 'E_CE_MISSING'],
    ['an empty id', { ...REQUIRED, ce_id: bytes('') }, 'E_CE_INVALID_ATTRIBUTE'],
    ['another specversion', { ...REQUIRED, ce_specversion: bytes('0.3') }, 'E_CE_SPECVERSION'],
    ['an attribute name with a dash', { ...REQUIRED, 'ce_my-ext': bytes('1') }, 'E_CE_INVALID_ATTRIBUTE'],
    ['data as an attribute', { ...REQUIRED, ce_data: bytes('1') }, 'E_CE_INVALID_ATTRIBUTE'],
    [
      'a datacontenttype attribute that contradicts the content type',
      { ...REQUIRED, 'content-type': bytes('a/b'), ce_datacontenttype: bytes('a/c') },
      'E_CE_DUPLICATE',
    ],
    ['bytes that are not UTF-8', { ...REQUIRED, ce_x: Buffer.from([0xc0, 0xa0]) }, 'E_CE_INVALID_ATTRIBUTE'],
    ['a control character', { ...REQUIRED, ce_x: bytes('a\r\nb') }, 'E_CE_INVALID_ATTRIBUTE'],
    ['a batch', { 'content-type': bytes('application/cloudevents-batch+json') }, 'E_CE_UNSUPPORTED_MEDIA'],
    ['avro', { 'content-type': bytes('application/cloudevents+avro') }, 'E_CE_UNSUPPORTED_MEDIA'],
    ['structured that is no JSON', { 'content-type': bytes('application/cloudevents+json') }, 'E_CE_JSON'],
  ] as [string, RecordHeaders, string][])('%s is refused', (_name, headers, code) => {
    expect(codeOf(bytes('x'), headers)).toBe(code);
  });

  test('a structured record is never a tombstone', () => {
    expect(codeOf(null, { 'content-type': bytes('application/cloudevents+json') })).toBe('E_CE_JSON');
  });

  test('structured is told by its content type in any case, with parameters', () => {
    const value = bytes('{"specversion":"1.0","id":"1","source":"/s","type":"t","data":1.0}');
    const event = decode(value, { 'content-type': bytes('Application/CloudEvents+JSON;charset=UTF-8') });
    expect(event.data?.toString()).toBe('1.0');
    expect(encodeRecord(event, 'structured', undefined).value).toEqual(value);
  });

  test('native headers: the first of several, bytes only, prototype names harmless', () => {
    // what kafkajs makes of a header named "constructor": an array that begins with Object's own
    const headers = { ...REQUIRED, constructor: [Object, bytes('c')], many: [bytes('1'), bytes('2')], none: null };
    expect(nativeHeaders(headers as unknown as RecordHeaders)).toEqual(
      Object.assign(Object.create(null), { constructor: bytes('c'), many: bytes('1') }),
    );
    expect(nativeHeaders(REQUIRED)).toBeUndefined();
  });
});

describe('writing records', () => {
  test('every header value is text or bytes: kafkajs throws on null, undefined and numbers', () => {
    const event = jsonEvent(1, { extensions: extensions({ n: 7, yes: true, no: false, raw: Buffer.from([1, 2]) }) });
    const { headers } = encodeRecord(event, 'binary', { count: '1' });
    for (const value of Object.values(headers)) expect(typeof value === 'string' || Buffer.isBuffer(value)).toBe(true);
    expect(headers).toMatchObject({ ce_n: '7', ce_yes: 'true', ce_no: 'false', ce_raw: 'AQI=', count: '1' });
  });

  test('no data is a null value, and no content type none', () => {
    const { value, headers } = encodeRecord(
      jsonEvent(1, { data: undefined, datacontenttype: undefined }),
      'binary',
      undefined,
    );
    expect(value).toBeNull();
    expect(headers).not.toHaveProperty('content-type');
  });

  test('raw is the data alone with its content type', () => {
    const { value, headers } = encodeRecord(jsonEvent(1), 'raw', undefined);
    expect(JSON.parse(String(value))).toMatchObject({ n: 1 });
    expect(headers).toEqual({ 'content-type': 'application/json' });
  });

  test('native headers never overwrite or add attributes', () => {
    const native = { ce_id: 'evil', ce_more: 'x', 'content-type': 'text/evil', trace: 'ok', constructor: 'fine' };
    const { headers } = encodeRecord(jsonEvent(1, { id: 'good' }), 'binary', native);
    expect(headers).toMatchObject({
      ce_id: 'good',
      'content-type': 'application/json',
      trace: 'ok',
      constructor: 'fine',
    });
    expect(headers).not.toHaveProperty('ce_more');
  });
});

describe('the cloudevents SDK as an oracle', () => {
  const init = { id: '1', source: '/s', type: 't', subject: 'ü', time: '2026-01-02T03:04:05.123Z', myext: 'x y' };

  test('reads what the SDK writes, binary and structured', () => {
    const sent = new CloudEvent({ ...init, datacontenttype: 'application/json', data: { a: 1 } });
    for (const message of [SdkKafka.binary(sent), SdkKafka.structured(sent)]) {
      // the SDK leaves data that is an object to the caller's serializer
      const value = typeof message.value === 'string' ? message.value : JSON.stringify(message.value);
      const event = decode(bytes(value), message.headers as RecordHeaders);
      expect(identity(event)).toMatchObject({ ...init, datacontenttype: 'application/json' });
      expect(event.json()).toEqual({ a: 1 });
    }
  });

  test('the SDK reads what is written here, binary and structured', () => {
    const event = jsonEvent(1, { ...init, extensions: extensions({ myext: 'x y' }), data: bytes('{"a":1}') });
    for (const mode of ['binary', 'structured'] as const) {
      const { value, headers } = encodeRecord(event, mode, undefined);
      const message = {
        key: '',
        value: String(value),
        headers: headers as Record<string, string>,
        body: String(value),
      };
      const read = SdkKafka.toEvent(message) as CloudEvent;
      expect(read).toMatchObject({ ...init, data: { a: 1 }, datacontenttype: 'application/json' });
    }
  });
});
