import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileLike, parseLike } from '../../../src/router/cesql/like.ts';
import { matches } from './oracle.ts';

function like(text: string, pattern: string): boolean {
  return compileLike(parseLike(pattern))(text);
}

describe('LIKE', () => {
  test.each([
    ['', '', true],
    ['', '%', true],
    ['', '_', false],
    ['abc', '%%%', true],
    ['abc', '___', true],
    ['abc', '____', false],
    ['abc', 'ABC', false],
    ['aa', 'a%a', true],
    ['a', 'a%a', false],
    ['😀', '_', true],
    ['😀', '__', false],
    ['a😀', '%_', true],
    ['😀b', '_b', true],
    ['x😀y', '%😀%', true],
    ['x😀', '%_😀', true],
    ['50%', '50\\%', true],
    ['500', '50\\%', false],
    ['a_b', 'a\\_b', true],
    ['axb', 'a\\_b', false],
    ['a\\b', 'a\\b', true],
    ['a\\%', 'a\\\\%', true], // a backslash, then an escaped %
    ['a\\xyz', 'a\\\\%', false],
    ['a.c', 'a.c', true],
    ['abc', 'a.c', false],
    ['a\nb', 'a_b', true],
    ['a\nb', 'a%b', true],
    ['abab', '%ab', true],
    ['aab', '%ab', true],
    ['ababac', '%aba_%', true],
    ['ababab', 'ab%_b%ab', true],
    ['abab', 'ab%_b%ab', false],
    ['xab', '%ab%b', false],
    ['xabb', '%ab%b', true],
  ])('"%s" LIKE "%s" is %s', (text, pattern, expected) => {
    expect(like(text, pattern)).toBe(expected);
    expect(matches(text, pattern)).toBe(expected);
  });

  test('does what the table of all prefixes does', () => {
    const letter = fc.constantFrom('a', 'a', 'b', '😀');
    const text = fc.array(letter, { maxLength: 9 }).map((parts) => parts.join(''));
    const special = fc.constantFrom('%', '%', '%', '_', '\\%', '\\');
    const pattern = fc.array(fc.oneof(letter, special), { maxLength: 7 }).map((parts) => parts.join(''));
    let matching = 0;
    const property = fc.property(text, pattern, (value, wanted) => {
      const expected = matches(value, wanted);
      if (expected) matching += 1;
      return like(value, wanted) === expected;
    });
    fc.assert(property, { seed: 7, numRuns: 30_000 });
    expect(matching).toBeGreaterThan(2_000);
  });

  test('long segments are found like short ones', () => {
    const long = fc.array(fc.constantFrom('a', 'b'), { minLength: 33, maxLength: 48 }).map((parts) => parts.join(''));
    const property = fc.property(
      long,
      fc.nat(47),
      fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 60 }),
      (core, hole, around) => {
        const wild = `${core.slice(0, hole)}_${core.slice(hole + 1)}`;
        for (const text of [around + core + around, core.slice(1) + around, core + core]) {
          expect(like(text, `%${core}%`)).toBe(text.includes(core));
          expect(like(text, `%${wild}%`)).toBe(matches(text, `%${wild}%`));
        }
      },
    );
    fc.assert(property, { seed: 7, numRuns: 500 });
  });

  /** Sixteen million characters: whatever starts again at each of them would need minutes. */
  test.each([
    ['one letter amiss', 'a'.repeat(2 ** 24), `%${'a'.repeat(4_000)}b${'a'.repeat(4_000)}%`],
    ['a late mismatch', 'a'.repeat(2 ** 24), `%b${'a'.repeat(8_000)}%`],
    ['periods', 'ab'.repeat(2 ** 23), `%${'ab'.repeat(2_000)}b${'ab'.repeat(2_000)}%`],
    ['many segments', 'a'.repeat(2 ** 24), `${'%a'.repeat(4_000)}%b%`],
    ['wild segments', 'a'.repeat(2 ** 22), `${'%a_'.repeat(2_000)}%_b%`],
    ['a wild segment', 'a'.repeat(2 ** 22), `%${'a_'.repeat(127)}b%`],
  ])('takes time linear in the text: %s', (_, text, pattern) => {
    expect(like(text, pattern)).toBe(false);
  });
});
