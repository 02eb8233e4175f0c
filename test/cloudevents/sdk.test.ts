import { CloudEvent, HTTP } from 'cloudevents';
import { describe, expect, test } from 'vitest';
import { buildEvent } from '../../src/cloudevents/attributes.ts';
import { decodeHttp, encodeHttp } from '../../src/cloudevents/http.ts';
import { encodeJsonBatch } from '../../src/cloudevents/json.ts';
import { fromSdk, toSdk } from '../../src/cloudevents/sdk.ts';
import type { AttributeValue, MeshEvent } from '../../src/core/event.ts';
import { attributes, parts } from './arbitrary.ts';

// The SDK cuts times to milliseconds of UTC, so the oracle is asked with times that it keeps.
const TIME = '2024-05-01T12:00:00.123Z';

function make(more: Record<string, AttributeValue>, data: string | Buffer | undefined): MeshEvent {
  return buildEvent(attributes({ time: TIME, ...more }), typeof data === 'string' ? Buffer.from(data) : data);
}

const JSON_EVENT = make(
  { datacontenttype: 'application/json', subject: 'a/b', dataschema: 'urn:x', ext: 'v' },
  '{"a":[1,"é"]}',
);
const TEXT_EVENT = make({ datacontenttype: 'text/plain' }, 'Grüße');
const BYTES_EVENT = make({ datacontenttype: 'application/octet-stream' }, Buffer.from([0, 255, 128]));
const NO_DATA = make({ ext: 'v' }, undefined);

const sdkMessage = (event: MeshEvent, mode: 'binary' | 'structured') => {
  const { headers, body } = encodeHttp(event, mode);
  // it refuses a charset parameter, see the last test
  if (mode === 'structured') headers['content-type'] = 'application/cloudevents+json';
  return { headers, body: body?.toString() };
};

function rawOf(headers: object): string[] {
  return Object.entries(headers as Record<string, string>).flat();
}

describe('the SDK as an oracle', () => {
  test.each([
    ['JSON', JSON_EVENT],
    ['text', TEXT_EVENT],
    ['bytes', BYTES_EVENT],
    ['no data', NO_DATA],
  ])('reads what we emit structured: %s', (_what, event) => {
    const read = HTTP.toEvent(sdkMessage(event, 'structured')) as CloudEvent<unknown>;
    expect(parts(fromSdk(read))).toEqual(parts(event));
  });

  test.each([
    ['JSON', JSON_EVENT],
    ['text', TEXT_EVENT],
  ])('reads what we emit binary: %s', (_what, event) => {
    const read = HTTP.toEvent(sdkMessage(event, 'binary')) as CloudEvent<unknown>;
    expect(parts(fromSdk(read))).toEqual(parts(event));
  });

  test('reads a batch of ours', () => {
    const body = encodeJsonBatch([JSON_EVENT, NO_DATA]).toString();
    const read = HTTP.toEvent({
      headers: { 'content-type': 'application/cloudevents-batch+json' },
      body,
    }) as CloudEvent<unknown>[];
    expect(read.map((one) => parts(fromSdk(one)))).toEqual([JSON_EVENT, NO_DATA].map(parts));
  });

  test.each([
    ['JSON', JSON_EVENT],
    ['text', TEXT_EVENT],
    ['bytes', BYTES_EVENT],
    ['no data', NO_DATA],
  ])('we read what it emits structured: %s', (_what, event) => {
    const { headers, body } = HTTP.structured(toSdk(event));
    const [read] = decodeHttp(rawOf(headers), Buffer.from(body as string)).events;
    expect(parts(read as MeshEvent)).toEqual(parts(event));
  });

  test.each([
    ['JSON', JSON_EVENT],
    ['text', TEXT_EVENT],
    ['bytes', BYTES_EVENT],
  ])('we read what it emits binary: %s', (_what, event) => {
    const { headers, body } = HTTP.binary(toSdk(event));
    const [read] = decodeHttp(rawOf(headers), Buffer.from(body as string | Uint8Array)).events;
    expect(parts(read as MeshEvent)).toEqual(parts(event));
  });
});

