import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeHeader, encodeHeader } from '../../src/cloudevents/percent.ts';

test.each([
  ['Euro € 😀', 'Euro%20%E2%82%AC%20%F0%9F%98%80'],
  ['plain/value?x=1&y=2#~', 'plain/value?x=1&y=2#~'],
  ['a "b"', 'a%20%22b%22'],
  ['100%', '100%25'],
  ['%41', '%2541'],
  ['a\r\nset-cookie: x', 'a%0D%0Aset-cookie:%20x'],
  ['\u007f', '%7F'],
  ['', ''],
])('%j is %s and back', (value, header) => {
  expect(encodeHeader(value)).toBe(header);
  expect(decodeHeader(header)).toBe(value);
});

test.each([
  ['"a \\"b\\""', 'a "b"'],
  ['%2541', '%41'],
  ['100%', '100%'],
  ['%', '%'],
  ['%4', '%4'],
  ['%zz%41', '%zzA'],
  ['%e2%82%ac', '€'],
  ['a b', 'a b'],
  ['"%41\\\\"', 'A\\'],
  ['""', ''],
  ['"', '"'],
  ['"a', '"a'],
  ['a"b', 'a"b'],
  [Buffer.from('€').toString('latin1'), '€'],
])('%j is read as %j', (header, value) => {
  expect(decodeHeader(header)).toBe(value);
});

test.each(['%C0%A0', '%FF', '%E2%82', '%ED%A0%80', 'é', '€'])('%s is not UTF-8', (header) => {
  expect(() => decodeHeader(header)).toThrow(expect.objectContaining({ code: 'E_CE_PERCENT' }));
});

test('any string comes back, as visible ASCII', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const header = encodeHeader(value);
      expect(header).toMatch(/^[\x21-\x7e]*$/);
      expect(decodeHeader(header)).toBe(value);
    }),
  );
});
