import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildEvent } from '../../src/cloudevents/attributes.ts';
import { decodeHttp, encodeHttp, httpMode, httpStatusOf } from '../../src/cloudevents/http.ts';
import { FairleadError } from '../../src/core/errors.ts';
import type { MeshEvent } from '../../src/core/event.ts';
import { event as anyEvent, attributes, parts } from './arbitrary.ts';

const NONE = Buffer.alloc(0);
const REQUIRED = ['ce-specversion', '1.0', 'ce-id', '1', 'ce-source', '/s', 'ce-type', 't'];
const json = (more = '') => Buffer.from(`{"specversion":"1.0","id":"1","source":"/s","type":"t"${more}}`);

function one(rawHeaders: string[], body: Buffer = NONE): MeshEvent {
  const { events } = decodeHttp(rawHeaders, body);
  expect(events).toHaveLength(1);
  return events[0] as MeshEvent;
}

/** The code and the status with which a request is refused. */
function refused(rawHeaders: string[], body: Buffer = NONE): [string, number] {
  try {
    decodeHttp(rawHeaders, body);
  } catch (error) {
    if (error instanceof FairleadError) return [error.code, httpStatusOf(error)];
    throw error;
  }
  throw new Error('the request was taken');
}

const raw = (headers: Record<string, string>) => Object.entries(headers).flat();

describe('binary mode', () => {
  test('attributes, data and type', () => {
    const event = one(
      ['Content-Type', 'text/plain', ...REQUIRED, 'CE-MyExt', 'x', 'ce-time', '2024-05-01T12:00:00.123456789+02:00'],
      Buffer.from('hi'),
    );
    expect(event).toMatchObject({
      id: '1',
      source: '/s',
      type: 't',
      datacontenttype: 'text/plain',
      time: '2024-05-01T12:00:00.123456789+02:00',
    });
    expect(event.extensions['myext']).toBe('x');
    expect(event.data?.toString()).toBe('hi');
    expect(event.structured).toBeUndefined();
  });

  test.each([
    ['Euro%20%E2%82%AC%20%F0%9F%98%80', 'Euro € 😀'],
    ['"a \\"b\\""', 'a "b"'],
    ['%2541', '%41'],
    ['100%', '100%'],
  ])('the header value %s is %s', (header, value) => {
    const event = one([...REQUIRED, 'ce-subject', header]);
    expect(event.subject).toBe(value);
    expect(one(raw(encodeHttp(event, 'binary').headers)).subject).toBe(value);
  });

  test('Euro leaves as it came', () => {
    const header = 'Euro%20%E2%82%AC%20%F0%9F%98%80';
    expect(encodeHttp(one([...REQUIRED, 'ce-subject', header]), 'binary').headers['ce-subject']).toBe(header);
  });

  test.each<[string, string[], string]>([
    ['not UTF-8', [...REQUIRED, 'ce-subject', '%C0%A0'], 'E_CE_PERCENT'],
    ['control characters', [...REQUIRED, 'ce-subject', 'a%0D%0Ab'], 'E_CE_INVALID_ATTRIBUTE'],
    ['a dash in a name', [...REQUIRED, 'ce-my-ext', 'x'], 'E_CE_INVALID_ATTRIBUTE'],
    ['no name', [...REQUIRED, 'ce-', 'x'], 'E_CE_INVALID_ATTRIBUTE'],
    ['data as a name', [...REQUIRED, 'ce-data', 'x'], 'E_CE_INVALID_ATTRIBUTE'],
    ['ce-datacontenttype', [...REQUIRED, 'ce-datacontenttype', 'text/plain'], 'E_CE_INVALID_ATTRIBUTE'],
    ['two ce-id', [...REQUIRED, 'CE-ID', '2'], 'E_CE_DUPLICATE'],
    ['two of an extension', [...REQUIRED, 'ce-x', '1', 'ce-x', '1'], 'E_CE_DUPLICATE'],
    ['two Content-Type', [...REQUIRED, 'content-type', 'a/b', 'Content-Type', 'a/b'], 'E_CE_DUPLICATE'],
    ['no ce-id', ['ce-specversion', '1.0', 'ce-source', '/s', 'ce-type', 't'], 'E_CE_MISSING'],
    ['no ce-specversion', ['ce-id', '1', 'ce-source', '/s', 'ce-type', 't'], 'E_CE_MISSING'],
    [
      'empty ce-id',
      [...REQUIRED.filter((part) => part !== 'ce-id' && part !== '1'), 'ce-id', ''],
      'E_CE_INVALID_ATTRIBUTE',
    ],
    ['another specversion', ['ce-specversion', '0.3', 'ce-id', '1'], 'E_CE_SPECVERSION'],
    ['a time that is none', [...REQUIRED, 'ce-time', 'Wed, 01 May 2024 12:00:00 GMT'], 'E_CE_INVALID_ATTRIBUTE'],
  ])('%s: 400', (_what, headers, code) => {
    expect(refused(headers)).toEqual([code, 400]);
  });

  test('no Content-Type in, none out', () => {
    const event = one([...REQUIRED, 'content-type', ' '], Buffer.from('{}'));
    expect(event.datacontenttype).toBeUndefined();
    const { headers, body } = encodeHttp(event, 'binary');
    expect(Object.keys(headers)).toEqual(['ce-specversion', 'ce-id', 'ce-source', 'ce-type']);
    expect(body?.toString()).toBe('{}');
  });

  test('an empty body is no data, an event without data has no body', () => {
    const event = one(REQUIRED);
    expect(event.data).toBeUndefined();
    expect(encodeHttp(event, 'binary').body).toBeUndefined();
  });

  test('typed values are canonical strings', () => {
    const event = buildEvent(attributes({ a: true, b: -5, c: Buffer.from([255]) }), undefined);
    expect(encodeHttp(event, 'binary').headers).toMatchObject({ 'ce-a': 'true', 'ce-b': '-5', 'ce-c': '/w==' });
  });

  test('an event whose data is a CloudEvent goes structured, or it would be read as its data', () => {
    const event = buildEvent(attributes({ datacontenttype: 'application/cloudevents+json' }), json());
    const { headers, body } = encodeHttp(event, 'binary');
    expect(headers).toEqual({ 'content-type': 'application/cloudevents+json; charset=UTF-8' });
    expect(parts(one(raw(headers), body))).toEqual(parts(event));
  });

  test('CR and LF cannot get into a header, whatever made the event', () => {
    const event = buildEvent(attributes(), undefined).with({ subject: 'a\r\nx: y', datacontenttype: 'text/plain' });
    expect(encodeHttp(event, 'binary').headers['ce-subject']).toBe('a%0D%0Ax:%20y');
    const bad = event.with({ datacontenttype: 'text/plain\r\nx: y' });
    expect(() => encodeHttp(bad, 'binary')).toThrow(expect.objectContaining({ code: 'E_CE_INVALID_ATTRIBUTE' }));
  });
});

