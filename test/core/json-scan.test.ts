import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isJsonText, MAX_DEPTH, scanValue } from '../../src/core/json-scan.ts';

const valid = (text: string) => isJsonText(Buffer.from(text));

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('agrees with JSON.parse', () => {
  test('on valid JSON', () => {
    fc.assert(fc.property(fc.json({ maxDepth: 4 }), (text) => valid(text)));
  });

  test('on JSON with one byte changed, removed or doubled', () => {
    const edit = fc.tuple(
      fc.json({ maxDepth: 4 }),
      fc.nat(),
      fc.constantFrom(...'{}[]",:\\/u0123456789.eE+-tfn \n\u0001\u007f'),
      fc.constantFrom('replace', 'remove', 'insert'),
    );
    fc.assert(
      fc.property(edit, ([text, where, char, how]) => {
        const at = where % (text.length + 1);
        const rest = text.slice(how === 'insert' ? at : at + 1);
        const edited = `${text.slice(0, at)}${how === 'remove' ? '' : char}${rest}`;
        fc.pre(!/^\s/.test(edited)); // a value starts where it is said to start
        expect([edited, valid(edited)]).toEqual([edited, parses(edited)]);
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    ...[
      '0',
      '-0',
      '1.0',
      '1e5',
      '1E+5',
      '-1.5e-3',
      '12345678901234567890',
      '""',
      '"\\u00e9\\n"',
      '"\\ud800"',
      '[]',
      '{}',
      '[ ]',
      '{ }',
    ],
    ...['[1 , 2]', '{"a" : [ { } , null ] }', '{"a":1,"a":2}', 'true ', '"x"\n', '"\u007f"', '"0123456789abcdef"'],
    ...[
      '',
      ' ',
      '01',
      '-',
      '+1',
      '.5',
      '1.',
      '1e',
      '1e+',
      '0x10',
      'NaN',
      'Infinity',
      'tru',
      'truE',
      'nulll',
      "'a'",
      '"',
      '"\\"',
      '"\\x"',
    ],
    ...[
      '"\\u12g4"',
      '"\\u12"',
      '"\n"',
      '"abc\u0001def"',
      '[',
      '[1',
      '[1,',
      '[1,]',
      '[,1]',
      '[1 2]',
      '{',
      '{"a"',
      '{"a":',
      '{"a":1',
      '{"a":1,}',
    ],
    ...['{a:1}', '{"a" 1}', '{1:1}', '{]', '[}', '[1}', '{"a":1]', '1 2', '{}{}', '//', '\ufeff1', '"abcd'],
  ])('on %j', (text) => {
    expect(valid(text)).toBe(parses(text) && !text.startsWith(' '));
  });
});

test('depth is bounded, width is not', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  expect(valid(nested(MAX_DEPTH))).toBe(true);
  expect(valid(`${'['.repeat(MAX_DEPTH + 2)}1${']'.repeat(MAX_DEPTH + 2)}`)).toBe(false);
  expect(valid(`${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`)).toBe(false);
  expect(valid(`[${'{},'.repeat(100_000)}0]`)).toBe(true);
});

test('says where a value ends and where it breaks', () => {
  const text = Buffer.from('  {"a":[1,2]} ,');
  expect(scanValue(text, 2)).toBe(13);
  expect(~scanValue(Buffer.from('[1,x]'), 0)).toBe(3);
});
