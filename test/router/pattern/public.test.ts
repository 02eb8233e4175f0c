import { expect, test } from 'vitest';
import { PatternError } from '../../../src/router/pattern/finding.ts';
import { compilePattern } from '../../../src/router/pattern/public.ts';
import { jsonEvent } from '../../setup/events.ts';

const hot = compilePattern({ type: ['test.reading'], data: { celsius: [{ numeric: ['>', 90] }] } });

test('a pattern tests events of the gateway and plain ones', () => {
  expect(hot.test(jsonEvent(95))).toBe(true);
  expect(hot.test(jsonEvent(5))).toBe(false);
  const plain = { id: '1', source: '/x', type: 'test.reading', specversion: '1.0' };
  expect(hot.test({ ...plain, data: { celsius: 95 } })).toBe(true);
  expect(hot.test({ ...plain, data: Buffer.from('{"celsius":95}') })).toBe(true);
  expect(hot.test({ ...plain, data: new TextEncoder().encode('{"celsius":95}') })).toBe(true);
  expect(hot.test({ ...plain, data_base64: Buffer.from('{"celsius":95}').toString('base64') })).toBe(true);
  expect(hot.test({ ...plain, data: '{"celsius":95}' })).toBe(false);
  expect(hot.test({ ...plain, datacontenttype: 'text/plain', data: { celsius: 95 } })).toBe(false);
  expect(hot.test({ ...plain, data: Buffer.from('{"celsius":') })).toBe(false);
  expect(hot.test(plain)).toBe(false);
});

test('attributes that are none are absent', () => {
  const absent = compilePattern({ tenant: [{ exists: false }], tostring: [{ exists: false }] });
  expect(absent.test({ type: 'a' })).toBe(true);
  expect(absent.test({ type: 'a', tenant: null })).toBe(true);
  expect(absent.test({ type: 'a', tenant: 'x' })).toBe(false);
});

test('a changed object is read anew', () => {
  const event = { type: 'test.reading', data: { celsius: 95 } };
  expect(hot.test(event)).toBe(true);
  event.data.celsius = 5;
  expect(hot.test(event)).toBe(false);
});

test('a pattern that is refused', () => {
  expect(() => compilePattern({ data: { a: [{ exist: true }] } })).toThrow(PatternError);
});