describe('structured and batch mode', () => {
  test('media types in any case, with parameters', () => {
    const body = json();
    const result = decodeHttp(['content-type', 'Application/CloudEvents+JSON;charset=UTF-8'], body);
    expect([result.mode, result.events[0]?.structured]).toEqual(['structured', body]);
  });

  test('ce- headers beside a structured event do not count', () => {
    expect(one(['content-type', 'application/cloudevents+json', 'ce-id', 'other'], json()).id).toBe('1');
  });

  test('structured leaves verbatim', () => {
    const body = json(', "data" : "x" ');
    const event = one(['content-type', 'application/cloudevents+json'], body);
    expect(encodeHttp(event, 'structured').body).toBe(body);
  });

  test('data without a type becomes application/json in binary mode, quotes and all', () => {
    const { headers, body } = encodeHttp(
      one(['content-type', 'application/cloudevents+json'], json(',"data":"x"')),
      'binary',
    );
    expect([headers['content-type'], body?.toString()]).toEqual(['application/json', '"x"']);
  });

  test('data_base64 without a type becomes raw bytes without a Content-Type', () => {
    const { headers, body } = encodeHttp(
      one(['content-type', 'application/cloudevents+json'], json(',"data_base64":"AP8="')),
      'binary',
    );
    expect([headers['content-type'], body]).toEqual([undefined, Buffer.from([0, 255])]);
  });

  test('batches, the empty one too', () => {
    const headers = ['content-type', 'application/cloudevents-batch+json'];
    expect(decodeHttp(headers, Buffer.from('[]'))).toEqual({ mode: 'batch', events: [] });
    expect(decodeHttp(headers, Buffer.from(`[${json()},${json()}]`)).events).toHaveLength(2);
    expect(refused(headers, Buffer.from(`[${json()},${json().toString().replace('1.0', '0.3')}]`))).toEqual([
      'E_CE_SPECVERSION',
      400,
    ]);
  });

  test('another format is 415', () => {
    expect(refused(['content-type', 'application/cloudevents+avro'])).toEqual(['E_CE_UNSUPPORTED_MEDIA', 415]);
  });

  test('a body that is not an event is 400', () => {
    expect(refused(['content-type', 'application/cloudevents+json'], Buffer.from('{'))).toEqual(['E_CE_JSON', 400]);
  });
});

test('a request that is no CloudEvent says so, for a source that wraps', () => {
  expect(httpMode(['content-type', 'application/json', 'x-ce-id', '1'])).toBe('none');
  expect(httpMode(REQUIRED)).toBe('binary');
  expect(refused(['content-type', 'application/json'], json())).toEqual(['E_CE_NONE', 400]);
});

test('any event comes back in both modes; values as strings in binary mode', () => {
  const asText = (event: MeshEvent) => {
    const values = Object.entries(event.extensions).map(([name, value]) => [name, String(value)]);
    const found = parts(event) as { data?: string };
    return { ...found, data: found.data || undefined, extensions: Object.fromEntries(values) };
  };
  fc.assert(
    fc.property(anyEvent, (event) => {
      const binary = encodeHttp(event, 'binary');
      expect(asText(one(raw(binary.headers), binary.body))).toEqual(asText(event));
      const structured = encodeHttp(event, 'structured');
      expect(parts(one(raw(structured.headers), structured.body))).toEqual(parts(event));
    }),
    { numRuns: 500 },
  );
});
