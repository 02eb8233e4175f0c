import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { MeshEvent } from '../../../src/core/event.ts';
import { attributeText } from '../../../src/router/attribute.ts';
import { compileCesql } from '../../../src/router/cesql/expression.ts';
import { type CesqlTerm, cesqlTerms } from '../../../src/router/cesql/terms.ts';
import { anyTree } from './arbitrary.ts';
import { anyConjunction, anyEvent, anyFewEvent } from './events.ts';
import { print } from './print.ts';

const count = { true: 0, terms: 0 };

function holds({ attribute, op, value }: CesqlTerm, event: MeshEvent): boolean {
  const found = event.attribute(attribute);
  if (found === undefined) return false;
  const text = attributeText(found);
  return op === 'exact' ? text === value : op === 'prefix' ? text.startsWith(value) : text.endsWith(value);
}

describe('terms of an expression', () => {
  afterAll(() => {
    process.stdout.write(`CESQL terms: ${count.terms} of ${count.true} random expressions that were true: all held\n`);
  });

  test.each([
    ["type = 'a'", ['type exact a']],
    ["'a' = type", ['type exact a']],
    ["(((Type)) = ('a'))", ['type exact a']],
    ["type IN ('a')", ['type exact a']],
    ["type LIKE 'a'", ['type exact a']],
    ["type LIKE 'a%'", ['type prefix a']],
    ["type LIKE '%a'", ['type suffix a']],
    ["type LIKE 'a%b_c%d\\%'", ['type prefix a', 'type suffix d%']],
    ["type LIKE 'a_b'", ['type prefix a', 'type suffix b']],
    ["type LIKE 'a_b%c_d'", ['type prefix a', 'type suffix d']],
    ["type LIKE '%a%'", []],
    ["type LIKE '%'", []],
    ["type = 'a' AND (source LIKE '/p%' AND hop < 5) AND (id = 'x' OR id = 'y')", ['type exact a', 'source prefix /p']],
    ["type = 'a' OR source = 'b'", []],
    ["type = 'a' XOR source = 'b'", []],
    ["NOT (type = 'a')", []],
    ["type != 'a'", []],
    ["type NOT IN ('a')", []],
    ["type NOT LIKE 'a%'", []],
    ["type IN ('a', 'b')", []],
    ['hop = 5', []], // '05' is equal to 5
    ['flag = TRUE', []],
    ["hop = '05'", ['hop exact 05']], // compared as text
    ["'05' = hop", []], // an Integer hop is 5
    ["'5' = hop", ['hop exact 5']],
    ["'TRUE' = flag", []],
    ["flag IN ('true')", ['flag exact true']],
    ["type = id AND 'a' = 'a'", []],
    ["LOWER(type) = 'a'", []],
  ])('%s', (text, expected) => {
    expect(cesqlTerms(text).map(({ attribute, op, value }) => `${attribute} ${op} ${value}`)).toEqual(expected);
  });

  test('all hold whenever the expression is true', () => {
    const trees = fc.tuple(
      anyTree.map((tree) => print(tree)),
      anyEvent,
    );
    const conjunctions = fc.tuple(anyConjunction, anyFewEvent);
    const property = fc.property(fc.oneof({ arbitrary: conjunctions, weight: 3 }, trees), ([text, event]) => {
      const terms = cesqlTerms(text);
      if (compileCesql(text).evaluate(event).value !== true) return;
      count.true += 1;
      count.terms += terms.length;
      for (const term of terms) expect({ text, term, held: holds(term, event) }).toEqual({ text, term, held: true });
    });
    fc.assert(property, { seed: 5, numRuns: 40_000 });
    expect(count.terms).toBeGreaterThan(1_000);
  });
});
