import { describe, expect, test } from 'vitest';
import { MeshEvent, newExtensions } from '../../../src/core/event.ts';
import { compileCesql } from '../../../src/router/cesql/expression.ts';

const extensions = Object.assign(newExtensions(), {
  hop: '5',
  count: 7,
  flag: true,
  header: 'true',
  bytes: Buffer.from('hi'),
  half: 1.5,
  nought: -0,
  '1x': 'digit first',
});
const event = new MeshEvent({
  id: 'a1',
  source: '/plant/7',
  type: 'com.acme.reading',
  extensions,
  data: Buffer.from('{}'),
});

/** The value, and the kind of error after it. */
function given(text: string): readonly unknown[] {
  const { value, error } = compileCesql(text).evaluate(event);
  return error === undefined ? [value] : [value, error.kind];
}

describe('precedence and association', () => {
  test.each([
    ['4-1', 3],
    ['4 -1', 3],
    ['4- -1', 5],
    ['4--1', 5],
    ['+5 - +2', 3],
    ['10 - 4 - 3', 3],
    ['2 + 3 * 4', 14],
    ['20 / 2 / 5', 2],
    ['1 + 1 = 2', true],
    ['1 < 2 = TRUE', true],
    ['-count + 7', 0],
    ["-count LIKE '-%'", true],
    ['1 + 1 IN (2, 1)', 2], // 1 + (1 IN (2, 1))
    ["NOT type = 'x'", false], // (NOT type) = 'x', which fails: see the lint
    ["NOT (type = 'x')", true],
    ['NOT TRUE = FALSE', true],
    ['NOT NOT TRUE', true],
    ['TRUE XOR TRUE AND FALSE', false], // from the left
    ['FALSE AND FALSE OR TRUE', true],
    ['TRUE OR TRUE AND FALSE', false],
  ])('%s gives %s', (text, value) => {
    expect(given(text)[0]).toBe(value);
  });
});

describe('names and keywords', () => {
  test.each([
    ["TYPE = 'com.acme.reading' and Source like '/plant/%'", true],
    ['eXiStS iD', true],
    ['length(LOWER(Type)) in (16)', true],
    ['1X', 'digit first'],
    ['EXISTS 1x', true],
    ['specversion', '1.0'],
    ['abs ( -1 )', 1],
    ['\tTRUE\r\n', true],
  ])('%s gives %s', (text, value) => {
    expect(given(text)).toEqual([value]);
  });
});

describe('attributes', () => {
  test.each([
    ['flag', true],
    ['header', 'true'],
    ['flag = TRUE AND header = TRUE', true],
    ['count', 7],
    ['bytes', 'aGk='],
    ['half', '1.5'],
    ['nought', 0],
    ['EXISTS subject', false],
    ['NOT EXISTS subject', true],
  ])('%s gives %s', (text, value) => {
    expect(given(text)).toEqual([value]);
  });

  test.each([
    ['subject', false],
    ["subject = 'x'", false],
    ["subject != 'x'", false],
    ["NOT (subject = 'x')", false],
    ['subject + 1', 0],
    ['-subject', 0],
    ['LENGTH(subject)', 0],
    ["CONCAT('a', subject)", ''],
    ['BOOL(subject)', false],
    ["subject NOT LIKE 'x'", false],
    ["'x' IN ('y', subject)", false],
    ["'x' NOT IN ('y', subject)", false],
    ['(subject)', false],
    ['time', false],
    ["EXISTS id AND subject = 'x'", false],
    ["subject = 'x' OR TRUE", false],
  ])('%s is missing an attribute and gives %s', (text, value) => {
    expect(given(text)).toEqual([value, 'missingAttribute']);
  });

  test('`data` is no attribute', () => {
    const plain = new MeshEvent({ id: '1', source: '/', type: 't', data: Buffer.from('{}') });
    expect(compileCesql('data').evaluate(plain).error?.message).toBe('the event has no attribute "data"');
    expect(compileCesql('EXISTS data').evaluate(plain)).toEqual({ value: false });
  });

  test('what objects inherit is no attribute', () => {
    const bare = new MeshEvent({ id: '1', source: '/', type: 't' });
    for (const name of ['constructor', 'tostring'])
      expect(compileCesql(`EXISTS ${name}`).evaluate(bare).value).toBe(false);
  });
});

describe('short circuits and the first error', () => {
  test.each([
    ['FALSE AND 1 / 0 = 1', [false]],
    ['TRUE OR 1 / 0 = 1', [true]],
    ['FALSE AND NOPE()', [false]],
    ['TRUE AND TRUE AND FALSE AND NOPE()', [false]],
    ['FALSE OR FALSE OR TRUE OR NOPE()', [true]],
    ['TRUE XOR 1 / 0 = 1', [false, 'math']],
    ['subject / 0', [0, 'missingAttribute']],
    ['1 / 0 + subject', [0, 'math']],
    ['1 IN (1, subject)', [true]],
    ['1 IN (subject, 1)', [false, 'missingAttribute']],
    ['1 NOT IN (2, 3)', [true]],
  ])('%s gives %j', (text, expected) => {
    expect(given(text)).toEqual(expected);
  });
});

describe('text', () => {
  test.each([
    [String.raw`'it\'s'`, "it's"],
    [String.raw`"say \"x\""`, 'say "x"'],
    ["'a\"b'", 'a"b'],
    [String.raw`'a\b'`, String.raw`a\b`],
    [String.raw`'a\\'`, String.raw`a\\`], // only the quote can be escaped
    [String.raw`"\'"`, String.raw`\'`],
    ["''", ''],
    ["'a\nb'", 'a\nb'],
  ])('%s is %s', (text, value) => {
    expect(given(text)).toEqual([value]);
  });

  test('is compared as it stands: case and normal form count', () => {
    expect(given("'a' = 'A'")).toEqual([false]);
    expect(given("'\u00e9' = 'e\u0301'")).toEqual([false]);
  });

  test('no message holds a value of the event', () => {
    const { error } = compileCesql("INT(type) = 1 AND LEFT(source, -1) = ''").evaluate(event);
    expect(error?.message).not.toMatch(/acme|plant/);
  });
});
