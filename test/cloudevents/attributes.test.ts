import { describe, expect, test } from 'vitest';
import { buildEvent, canonical, forEachAttribute } from '../../src/cloudevents/attributes.ts';
import type { AttributeValue } from '../../src/core/event.ts';
import { attributes } from './arbitrary.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const build = (more: Record<string, unknown>) =>
  buildEvent(attributes(more as Record<string, AttributeValue>), undefined);

describe('required attributes', () => {
  test.each(['id', 'source', 'type', 'specversion'])('%s is required', (name) => {
    const given = attributes();
    delete given[name];
    expect(() => buildEvent(given, undefined)).toThrow(code('E_CE_MISSING'));
    expect(() => buildEvent(given, undefined)).toThrow(name);
  });

  test('all that is missing is named at once', () => {
    expect(() => buildEvent(Object.create(null), undefined)).toThrow('specversion, id, source, type');
  });

  test.each(['id', 'source', 'type', 'subject', 'dataschema', 'time', 'datacontenttype'])(
    'an empty %s is refused',
    (name) => {
      expect(() => build({ [name]: '' })).toThrow(code('E_CE_INVALID_ATTRIBUTE'));
    },
  );

  test('an empty extension is a string like any other', () => {
    expect(build({ note: '' }).extensions['note']).toBe('');
  });

  test.each(['0.3', '1.0.2', '1', 1])('specversion %j is refused', (specversion) => {
    expect(() => build({ specversion })).toThrow(code('E_CE_SPECVERSION'));
  });
});

describe('names', () => {
  test.each(['my-ext', 'MyExt', 'my_ext', 'é', '', 'data'])('%j is refused', (name) => {
    expect(() => build({ [name]: 'x' })).toThrow(code('E_CE_INVALID_ATTRIBUTE'));
  });

  test('names of Object.prototype are ordinary', () => {
    const event = build({ constructor: 'a', tostring: 'b', extensions: 'c' });
    expect(event.attribute('constructor')).toBe('a');
    expect(event.attribute('hasownproperty')).toBeUndefined();
    expect(event.attribute('extensions')).toBe('c');
  });

  test('a hostile name cannot break a log line', () => {
    expect(() => build({ 'x\ny': '1' })).toThrow('"x\\ny"');
  });
});

describe('values', () => {
  test.each([true, false, 0, -1, 2 ** 31 - 1, -(2 ** 31), '', 'text', '€ 😀', Buffer.from([0, 255])])(
    '%j is kept',
    (value) => {
      expect(build({ ext: value }).extensions['ext']).toBe(value);
    },
  );

  test.each([1.5, 2 ** 31, -(2 ** 31) - 1, Number.NaN, Number.POSITIVE_INFINITY, null, {}, []])(
    '%j is refused',
    (value) => {
      expect(() => build({ ext: value })).toThrow(code('E_CE_INVALID_ATTRIBUTE'));
    },
  );

  test.each([
    '\u0000',
    'a\nb',
    'a\r',
    '\u007f',
    '\u009f',
    '\ud800',
    '\udc00a',
    '\ufffe',
    '\ufdd0',
    '\u{1fffe}',
    '\u{10ffff}',
  ])('the string %j is refused', (value) => {
    expect(() => build({ ext: value })).toThrow(code('E_CE_INVALID_ATTRIBUTE'));
    expect(() => build({ subject: value })).toThrow(code('E_CE_INVALID_ATTRIBUTE'));
  });

  test.each(['\u00a0', '\ufffd', '\ud7ff', '\ue000', '\u{1fffd}', '\u{10fffd}', '\ufdcf\ufdf0'])(
    'the string %j is allowed',
    (value) => {
      expect(build({ ext: value }).extensions['ext']).toBe(value);
    },
  );

  test.each(['source', 'dataschema'])('%s is a URI reference: no spaces', (name) => {
    expect(() => build({ [name]: '/a b' })).toThrow(code('E_CE_INVALID_ATTRIBUTE'));
    expect(build({ [name]: 'urn:é:%20#x' }).attribute(name)).toBe('urn:é:%20#x');
  });

  test.each(['text/plain\r\nx: y', 'text/plän', ' text/plain', 'text/plain '])(
    'datacontenttype %j is refused',
    (value) => {
      expect(() => build({ datacontenttype: value })).toThrow(code('E_CE_INVALID_ATTRIBUTE'));
    },
  );

  test('neither values nor data stand in errors', () => {
    expect(() => build({ ext: 'secret\n' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    );
  });
});

describe('time', () => {
  test.each([
    '2024-05-01T12:00:00Z',
    '2024-05-01T12:00:00.123456789+02:00',
    '2024-05-01t12:00:00.1z',
    '2024-02-29T00:00:00-00:00',
    '2016-12-31T23:59:60Z',
    '0000-01-01T00:00:00Z',
  ])('%s stays as it is', (time) => {
    expect(build({ time }).time).toBe(time);
  });

  test.each([
    'Wed, 01 May 2024 12:00:00 GMT',
    '2024-05-01',
    '2024-05-01T12:00:00',
    '2024-05-01 12:00:00Z',
    '2024-05-01T12:00:00.Z',
    '2024-05-01T12:00:00+0200',
    '2024-05-01T12:00:00+24:00',
    '2024-05-01T12:00:00Z ',
    '2024-13-01T12:00:00Z',
    '2023-02-29T12:00:00Z',
    '1900-02-29T12:00:00Z',
    '2024-04-31T12:00:00Z',
    '2024-05-00T12:00:00Z',
    '2024-05-01T24:00:00Z',
    '2024-05-01T12:60:00Z',
    '2024-05-01T12:00:61Z',
    '２024-05-01T12:00:00Z',
    '1714564800',
  ])('%s is refused, never replaced', (time) => {
    expect(() => build({ time })).toThrow(code('E_CE_INVALID_ATTRIBUTE'));
  });
});

test('canonical strings', () => {
  expect([true, false, 0, -7, 'x', Buffer.from([251, 255])].map(canonical)).toEqual([
    'true',
    'false',
    '0',
    '-7',
    'x',
    '+/8=',
  ]);
});

test('forEachAttribute visits all but datacontenttype', () => {
  const seen: [string, AttributeValue][] = [];
  const event = build({
    subject: 'a',
    time: '2024-05-01T12:00:00Z',
    dataschema: 'urn:x',
    datacontenttype: 'text/plain',
    ext: 5,
  });
  forEachAttribute(event, (name, value) => seen.push([name, value]));
  expect(seen).toEqual([
    ['specversion', '1.0'],
    ['id', '1'],
    ['source', '/s'],
    ['type', 't'],
    ['subject', 'a'],
    ['time', '2024-05-01T12:00:00Z'],
    ['dataschema', 'urn:x'],
    ['ext', 5],
  ]);
});
