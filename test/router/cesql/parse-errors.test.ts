import { describe, expect, test } from 'vitest';
import { FairleadError } from '../../../src/core/errors.ts';
import { compileCesql } from '../../../src/router/cesql/expression.ts';
import { CesqlParseError } from '../../../src/router/cesql/parse-error.ts';

function refusal(text: string): CesqlParseError {
  try {
    compileCesql(text);
  } catch (error) {
    if (error instanceof CesqlParseError) return error;
    throw error;
  }
  throw new Error(`"${text}" was read`);
}

describe('what is not an expression', () => {
  test.each([
    ['', '1:1: expected a value, found the end'],
    ['type =', '1:7: expected a value, found the end'],
    ['type = )', '1:8: expected a value, found ")"'],
    ['ABC(', '1:5: expected a value, found the end'],
    ['(type', '1:1: this parenthesis is never closed'],
    ['ABS (1', '1:5: this parenthesis is never closed'],
    ["type IN ('a'", '1:9: this parenthesis is never closed'],
    ['type)', '1:5: this parenthesis was never opened'],
    ['ABS(1,)', '1:7: expected a value, found ")"'],
    ['type type', '1:6: expected an operator or the end, found "type"'],
    ['subject IS NULL', '1:9: expected an operator or the end, found "IS" — write EXISTS x or NOT EXISTS x'],
    ['hop between 1 AND 5', '1:5: expected an operator or the end, found "between" — write x >= 1 AND x <= 5'],
    ["type == 'x'", '1:6: "==" is not an operator — write = for "equal"'],
    ["type = 'a' && id", '1:12: "&" has no meaning here — write AND'],
    ["type = 'a' || id", '1:12: "|" has no meaning here — write OR'],
    ['!flag', '1:1: "!" has no meaning here — write NOT (…), or != for "not equal"'],
    [
      'data.celsius > 90',
      '1:5: "." has no meaning here — attribute names have letters and digits only, and the data cannot be read by CESQL',
    ],
    ['my_ext = 1', '1:1: "my_ext" is not the name of an attribute — names have no "_"'],
    ['EXISTS my_ext', '1:8: "my_ext" is not the name of an attribute — names have no "_"'],
    ['LOG10(5)', '1:1: "LOG10" is not the name of a function — names have no digits'],
    [
      'type LIKE subject',
      '1:11: expected the pattern of LIKE, found "subject" — a pattern is text in quotes: LIKE \'abc%\'',
    ],
    ['type NOT = 5', '1:10: expected LIKE or IN after NOT, found "=" — NOT stands before what it negates'],
    ["type IN 'a'", "1:9: expected \"(\" after IN, found text — write IN ('a', 'b')"],
    ['type IN ()', "1:6: the set of IN is empty — write IN ('a', 'b')"],
    ['EXISTS (id)', '1:8: expected the name of an attribute, found "(" — write EXISTS subject'],
    ["type = 'abc", '1:8: this text has no closing quote'],
    [String.raw`type = 'abc\'`, '1:8: this text has no closing quote'],
    ["type = 'it''s'", "1:12: a quote follows on a quote — write \\' for a ' inside text"],
    ['type = `x`', '1:8: "`" has no meaning here — attributes are written without quotes, text between \' or "'],
    ['type = ‘x’', '1:8: U+2018 has no meaning here — text stands between \' or "'],
    ['type\u00a0= 1', '1:5: U+00A0 has no meaning here — this is a no-break space: write an ordinary one'],
    ['😀', '1:1: U+1F600 has no meaning here'],
    ['2147483648', '1:1: 2147483648 is not an Integer — Integers are from -2147483648 to 2147483647'],
    ['1 - 2147483648', '1:5: 2147483648 is not an Integer — Integers are from -2147483648 to 2147483647'],
    ['-2147483649', '1:1: -2147483649 is not an Integer — Integers are from -2147483648 to 2147483647'],
    ['+ 5', '1:1: "+" has no value before it — only digits may follow on a sign "+"'],
    ['+type', '1:1: "+" has no value before it — only digits may follow on a sign "+"'],
    ['TRUE(1)', '1:5: expected an operator or the end, found "("'],
    ['TRUE AND\n  type = ;', '2:10: ";" has no meaning here — there is one expression, without a semicolon'],
    ["'😀' =\r\n'😀' ?", '2:5: "?" has no meaning here'],
    ["'\ud800'", '1:2: half of a surrogate pair'],
    [
      `type LIKE '%${'_'.repeat(257)}%'`,
      '1:11: more than 256 characters between two "%" of the pattern, with "_" among them',
    ],
  ])('%s', (text, message) => {
    expect(refusal(text).message).toBe(message);
  });

  test('is a coded error with a position to show', () => {
    const error = refusal('TRUE AND\n  type = ;');
    expect(error).toBeInstanceOf(FairleadError);
    expect(error.code).toBe('E_CESQL_PARSE');
    expect(error.position).toEqual({ offset: 18, line: 2, column: 10 });
    expect(error.reason).toBe('";" has no meaning here');
    expect(error.hint).toMatch(/semicolon/);
  });
});