describe('conversion', () => {
  test.each([
    ['JSON', JSON_EVENT],
    ['text', TEXT_EVENT],
    ['bytes', BYTES_EVENT],
    ['no data', NO_DATA],
    ['bytes without a type', make({}, Buffer.from('{}'))],
    ['broken JSON', make({ datacontenttype: 'application/json' }, '{"a":')],
    ['falsy JSON', make({ datacontenttype: 'application/json' }, 'false')],
    ['null', make({ datacontenttype: 'application/json' }, 'null')],
    ['a JSON string', make({ datacontenttype: 'application/json' }, '"x"')],
    ['a fine time', make({ time: '2024-05-01T12:00:00.123456789+02:00' }, undefined)],
    ['typed extensions', make({ a: true, b: 5, c: '' }, undefined)],
  ])('there and back: %s', (_what, event) => {
    const there = toSdk(event);
    expect(there).toBeInstanceOf(CloudEvent);
    expect(parts(fromSdk(there))).toEqual(parts(event));
  });

  test('a handler sees parsed data, text or bytes', () => {
    expect(toSdk(JSON_EVENT).data).toEqual({ a: [1, 'é'] });
    expect(toSdk(TEXT_EVENT).data).toBe('Grüße');
    expect(toSdk(BYTES_EVENT).data).toEqual(Buffer.from([0, 255, 128]));
  });

  test('bytes as an attribute are base64 text on the other side', () => {
    expect(toSdk(make({ sig: Buffer.from([255]) }, undefined))['sig']).toBe('/w==');
  });

  test('data of no type is application/json; typed arrays and dates are taken', () => {
    const base = { id: '1', source: '/s', type: 't', time: TIME };
    expect(fromSdk(new CloudEvent<unknown>({ ...base, data: { a: 1 } }))).toMatchObject({
      datacontenttype: 'application/json',
    });
    expect(fromSdk(new CloudEvent<unknown>({ ...base, data: new Uint8Array([1, 2]) })).data).toEqual(
      Buffer.from([1, 2]),
    );
    expect(fromSdk(new CloudEvent<unknown>({ ...base, data_base64: 'AQI=' })).data).toEqual(Buffer.from([1, 2]));
    expect(fromSdk(new CloudEvent<unknown>({ ...base, at: new Date(TIME) })).extensions['at']).toBe(TIME);
  });

  test('what is not a CloudEvent 1.0 is refused', () => {
    const base = { id: '1', source: '/s', type: 't', time: TIME };
    const from = (more: object) => () => fromSdk(new CloudEvent<unknown>({ ...base, ...more }, false));
    const code = (expected: string) => expect.objectContaining({ code: expected });
    expect(from({ specversion: '0.3' })).toThrow(code('E_CE_SPECVERSION'));
    expect(from({ time: 'now' })).toThrow(code('E_CE_INVALID_ATTRIBUTE'));
    expect(from({ ext: { a: 1 } })).toThrow(code('E_CE_INVALID_ATTRIBUTE'));
    expect(from({ data: 1n })).toThrow(code('E_CE_DATA'));
    expect(from({ data: () => 1 })).toThrow(code('E_CE_DATA'));
  });
});

describe('where the SDK is wrong we are not: it stays off the data path', () => {
  const body =
    '{"specversion":"1.0","id":"1","source":"/s","type":"t","time":"2024-05-01T12:00:00.123456789+02:00","data":0}';
  const ours = (contentType: string) =>
    decodeHttp(['content-type', contentType], Buffer.from(body)).events[0] as MeshEvent;

  test('falsy data and fine times survive', () => {
    const event = ours('application/cloudevents+json');
    expect([event.data?.toString(), event.time]).toEqual(['0', '2024-05-01T12:00:00.123456789+02:00']);
    const read = HTTP.toEvent({
      headers: { 'content-type': 'application/cloudevents+json' },
      body,
    }) as CloudEvent<unknown>;
    expect([read.data, read.time]).toEqual([undefined, '2024-05-01T10:00:00.123Z']);
  });

  test('a charset and capitals are taken', () => {
    const contentType = 'Application/CloudEvents+JSON;charset=UTF-8';
    expect(ours(contentType).id).toBe('1');
    expect(() => HTTP.toEvent({ headers: { 'content-type': contentType }, body })).toThrow();
  });
});
