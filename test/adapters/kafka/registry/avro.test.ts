import avsc, { type Schema } from 'avsc';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileAvro } from '../../../../src/adapters/kafka/registry/avro.ts';

const MAX = 1 << 20;

/** The JSON text of Avro bytes. */
function text(schema: unknown, bytes: Buffer, referred: readonly unknown[] = [], max = MAX): string {
  const decode = compileAvro(
    JSON.stringify(schema),
    referred.map((other) => JSON.stringify(other)),
  );
  return decode(bytes, 0, max).toString('utf8');
}

/** Encodes with avsc, which the decoder does not use for values. */
function encoded(schema: unknown, value: unknown): Buffer {
  return avsc.Type.forSchema(schema as Schema, { wrapUnions: true }).toBuffer(value);
}

const of = (schema: unknown, value: unknown): string => text(schema, encoded(schema, value));

/** Zigzag varint of any 64-bit number. */
function long(value: bigint): Buffer {
  let left = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  const bytes: number[] = [];
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(left)]);
}

const record = (...fields: [string, unknown][]): object => ({
  type: 'record',
  name: 'R',
  fields: fields.map(([name, type]) => ({ name, type })),
});

describe('what Avro becomes in JSON', () => {
  test.each<[unknown, unknown, string]>([
    ['null', null, 'null'],
    ['boolean', true, 'true'],
    ['int', -1, '-1'],
    ['double', 0.1, '0.1'],
    ['double', 1e21, '1e+21'],
    ['double', -0, '-0'],
    ['double', Number.NaN, '"NaN"'],
    ['double', Number.NEGATIVE_INFINITY, '"-Infinity"'],
    ['float', Math.fround(0.1), '0.1'],
    ['float', Math.fround(16_777_217), '16777216'],
    ['string', 'a"\n\u0000😀', '"a\\"\\n\\u0000😀"'],
    ['bytes', Buffer.from([0, 255]), '"AP8="'],
    [{ type: 'fixed', name: 'F', size: 3 }, Buffer.from([1, 2, 3]), '"AQID"'],
    [{ type: 'enum', name: 'E', symbols: ['A', 'B'] }, 'B', '"B"'],
    [{ type: 'array', items: 'int' }, [1, 2, 3], '[1,2,3]'],
    [{ type: 'array', items: 'int' }, [], '[]'],
    [{ type: 'map', values: 'int' }, { a: 1, 'b"': 2 }, '{"a":1,"b\\"":2}'],
    [['null', 'string'], { string: 'x' }, '"x"'],
    [['null', 'string'], null, 'null'],
    [
      record(['a', 'int'], ['b', { type: 'array', items: ['null', 'string'] }]),
      { a: 1, b: [null] },
      '{"a":1,"b":[null]}',
    ],
    [record(), {}, '{}'],
    [{ type: 'long', logicalType: 'timestamp-millis' }, 1_700_000_000_000, '1700000000000'],
    [{ type: 'string', logicalType: 'uuid' }, 'x', '"x"'],
  ])('%j of %o is %s', (schema, value, expected) => {
    expect(of(schema, value)).toBe(expected);
    if (!expected.includes('Infinity')) JSON.parse(expected);
  });

  test('a long keeps all its digits', () => {
    const edges = [
      0n,
      1n,
      -1n,
      2n ** 53n + 1n,
      -(2n ** 53n) - 1n,
      2n ** 63n - 1n,
      -(2n ** 63n),
      2n ** 48n,
      -(2n ** 48n),
    ];
    for (const value of edges) expect(text('long', long(value))).toBe(String(value));
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (value) => text('long', long(value)) === String(value)),
    );
  });

  test('a decimal is a number with its digits, out of bytes or fixed', () => {
    const decimal = { type: 'bytes', logicalType: 'decimal', precision: 30, scale: 2 };
    const bytes = (hex: string): Buffer => Buffer.concat([long(BigInt(hex.length / 2)), Buffer.from(hex, 'hex')]);
    expect(text(decimal, bytes('04d2'))).toBe('12.34');
    expect(text(decimal, bytes('ff'))).toBe('-0.01');
    expect(text(decimal, bytes('00'))).toBe('0.00');
    expect(text(decimal, bytes(`00${(2n ** 70n).toString(16).padStart(18, '0')}`))).toBe('11805916207174113034.24');
    const fixed = { type: 'fixed', name: 'D', size: 2, logicalType: 'decimal', precision: 4 };
    expect(text(fixed, Buffer.from('fffe', 'hex'))).toBe('-2');
  });

  test('a decimal that is none is bytes (Avro: an invalid logical type is ignored)', () => {
    const broken = { type: 'bytes', logicalType: 'decimal', precision: 2, scale: -1 };
    expect(text(broken, Buffer.from([2, 255]))).toBe('"/w=="');
  });

  test('fields that are special in JavaScript are ordinary', () => {
    const named = record(['__proto__', 'int'], ['constructor', 'int']);
    expect(text(named, Buffer.from([2, 4]))).toBe('{"__proto__":1,"constructor":2}');
    const map = Buffer.concat([long(1n), long(9n), Buffer.from('__proto__'), long(5n), Buffer.from([0])]);
    expect(text({ type: 'map', values: 'int' }, map)).toBe('{"__proto__":5}');
  });

  test('recursive types, and types of other schemas', () => {
    const list = record(['value', 'int'], ['next', ['null', 'R']]);
    expect(of(list, { value: 1, next: { R: { value: 2, next: null } } })).toBe(
      '{"value":1,"next":{"value":2,"next":null}}',
    );
    const address = { type: 'record', name: 'Address', namespace: 'a.b', fields: [{ name: 'city', type: 'string' }] };
    const user = { type: 'record', name: 'User', namespace: 'a.b', fields: [{ name: 'home', type: 'Address' }] };
    const bytes = encoded({ ...user, fields: [{ name: 'home', type: address }] }, { home: { city: 'Bonn' } });
    expect(text(user, bytes, [address])).toBe('{"home":{"city":"Bonn"}}');
  });

  test('agrees with avsc on random values', () => {
    const schema = record(
      ['i', 'int'],
      ['l', 'long'],
      ['d', 'double'],
      ['s', 'string'],
      ['u', ['null', 'string', { type: 'array', items: 'boolean' }]],
      ['m', { type: 'map', values: { type: 'array', items: 'int' } }],
      ['e', { type: 'enum', name: 'E', symbols: ['X', 'Y'] }],
    );
    const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    const value = fc.record({
      i: int,
      l: fc.integer({ min: -(2 ** 51), max: 2 ** 51 }), // avsc itself loses digits beyond 2^52
      d: fc.double({ noNaN: true, noDefaultInfinity: true }).map((d) => (d === 0 ? 0 : d)),
      s: fc.string({ unit: 'binary' }),
      u: fc.oneof(
        fc.constant(null),
        fc.string().map((string) => ({ string })),
        fc.array(fc.boolean()).map((array) => ({ array })),
      ),
      m: fc.dictionary(
        fc.string().filter((key) => key !== '__proto__'),
        fc.array(int, { maxLength: 3 }),
      ),
      e: fc.constantFrom('X', 'Y'),
    });
    fc.assert(
      fc.property(value, (given) => {
        const { u } = given as { u: { string?: string; array?: boolean[] } | null };
        const plain = { ...given, u: u === null ? null : (u.string ?? u.array) };
        expect(JSON.parse(of(schema, given))).toEqual(plain);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('what does not fit its schema', () => {
  const strings = { type: 'array', items: 'string' };
  test.each<[string, unknown, number[], string]>([
    ['ends early', 'double', [1, 2], 'it ends too early'],
    ['is longer', 'int', [2, 2], '1 bytes are left over'],
    ['is empty', 'string', [], 'it ends too early'],
    ['has a length beyond its end', 'string', [200, 1], 'it ends too early'],
    ['has a negative length', 'bytes', [1], 'a length or an index is out of range'],
    ['has an endless number', 'long', Array.from({ length: 11 }, () => 0xff), 'longer than 64 bits'],
    ['has a boolean of 2', 'boolean', [2], 'neither 0 nor 1'],
    ['has a branch too many', ['null', 'int'], [4], 'no such branch'],
    ['has a symbol too many', { type: 'enum', name: 'E', symbols: ['A'] }, [2], 'no such symbol'],
    ['has text that is no text', strings, [2, 2, 0xff, 0], 'not UTF-8'],
    ['has a decimal without digits', { type: 'bytes', logicalType: 'decimal', precision: 2 }, [0], 'impossible length'],
  ])('%s', (_, schema, bytes, message) => {
    expect(() => text(schema, Buffer.from(bytes))).toThrow(message);
  });

  test('costs no more than its bound: a million nulls in a few bytes, nesting without end', () => {
    const nulls = { type: 'array', items: 'null' };
    expect(() => text(nulls, Buffer.concat([long(2n ** 40n), Buffer.from([0])]), [], 10_000)).toThrow('too large');
    const empties = { type: 'array', items: record() };
    expect(() => text(empties, Buffer.concat([long(2n ** 40n), Buffer.from([0])]), [], 10_000)).toThrow('too large');
    const list = record(['next', ['null', 'R']]);
    expect(() => text(list, Buffer.alloc(100_000, 2))).toThrow('nested more than 200 levels');
  });

  test('fuzzed: every sequence of bytes gives JSON or a coded error', () => {
    const schema = record(
      ['u', ['null', 'long', strings, { type: 'map', values: 'double' }]],
      ['b', 'bytes'],
      ['f', 'float'],
    );
    const decode = compileAvro(JSON.stringify(schema), []);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          JSON.parse(decode(Buffer.from(bytes), 0, 10_000).toString('utf8'));
        } catch (error) {
          expect((error as { code?: string }).code).toMatch(/^E_(KAFKA_REGISTRY_DATA|EVENT_TOO_LARGE)$/);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});

test.each(['{', '"nothing"', '{"type":"record","name":"R"}'])('the schema %s cannot be used', (schema) => {
  expect(() => compileAvro(schema, [])).toThrow(expect.objectContaining({ code: 'E_KAFKA_REGISTRY_SCHEMA' }));
});
