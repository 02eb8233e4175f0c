import { describe, expect, test } from 'vitest';
import { decode, type Incoming } from '../../../src/adapters/rabbitmq/codec.ts';
import { bodyOf, Encoder } from '../../../src/adapters/rabbitmq/encoder.ts';
import { compileWrap } from '../../../src/cloudevents/wrap.ts';
import { MeshEvent } from '../../../src/core/event.ts';
import { extensions, identity, jsonEvent } from '../../setup/events.ts';

const wrap = compileWrap(undefined, { type: 'wrapped', source: '/wrapped' });
const wrapMessage = (data: Buffer | undefined, contentType: string | undefined): MeshEvent =>
  wrap.wrap(() => undefined, data, contentType, 'fallback');

function message(
  headers: Record<string, unknown>,
  over: Partial<Incoming['properties']> = {},
  body = '{"a":1}',
): Incoming {
  const properties = {
    contentType: 'application/json',
    correlationId: undefined,
    replyTo: undefined,
    appId: undefined,
  };
  return { content: Buffer.from(body), properties: { ...properties, headers, ...over } };
}

const ATTRIBUTES = {
  specversion: '1.0',
  id: 'i-1',
  source: '/s',
  type: 'com.acme',
  subject: 'sübject',
  time: '2026-01-02T03:04:05.123456789+02:00',
  traceparent: '00-a-b-01',
};
const prefixed = (prefix: string, attributes: Record<string, unknown> = ATTRIBUTES): Record<string, unknown> =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [prefix + name, value]));
const timestamp = (value: number) => ({ '!': 'timestamp', value });
const read = (incoming: Incoming): MeshEvent => decode(incoming, wrapMessage).event;

