import { describe, expect, test } from 'vitest';
import { decodeJson, decodeJsonBatch } from '../../src/cloudevents/json.ts';

const HEAD = '"specversion":"1.0","id":"1","source":"/s","type":"t"';
const decode = (members: string) => decodeJson(Buffer.from(`{${HEAD}${members}}`));
const data = (members: string) => decode(members).data?.toString();
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('data', () => {
  test.each(['0', 'false', '""', 'null', '12345678901234567890', '1.0', '1e400', '{"a": [1.50, "\\u00e9"]}', '"x"'])(
    '%s is kept byte for byte',
    (json) => {
      expect(data(`,"data":${json}`)).toBe(json);
      expect(data(`, "data" : ${json} , "ext":1`)).toBe(json);
    },
  );

  test('null differs from absent', () => {
    expect(decode(',"data":null').data?.toString()).toBe('null');
    expect(decode('').data).toBeUndefined();
    expect(decode('').datacontenttype).toBeUndefined();
  });

  test('without a type it is application/json, quotes and all', () => {
    const event = decode(',"data":"x"');
    expect([event.datacontenttype, event.data?.toString()]).toEqual(['application/json', '"x"']);
    expect(event.structured?.includes('datacontenttype')).toBe(false);
  });

  test('is a slice of the document, not a copy', () => {
    const bytes = Buffer.from(`{${HEAD},"data":{"a":1}}`);
    const event = decodeJson(bytes);
    expect(event.data?.buffer).toBe(bytes.buffer);
    expect(event.structured).toBe(bytes);
  });

  test('a string under a type other than JSON is its text', () => {
    expect(data(',"datacontenttype":"text/plain","data":"a \\"b\\" \\u20ac\\n€"')).toBe('a "b" €\n€');
    expect(data(',"data":"plain","datacontenttype":"text/xml"')).toBe('plain');
    expect(data(',"datacontenttype":"text/plain","data":""')).toBe('');
    expect(() => data(',"datacontenttype":"text/plain","data":"\\ud800"')).toThrow(code('E_CE_DATA'));
  });

  test('an object or number under a type other than JSON stays JSON text', () => {
    expect(data(',"datacontenttype":"text/plain","data": {"a" : 1} ')).toBe('{"a" : 1}');
    expect(data(',"datacontenttype":"application/xml","data":1.0')).toBe('1.0');
  });

  test('data_base64 is raw bytes and brings no type', () => {
    const event = decode(',"data_base64":"AAH/"');
    expect([event.datacontenttype, event.data]).toEqual([undefined, Buffer.from([0, 1, 255])]);
    expect(decode(',"data_base64":""').data).toEqual(Buffer.alloc(0));
    expect(decode(',"data_base64":"\\/\\/8="').data).toEqual(Buffer.from([255, 255]));
  });

  test('data_base64 null is absent', () => {
    expect(decode(',"data_base64":null').data).toBeUndefined();
    expect(data(',"data_base64":null,"data":1')).toBe('1');
  });

  test.each(['"AAH"', '"AAH_"', '"AA H"', '"AA==AA=="', '"é"', '1', '{}', 'true'])(
    'data_base64 %s is refused',
    (value) => {
      expect(() => decode(`,"data_base64":${value}`)).toThrow(code('E_CE_DATA'));
    },
  );

  test.each([',"data":1,"data_base64":"AA=="', ',"data_base64":"AA==","data":null', ',"data_base64":"","data":""'])(
    'both are refused: %s',
    (members) => {
      expect(() => decode(members)).toThrow(code('E_CE_DATA'));
    },
  );
});

