import { describe, expect, test } from 'vitest';
import { FairleadError } from '../../../src/core/errors.ts';
import { MeshEvent, newExtensions } from '../../../src/core/event.ts';
import { checkCesql } from '../../../src/router/cesql/check.ts';
import { compileCesqlFilter } from '../../../src/router/cesql/filter.ts';

/** `line:column severity CODE`, and the hint where there is one. */
function told(text: string): readonly string[] {
  return checkCesql(text).map(({ severity, code, position, hint }) => {
    const where = `${position.line}:${position.column} ${severity} ${code}`;
    return hint === undefined ? where : `${where} — ${hint}`;
  });
}

describe('an expression as a condition', () => {
  test.each([
    "type = 'com.acme.reading'",
    "type = 'a' AND source LIKE '/plant/%' AND NOT EXISTS subject",
    "(type = 'a' AND hop < 5) OR (type = 'b' AND hop < ttl)",
    "type = 'a' OR (NOT flag) OR flag = TRUE",
    "x NOT LIKE 'a%' AND x NOT IN ('b', 'c') AND NOT (x = 'd')",
    "flag AND type = 'a'",
    "LENGTH(CONCAT(type, '5')) > 3 AND ABS('5') = 5 AND time LIKE '2026-%' AND time = '2026-01-01T00:00:00Z'",
    'NOT flag',
    'BOOL(flag)',
  ])('nothing is wrong with %s', (text) => {
    expect(checkCesql(text)).toEqual([]);
  });

  test.each([
    ["type = 'a' AND id = 'b' OR id = 'c'", ['1:25 error E_CESQL_MIXED — use parentheses']],
    ["type = 'a' OR id = 'b' AND id = 'c'", ['1:24 error E_CESQL_MIXED — use parentheses']],
    ["a = 'a' XOR b = 'b' AND c = 'c'", ['1:21 error E_CESQL_MIXED — use parentheses']],
    ["NOT (a = 'a' OR\n b = 'b' AND c = 'c')", ['2:10 error E_CESQL_MIXED — use parentheses']],
    ["type ==\n 'x'", ['1:6 error E_CESQL_PARSE — write = for "equal"']],
    ["'a'", ['1:1 error E_CESQL_NOT_BOOLEAN']],
    ['(hop + 1)', ['1:6 error E_CESQL_NOT_BOOLEAN']],
    ['LOWER(type)', ['1:1 error E_CESQL_NOT_BOOLEAN']],
    ["data = 'x'", ['1:1 error E_CESQL_DATA — use a pattern']],
    ['EXISTS data', ['1:1 error E_CESQL_DATA — use a pattern']],
    ['data', ['1:1 error E_CESQL_DATA — use a pattern']],
    ['ABS(1, 2) = 1', ['1:1 error E_CESQL_FUNCTION — write ABS(x)']],
    ["SUBSTRING(type) = 'a'", ['1:1 error E_CESQL_FUNCTION — write SUBSTRING(x, pos) or SUBSTRING(x, pos, len)']],
    ["NOT type = 'x'", ['1:1 warning W_CESQL_NOT — write NOT (… = …)']],
    ["id = 'a' AND NOT hop < 5", ['1:14 warning W_CESQL_NOT — write NOT (… < …)']],
    ["NOT type LIKE 'x%'", ['1:1 warning W_CESQL_NOT — write x NOT LIKE …, or NOT (x LIKE …)']],
    ["NOT type IN ('x')", ['1:1 warning W_CESQL_NOT — write x NOT IN …, or NOT (x IN …)']],
    ['NOT hop + 1 = 2', ['1:1 warning W_CESQL_NOT — write NOT (… + …)']],
    ['mybool', ['1:1 warning W_CESQL_BARE_ATTRIBUTE — write mybool = TRUE']],
    ['((mybool))', ['1:3 warning W_CESQL_BARE_ATTRIBUTE — write mybool = TRUE']],
    ["time > '2026-01-01T00:00:00Z'", ['1:1 warning W_CESQL_CAST', '1:8 warning W_CESQL_CAST']],
    ["type = 'a' AND 'yes'", ['1:16 warning W_CESQL_CAST']],
    ["'abc' = 5", ['1:1 warning W_CESQL_CAST']],
    ["NOT 'abc'", ['1:5 warning W_CESQL_CAST']],
    ["ABS('abc') = -'x'", ['1:5 warning W_CESQL_CAST', '1:15 warning W_CESQL_CAST']],
  ])('%s', (text, expected) => {
    expect(told(text)).toEqual(expected);
  });

  test('an unknown function is told with those that there are', () => {
    expect(checkCesql("REGEX(type, 'a')")).toMatchObject([
      { code: 'E_CESQL_FUNCTION', message: 'there is no function REGEX', hint: expect.stringContaining('LENGTH(x)') },
    ]);
  });

  test('what the check calls an error does not compile as a filter', () => {
    for (const text of ["a = 'a' AND b = 'b' OR c = 'c'", "'a'", 'data = 5', 'NOPE()', 'type =']) {
      const [finding] = checkCesql(text);
      expect(() => compileCesqlFilter(text)).toThrow(expect.objectContaining({ code: finding?.code }));
    }
    expect(() => compileCesqlFilter("a = 'a' AND b = 'b' OR c = 'c'")).toThrow(FairleadError);
    expect(() => compileCesqlFilter("NOT type = 'x'")).not.toThrow();
  });
});

describe('a filter', () => {
  const fromHeader = new MeshEvent({
    id: '1',
    source: '/',
    type: 't',
    extensions: { ...newExtensions(), flag: 'true' },
  });
  const fromJson = new MeshEvent({ id: '1', source: '/', type: 't', extensions: { ...newExtensions(), flag: true } });

  test.each([
    ["type = 't'", 'match', 'match'],
    ["type = 'u'", 'no-match', 'no-match'],
    ["missing = 'x'", 'error', 'error'],
    ["missing != 'x'", 'error', 'error'],
    ['type < 5', 'error', 'error'],
    ['flag', 'error', 'match'], // why `flag = TRUE` is recommended
    ['flag = TRUE', 'match', 'match'],
    ["flag AND type = 't'", 'match', 'match'],
  ])('%s', (text, header, json) => {
    const filter = compileCesqlFilter(text);
    expect([filter(fromHeader), filter(fromJson)]).toEqual([header, json]);
  });
});