describe('reading', () => {
  const expected = identity(
    new MeshEvent({
      id: 'i-1',
      source: '/s',
      type: 'com.acme',
      subject: 'sübject',
      time: ATTRIBUTES.time,
      datacontenttype: 'application/json',
      data: Buffer.from('{"a":1}'),
      extensions: extensions({ traceparent: '00-a-b-01' }),
    }),
  );

  test.each(['cloudEvents_', 'cloudEvents:', 'ce-', '', 'CLOUDEVENTS_', 'cloudevents:', 'CE-', 'CloudEvents_'])(
    'the prefix "%s" gives the same event',
    (prefix) => {
      const { event, headers } = decode(message({ ...prefixed(prefix), 'x-tenant': 't1' }), wrapMessage);
      expect(identity(event)).toEqual(expected);
      expect({ ...headers }).toEqual({ 'x-tenant': 't1' });
    },
  );

  test('mixed separators are an error', () => {
    const { id, ...others } = ATTRIBUTES;
    for (const headers of [
      { ...prefixed('cloudEvents_', others), 'cloudEvents:id': id },
      { ...prefixed('ce-', others), cloudEvents_id: id },
    ]) {
      expect(() => read(message(headers))).toThrow(expect.objectContaining({ code: 'E_CE_MIXED_PREFIXES' }));
    }
  });

  test('an attribute twice, in two spellings of the same prefix, is an error', () => {
    const headers = { ...prefixed('ce-'), 'CE-Id': 'other' };
    expect(() => read(message(headers))).toThrow(expect.objectContaining({ code: 'E_CE_DUPLICATE' }));
  });

  test('beside prefixed attributes, unprefixed headers of the same names are the application’s', () => {
    const { event, headers } = decode(message({ ...prefixed('cloudEvents_'), id: 'app', type: 'app' }), wrapMessage);
    expect(event.id).toBe('i-1');
    expect({ ...headers }).toEqual({ id: 'app', type: 'app' });
  });

  test('native values become canonical strings', () => {
    const native = {
      n: 42,
      zero: 0,
      big: 2 ** 40,
      yes: true,
      no: false,
      at: timestamp(1_767_322_245),
      bin: Buffer.from('hi'),
    };
    const event = read(message({ ...prefixed('cloudEvents_'), ...prefixed('cloudEvents_', native) }));
    expect({ ...event.extensions }).toEqual({
      traceparent: '00-a-b-01',
      n: '42',
      zero: '0',
      big: '1099511627776',
      yes: 'true',
      no: 'false',
      at: '2026-01-02T02:50:45Z',
      bin: 'aGk=',
    });
    const timed = { ...prefixed('ce-'), 'ce-time': timestamp(1_767_322_245) };
    expect(read(message(timed)).time).toBe('2026-01-02T02:50:45Z');
  });

  test.each([
    ['a float', 1.5],
    ['an integer that arrived rounded', 2 ** 60],
    ['a table', { a: 1 }],
    ['a list', [1]],
    ['a decimal', { '!': 'decimal', value: { places: 1, digits: 15 } }],
    ['a timestamp beyond the year 9999', timestamp(2 ** 50)],
  ])('%s is no attribute', (_, value) => {
    const headers = { ...prefixed('cloudEvents_'), cloudEvents_x: value };
    expect(() => read(message(headers))).toThrow(expect.objectContaining({ code: 'E_CE_INVALID_ATTRIBUTE' }));
  });

  test('void is absent', () => {
    expect(read(message({ ...prefixed('ce-'), 'ce-subject': null })).subject).toBeUndefined();
    const { id: _, ...others } = ATTRIBUTES;
    expect(() => read(message({ ...prefixed('ce-', others), 'ce-id': null }))).toThrow(
      expect.objectContaining({ code: 'E_CE_MISSING' }),
    );
  });

  test('the broker’s own headers are neither attributes nor native headers', () => {
    const broker = {
      'x-death': [{ count: 1, queue: 'q', time: timestamp(1) }],
      'x-first-death-queue': 'q',
      'x-last-death-reason': 'rejected',
      'x-delivery-count': 3,
      CC: ['other'],
    };
    for (const prefix of ['cloudEvents_', '']) {
      const { event, headers } = decode(message({ ...prefixed(prefix), ...broker }), wrapMessage);
      expect(identity(event)).toEqual(expected);
      expect(headers).toBeUndefined();
    }
  });

  test('unprefixed names count only when all four required attributes are there', () => {
    const { specversion: _, ...others } = ATTRIBUTES;
    const { event, headers } = decode(message(others), wrapMessage);
    expect(event.type).toBe('wrapped');
    expect(headers?.['id']).toBe('i-1');
  });

  test('the content type is datacontenttype; a header that says otherwise is an error', () => {
    const agreeing = { ...prefixed('ce-'), 'ce-datacontenttype': 'application/json' };
    expect(read(message(agreeing)).datacontenttype).toBe('application/json');
    expect(read(message(agreeing, { contentType: undefined })).datacontenttype).toBe('application/json');
    expect(() => read(message(agreeing, { contentType: 'text/plain' }))).toThrow(
      expect.objectContaining({ code: 'E_CE_DUPLICATE' }),
    );
  });

  test('structured mode in any spelling of the media type; batches and other formats are refused', () => {
    const body = JSON.stringify({ specversion: '1.0', id: 'j', source: '/s', type: 't', data: null });
    const structured = message(
      { 'ce-id': 'ignored' },
      { contentType: 'Application/CloudEvents+JSON;charset=UTF-8' },
      body,
    );
    expect(read(structured)).toMatchObject({ id: 'j', structured: structured.content });
    for (const contentType of ['application/cloudevents-batch+json', 'application/cloudevents+avro']) {
      expect(() => read(message({}, { contentType }, '[]'))).toThrow(
        expect.objectContaining({ code: 'E_CE_UNSUPPORTED_FORMAT' }),
      );
    }
  });

  test('an empty body is no data without a content type, and empty data with one', () => {
    expect(read(message(prefixed('ce-'), { contentType: undefined }, '')).data).toBeUndefined();
    expect(read(message(prefixed('ce-'), {}, '')).data?.length).toBe(0);
  });

  test('correlation id, reply-to and app id travel as headers; a prototype key does no harm', () => {
    const headers = Object.defineProperty(prefixed('ce-'), '__proto__', { value: 'x', enumerable: true });
    const properties = { correlationId: 'c', replyTo: 'r', appId: 'a' };
    const native = decode(message(headers, properties), wrapMessage).headers;
    expect(Object.keys(native ?? {}).sort()).toEqual(['__proto__', 'app-id', 'correlation-id', 'reply-to']);
    expect(Object.getPrototypeOf(native)).toBeNull();
  });
});

