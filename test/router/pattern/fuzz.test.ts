import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { MeshEvent } from '../../../src/core/event.ts';
import type { Pattern } from '../../../src/core/routing.ts';
import { explainPattern } from '../../../src/router/pattern/explain.ts';
import { PatternError } from '../../../src/router/pattern/finding.ts';
import { checkPattern, parsePattern } from '../../../src/router/pattern/parse.ts';
import { compilePattern } from '../../../src/router/pattern/public.ts';
import { anyBody, anyFields } from './arbitrary.ts';

const SEED = 20_251_123;
const count = { raw: 0, valid: 0, explained: 0 };
const OPERATORS = [
  'prefix',
  'suffix',
  'anything-but',
  'numeric',
  'exists',
  'wildcard',
  'cidr',
  '$or',
  'equals-ignore-case',
];

const event = (text: string): MeshEvent =>
  new MeshEvent({ id: '1', source: '/t', type: 't', datacontenttype: 'application/json', data: Buffer.from(text) });

const { raw } = fc.letrec<{ raw: unknown }>((tie) => ({
  raw: fc.oneof(
    { depthSize: 'medium' },
    fc.constantFrom<unknown>('a', '', 'a*b', '10.0.0.0/8', '>', 5, 0, -1.5, Number.NaN, true, null, undefined),
    fc.anything(),
    fc.array(tie('raw'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...OPERATORS, 'data', 'a', 'type', '__proto__'), tie('raw'), { maxKeys: 3 }),
  ),
}));

describe('any pattern', () => {
  afterAll(() => {
    process.stdout.write(
      `pattern fuzz: ${count.raw} random values read (${count.valid} were patterns), ${count.explained} random patterns ` +
        'explained as they match: no crash\n',
    );
  });

  test('is refused with its place, or matches and explains', () => {
    const property = fc.property(raw, anyBody, (value, body) => {
      const pattern = { data: value } as Pattern;
      count.raw += 1;
      checkPattern(value);
      try {
        const compiled = compilePattern(pattern);
        count.valid += 1;
        compiled.test(event(body));
        explainPattern(parsePattern(pattern), event(body));
      } catch (error) {
        if (!(error instanceof PatternError)) throw error;
        expect(checkPattern(pattern).some(({ severity }) => severity === 'error')).toBe(true);
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 10_000 });
  });

  test('is explained exactly where it does not match', () => {
    const property = fc.property(anyFields, anyBody, (data, body) => {
      const pattern = { data } as Pattern;
      const matches = compilePattern(pattern).test(event(body));
      count.explained += 1;
      if ((explainPattern(parsePattern(pattern), event(body)) === undefined) !== matches) throw new Error(`${matches}`);
    });
    fc.assert(property, { seed: SEED + 1, numRuns: 10_000 });
  });

  test('the costliest patterns on the costliest bodies end', () => {
    const long = 'a'.repeat(1_000_000);
    const wildcards = Array.from({ length: 64 }, (_, n) => ({ wildcard: `*${'a'.repeat(40 + n)}b*a*` }));
    const folded = Array.from({ length: 2_000 }, (_, n) => ({ suffix: { 'equals-ignore-case': `b${n}` } }));
    const pattern = compilePattern({
      data: { a: [...wildcards, ...folded, { 'equals-ignore-case': 'A'.repeat(4_000) }] },
    });
    expect(pattern.test(event(JSON.stringify({ a: long })))).toBe(false);
    expect(pattern.test(event(JSON.stringify({ a: Array.from({ length: 1_000 }, () => 'ab') })))).toBe(false);
    const deep = compilePattern({ data: { a: { a: { a: ['x'] } } } });
    expect(deep.test(event(`${'{"a":['.repeat(20_000)}1${']}'.repeat(20_000)}`))).toBe(false);
  });
});