describe('attributes', () => {
  test('every kind of value', () => {
    const event = decode(
      ',"a":true,"b":false,"c":-5,"d":2147483647,"e":"x","f":null,"g":-0,"h":"\\u20ac\\\\\\"","i":"€"',
    );
    expect({ ...event.extensions }).toEqual({
      a: true,
      b: false,
      c: -5,
      d: 2147483647,
      e: 'x',
      g: 0,
      h: '€\\"',
      i: '€',
    });
    expect(event.attribute('f')).toBeUndefined();
  });

  test('all context attributes, in any order and spelling', () => {
    const members = `"time":"2024-05-01T12:00:00.123456789+02:00","dataschema":"urn:x","subject":"a","datacontenttype":"text/plain"`;
    const event = decodeJson(
      Buffer.from(` { ${members} , "t\\u0079pe" : "t" ,\n"source":"/s","\\u0069d":"1","specversion":"1.0"}\n`),
    );
    expect(event).toMatchObject({
      id: '1',
      type: 't',
      time: '2024-05-01T12:00:00.123456789+02:00',
      dataschema: 'urn:x',
      subject: 'a',
    });
  });

  test.each([
    '1.5',
    '{}',
    '[]',
    '2147483648',
    '-2147483649',
    '1.0',
    '1e2',
    '1E0',
    '"\\u0000"',
    '"\\ud800"',
    '"\u009f"',
  ])('an extension %s is refused', (value) => {
    expect(() => decode(`,"ext":${value}`)).toThrow(code('E_CE_INVALID_ATTRIBUTE'));
  });

  test.each([
    ',"subject":1',
    ',"time":0',
    ',"datacontenttype":true',
    ',"subject":""',
    ',"myExt":"x"',
    ',"my_ext":null',
    ',"__proto__":"x"',
  ])('%s is refused', (members) => {
    expect(() => decode(members)).toThrow(code('E_CE_INVALID_ATTRIBUTE'));
  });

  test.each([
    ',"id":"1"',
    ',"ext":1,"ext":1',
    ',"ext":null,"ext":null',
    ',"ext":null,"ext":1',
    ',"ext":1,"e\\u0078t":null',
    ',"id":null',
    ',"specversion":null',
    ',"data":1,"data":1',
    ',"data_base64":"","data_base64":null',
    ',"data_base64":null,"data_base64":""',
  ])('a name given twice is refused: %s', (members) => {
    expect(() => decode(members)).toThrow(code('E_CE_DUPLICATE'));
  });

  test('names of Object.prototype and of our own fields are ordinary', () => {
    const event = decode(',"constructor":null,"extensions":null,"valueof":"x"');
    expect({ ...event.extensions }).toEqual({ valueof: 'x' });
    expect({ ...decode(',"x":1,"extensions":null,"constructor":1').extensions }).toEqual({ x: 1, constructor: 1 });
  });

  test('missing, null and wrong required attributes', () => {
    expect(() => decodeJson(Buffer.from('{}'))).toThrow(code('E_CE_MISSING'));
    expect(() => decodeJson(Buffer.from('{"specversion":"1.0","id":null,"source":"/s","type":"t"}'))).toThrow(
      code('E_CE_MISSING'),
    );
    expect(() => decodeJson(Buffer.from('{"specversion":"0.3","id":"1"}'))).toThrow(code('E_CE_SPECVERSION'));
    expect(() => decodeJson(Buffer.from('{"specversion":1.0,"id":"1"}'))).toThrow(code('E_CE_INVALID_ATTRIBUTE'));
  });

  test('many null members take linear time', () => {
    const nulls = Array.from({ length: 50_000 }, (_, index) => `,"x${index}":null`).join('');
    expect(decode(nulls).extensions).toEqual({});
  });
});

describe('documents that are not events', () => {
  test.each([
    ...[
      '',
      ' ',
      '1',
      '"x"',
      'null',
      '[]',
      '{',
      '{"id"',
      '{"id":',
      `{${HEAD}`,
      `{${HEAD},}`,
      `{${HEAD}}}`,
      `{${HEAD}} x`,
      `{,${HEAD}}`,
    ],
    ...[
      `{${HEAD},"data":{"a":01}}`,
      `{${HEAD},"data":[1,]}`,
      `{${HEAD},"data":tru}`,
      `{${HEAD},"ext":"\n"}`,
      `{${HEAD},"data":"\\x"}`,
    ],
    ...[
      `{${HEAD},"x":'a'}`,
      `{${HEAD},x:1}`,
      `{${HEAD} "x":1}`,
      `{${HEAD},"x" 1}`,
      `\ufeff{${HEAD}}`,
      `{${HEAD},"data":}`,
    ],
  ])('%s', (text) => {
    expect(() => decodeJson(Buffer.from(text))).toThrow(code('E_CE_JSON'));
  });

  test('nesting that would overflow a parser', () => {
    expect(() => decode(`,"data":${'['.repeat(100_000)}${']'.repeat(100_000)}`)).toThrow(code('E_CE_JSON'));
  });

  test('invalid UTF-8 anywhere, also in the data', () => {
    const bytes = Buffer.concat([Buffer.from(`{${HEAD},"data":"`), Buffer.from([0xc0, 0xa0]), Buffer.from('"}')]);
    expect(() => decodeJson(bytes)).toThrow(code('E_CE_JSON'));
  });
});

describe('batches', () => {
  const one = `{${HEAD},"data":{"n":1}}`;
  const two = `{ ${HEAD} , "data" : 2.0 }`;

  test('each member keeps its verbatim slice', () => {
    const events = decodeJsonBatch(Buffer.from(` [ ${one} , ${two}]\n`));
    expect(events.map((event) => event.structured?.toString())).toEqual([one, two]);
    expect(events.map((event) => event.data?.toString())).toEqual(['{"n":1}', '2.0']);
  });

  test('an empty batch is a batch', () => {
    expect(decodeJsonBatch(Buffer.from('[]'))).toEqual([]);
    expect(decodeJsonBatch(Buffer.from(' [ ] '))).toEqual([]);
  });

  test.each([
    [`[${one},${one.replace('1.0', '0.3')}]`, 'E_CE_SPECVERSION', 'event 1 '],
    [`[${one},{}]`, 'E_CE_MISSING', 'event 1 '],
    [`[1]`, 'E_CE_JSON', 'event 0 '],
    [`[${one},[]]`, 'E_CE_JSON', 'event 1 '],
    [`[${one},]`, 'E_CE_JSON', 'event 1 '],
    [`[${one}`, 'E_CE_JSON', 'byte'],
    [`[${one} ${one}]`, 'E_CE_JSON', 'byte'],
    [`[${one}]]`, 'E_CE_JSON', 'byte'],
    ['[', 'E_CE_JSON', 'byte'],
    ['', 'E_CE_JSON', 'byte'],
    [one, 'E_CE_JSON', 'array'],
  ])('%s fails as a whole', (text, expected, message) => {
    expect(() => decodeJsonBatch(Buffer.from(text))).toThrow(code(expected));
    expect(() => decodeJsonBatch(Buffer.from(text))).toThrow(message);
  });
});
