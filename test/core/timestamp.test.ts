import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTimestamp } from '../../src/core/timestamp.ts';

test.each([
  ['2026-08-01T06:00:00Z', '2026-08-01T06:00:00.000Z'],
  ['2026-08-01T08:00:00+02:00', '2026-08-01T06:00:00.000Z'],
  ['2026-08-01t06:00:00.123456789z', '2026-08-01T06:00:00.123Z'],
  ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
  ['2024-02-29T00:00:00-00:30', '2024-02-29T00:30:00.000Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
])('%s is %s', (text, iso) => {
  expect(new Date(parseTimestamp(text) as number).toISOString()).toBe(iso);
});

test.each([
  '',
  '2026-08-01',
  '2026-08-01T06:00:00',
  '2026-08-01 06:00:00Z',
  '2026-02-29T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-04-31T00:00:00Z',
  '2026-08-01T24:00:00Z',
  '2026-08-01T06:60:00Z',
  '2026-08-01T06:00:00+2:00',
  '1785564000000',
])('%j is no timestamp', (text) => {
  expect(parseTimestamp(text)).toBeUndefined();
});

test('reads back what Date writes', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }), (date) => {
      expect(parseTimestamp(date.toISOString())).toBe(date.getTime());
    }),
  );
});
