import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildEvent } from '../../src/cloudevents/attributes.ts';
import { decodeJson, decodeJsonBatch, encodeJson, encodeJsonBatch } from '../../src/cloudevents/json.ts';
import { event as anyEvent, attributes, parts } from './arbitrary.ts';

const HEAD = '{"specversion":"1.0","id":"1","source":"/s","type":"t"';
const encode = (type: string | undefined, data: Buffer | string | undefined) =>
  encodeJson(
    buildEvent(
      attributes(type === undefined ? {} : { datacontenttype: type }),
      typeof data === 'string' ? Buffer.from(data) : data,
    ),
  ).toString();
const typed = (type: string) => `${HEAD},"datacontenttype":"${type}"`;

describe('round trip', () => {
  test('every attribute and byte comes back', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const bytes = encodeJson(event);
        JSON.parse(bytes.toString());
        expect(parts(decodeJson(bytes))).toEqual(parts(event));
      }),
      { numRuns: 1000 },
    );
  });

  test('and in a batch', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 4 }), (events) => {
        const bytes = encodeJsonBatch(events);
        expect(JSON.parse(bytes.toString())).toHaveLength(events.length);
        const back = decodeJsonBatch(bytes);
        expect(back.map(parts)).toEqual(events.map(parts));
        expect(encodeJsonBatch(back)).toEqual(bytes);
      }),
    );
  });

  test('structured bytes leave as they came', () => {
    const bytes = Buffer.from(` ${HEAD} , "data" : 1.0 , "f":null }\n`);
    expect(encodeJson(decodeJson(bytes))).toBe(bytes);
  });

  test('a changed event is encoded anew, digits kept', () => {
    const event = decodeJson(Buffer.from(`${HEAD},"data":[1.0, 12345678901234567890]}`)).with({ id: '2' });
    expect(encodeJson(event).toString()).toBe(
      '{"specversion":"1.0","id":"2","source":"/s","type":"t","datacontenttype":"application/json","data":[1.0, 12345678901234567890]}',
    );
  });
});

describe('data', () => {
  test('none, empty and null are three things', () => {
    expect(encode(undefined, undefined)).toBe(`${HEAD}}`);
    expect(encode(undefined, '')).toBe(`${HEAD},"data_base64":""}`);
    expect(encode('application/json', '')).toBe(`${typed('application/json')},"data_base64":""}`);
    expect(encode('application/json', 'null')).toBe(`${typed('application/json')},"data":null}`);
  });

  test('without a type it stays without: base64, even where it looks like JSON', () => {
    expect(encode(undefined, '{}')).toBe(`${HEAD},"data_base64":"e30="}`);
  });

  test.each([
    '{"a":01}',
    '{"a":1',
    'x',
    '{"id":"1"},"type":"evil"',
    ' {}',
    '"\u0001"',
    '{}{}',
    `${'['.repeat(600)}${']'.repeat(600)}`,
  ])('what is not quite JSON never breaks the document: %s', (data) => {
    const text = encode('application/json', data);
    expect(JSON.parse(text)).toMatchObject({ type: 't', data_base64: Buffer.from(data).toString('base64') });
  });

  test('JSON nested deeper than parsers take is base64', () => {
    expect(encode('application/json', `${'['.repeat(600)}${']'.repeat(600)}`)).toContain('"data_base64":');
  });

  test('a trailing newline of JSON data does not cost readability and comes back', () => {
    const text = encode('application/json', '{"a":1}\r\n');
    expect(text).toBe(`${typed('application/json')},"data":{"a":1}\r\n}`);
    expect(decodeJson(Buffer.from(text)).data?.toString()).toBe('{"a":1}\r\n');
  });

  test('whitespace of a document that is spaced elsewhere is not data', () => {
    for (const text of [
      `${HEAD}, "data":1 }`,
      `${HEAD},"data": 1 }`,
      `${HEAD},"data":1 ,"x":1}`,
      `${HEAD.replace('{', '{ ')},"data":1\n}`,
    ]) {
      expect(decodeJson(Buffer.from(text)).data?.toString()).toBe('1');
    }
  });

  test('text is a string where it is plain, else base64', () => {
    expect(encode('text/plain', 'a "€"\n')).toBe(`${typed('text/plain')},"data":"a \\"€\\"\\n"}`);
    for (const odd of ['\u0001', '\u0000', '\u007f', '\ufffe', 'x\uffff']) {
      expect(encode('text/plain', odd)).toContain('"data_base64":');
    }
    expect(encode('text/plain', Buffer.from([0xe9]))).toContain('"data_base64":"6Q=="');
    expect(encode('text/plain; charset=latin1', 'a')).toContain('"data_base64":');
    expect(encode('application/xml', '<a/>')).toContain('"data_base64":');
  });
});

test('attributes: booleans, integers, bytes, escapes', () => {
  const event = buildEvent(attributes({ a: true, b: -5, c: Buffer.from([255]), d: '"\\', e: '€' }), undefined);
  expect(encodeJson(event).toString()).toBe(`${HEAD},"a":true,"b":-5,"c":"/w==","d":"\\"\\\\","e":"€"}`);
});

test('an empty batch', () => {
  expect(encodeJsonBatch([]).toString()).toBe('[]');
});