describe('writing', () => {
  const encoder = (encoding: 'binary' | 'raw' = 'binary', passHeaders = true): Encoder =>
    new Encoder({ encoding, persistent: true, passHeaders });
  /** The headers amqplib would write: it skips those that are undefined. */
  const written = ({ headers }: { headers?: Record<string, unknown> }): Record<string, unknown> =>
    Object.fromEntries(Object.entries(headers ?? {}).filter(([, value]) => value !== undefined));

  test('attributes are strings under cloudEvents_, whatever their type: a Date would become an empty table', () => {
    const event = jsonEvent(1, { subject: 's', extensions: extensions({ n: 1, yes: true, bin: Buffer.from('hi') }) });
    const options = encoder().options(event, undefined);
    expect(written(options)).toEqual({
      cloudEvents_specversion: '1.0',
      cloudEvents_id: event.id,
      cloudEvents_source: event.source,
      cloudEvents_type: event.type,
      cloudEvents_subject: 's',
      cloudEvents_time: event.time,
      cloudEvents_n: '1',
      cloudEvents_yes: 'true',
      cloudEvents_bin: 'aGk=',
    });
    expect(options).toMatchObject({
      contentType: 'application/json',
      messageId: event.id,
      mandatory: true,
      persistent: true,
    });
    expect(encoder().options(jsonEvent(1, { id: 'é'.repeat(128) }), undefined).messageId).toBeUndefined();
  });

  test('one table serves all events: nothing of one is left in the next', () => {
    const shared = encoder();
    for (let n = 0; n < 200; n += 1) {
      const full = jsonEvent(n, {
        subject: 's',
        dataschema: '/d',
        extensions: extensions({ [`x${n % 90}`]: n, y: 1 }),
      });
      const native = { [`native-${n % 70}`]: 'v', 'correlation-id': 'c' };
      const rich = shared.options(full, native);
      expect(written(rich)).toEqual(written(encoder().options(full, native)));
      expect(rich.correlationId).toBe('c');
      const bare = jsonEvent(n, { time: undefined, datacontenttype: undefined });
      const plain = shared.options(bare, undefined);
      expect(Object.keys(written(plain)).sort()).toEqual(
        ['id', 'source', 'specversion', 'type'].map((name) => `cloudEvents_${name}`),
      );
      expect(plain.contentType).toBeUndefined();
      expect(plain.correlationId).toBeUndefined();
      expect(Object.keys(plain.headers).length).toBeLessThan(60);
    }
  });

  test('binary mode hands on the same bytes, structured mode the verbatim ones', () => {
    const event = jsonEvent(1);
    expect(bodyOf(event, 'binary')).toBe(event.data);
    const bytes = Buffer.from('{ "specversion":"1.0","id":"j","source":"/s","type":"t" }');
    const properties = { contentType: 'application/cloudevents+json' };
    const decoded = read({ content: bytes, properties: { ...message({}).properties, ...properties } });
    expect(bodyOf(decoded, 'structured')).toBe(bytes);
  });

  test('native headers that could be taken for attributes, or are the broker’s, stay behind', () => {
    const native = { 'ce-id': 'x', CloudEvents_id: 'x', BCC: 'q', __proto: 'kept', tenant: 't' };
    const passing = encoder('raw');
    expect(written(passing.options(jsonEvent(1), native))).toEqual({ __proto: 'kept', tenant: 't' });
    expect(passing.headersDropped).toBe(3);
    const dropping = encoder('binary', false);
    dropping.options(jsonEvent(1), native);
    expect(dropping.headersDropped).toBe(5);
  });
});
