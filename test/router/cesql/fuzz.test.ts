import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { MeshEvent } from '../../../src/core/event.ts';
import { checkCesql } from '../../../src/router/cesql/check.ts';
import { compileCesql } from '../../../src/router/cesql/expression.ts';
import { CesqlParseError } from '../../../src/router/cesql/parse-error.ts';
import { parseCesql } from '../../../src/router/cesql/parser.ts';
import { cesqlCondition } from '../../../src/router/index/cesql-condition.ts';
import { anyText, anyTree } from './arbitrary.ts';
import { anyEvent } from './events.ts';
import { interpret } from './oracle.ts';
import { bare, print } from './print.ts';

const SEED = 20_240_613;
const count = { texts: 0, parsed: 0, evaluated: 0, failed: 0 };

describe('any expression', () => {
  afterAll(() => {
    process.stdout.write(
      `CESQL fuzz: ${count.texts} random texts (${count.parsed} were expressions) and ${count.evaluated} random expressions ` +
        `against the oracle (${count.failed} with an error): no crash, no difference\n`,
    );
  });

  test('a text is refused with a position, or gives a value for every event', () => {
    const property = fc.property(anyText, anyEvent, (text, event) => {
      count.texts += 1;
      const findings = checkCesql(text);
      if (findings.some(({ position }) => position.offset > text.length)) throw new Error('a position outside');
      try {
        const { value } = compileCesql(text).evaluate(event);
        cesqlCondition(parseCesql(text));
        count.parsed += 1;
        if (typeof value === 'number' && !Object.is(value | 0, value)) throw new Error(`${value} is not an Integer`);
      } catch (error) {
        if (!(error instanceof CesqlParseError)) throw error;
        if (findings.length !== 1 || findings[0]?.code !== 'E_CESQL_PARSE') expect(findings).toEqual(['a parse error']);
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 30_000 });
  });

  test('a tree, printed, is read back as the same tree', () => {
    const property = fc.property(anyTree, (tree) => {
      expect(bare(parseCesql(print(tree)))).toEqual(bare(tree));
    });
    fc.assert(property, { seed: SEED, numRuns: 10_000 });
  });

  test('a tree gives what the oracle gives, value and error', () => {
    const events = fc.tuple(anyEvent, anyEvent, anyEvent);
    const property = fc.property(anyTree, events, (tree, three) => {
      const expression = compileCesql(print(tree));
      for (const event of three) {
        count.evaluated += 1;
        const { value, error } = expression.evaluate(event);
        if (error !== undefined) count.failed += 1;
        const expected = interpret(tree, event);
        // Assertions are slow: only where there is something to tell.
        if (Object.is(value, expected.value) && error?.kind === expected.error) continue;
        expect({ value, error: error?.kind }).toEqual(expected);
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 30_000 });
  });
});

/** Each would overflow the stack, fill the memory or take minutes if its cost were not linear in its size. */
describe('adversaries', () => {
  const event = new MeshEvent({ id: '1', source: '/', type: 'a'.repeat(2 ** 20) });

  test.each([
    ['parentheses', `${'('.repeat(4_000)}1${')'.repeat(4_000)}`],
    ['open parentheses', '('.repeat(8_000)],
    ['NOT', `${'NOT '.repeat(2_000)}TRUE`],
    ['signs', `${'-'.repeat(8_000)}1`],
    ['calls', `${'ABS('.repeat(1_600)}1${')'.repeat(1_600)}`],
    ['sets', `${'1 IN ('.repeat(1_100)}1${')'.repeat(1_100)}`],
    ['sums', `1${'+1'.repeat(4_000)}`],
    ['comparisons', `1${'=1'.repeat(4_000)}`],
    ['a mix', `1${' AND 1 OR 1'.repeat(700)}`],
    ['postfixes', `1${' IN (1)'.repeat(1_000)}`],
  ])('nesting is bounded: %s', (_, text) => {
    expect(() => compileCesql(text)).toThrow(/nested more than 128 levels deep/);
  });

  test.each([
    ['a chain of AND', `type != 'x'${' AND 1'.repeat(1_300)}`, true],
    ['a chain of OR', `FALSE${' OR FALSE'.repeat(900)}`, false],
    ['a chain of XOR', `TRUE${' XOR FALSE'.repeat(800)}`, true],
    ['a large set', `5 IN (1${', 1'.repeat(2_700)})`, false],
    ['many arguments', `LENGTH(CONCAT(1${', 1'.repeat(2_700)}))`, 2_701],
    ['a long number', '0'.repeat(8_192), 0],
  ])('length costs no depth: %s', (_, text, value) => {
    expect(compileCesql(text).evaluate(event)).toEqual({ value });
  });

  test('the text is at most 8 KiB', () => {
    expect(() => compileCesql(`'${'a'.repeat(8_191)}'`)).toThrow(/more than 8192 characters/);
    expect(compileCesql(`'${'a'.repeat(8_190)}'`).evaluate(event).value).toHaveLength(8_190);
  });

  test('texts cannot be doubled until the memory is full', () => {
    const text = `LENGTH(CONCAT(${Array.from({ length: 500 }, () => 'CONCAT(type)').join(', ')}))`;
    expect(compileCesql(text).evaluate(event)).toMatchObject({ value: 0, error: { kind: 'functionEvaluation' } });
    expect(compileCesql("CONCAT(type, 'b')").evaluate(event)).toMatchObject({ value: '' });
    expect(compileCesql('LENGTH(CONCAT(type))').evaluate(event)).toEqual({ value: 2 ** 20 });
    const sharp = new MeshEvent({ id: '1', source: '/', type: 'ß'.repeat(2 ** 20) });
    expect(compileCesql('UPPER(type)').evaluate(sharp)).toMatchObject({ error: { kind: 'functionEvaluation' } });
  });
});
