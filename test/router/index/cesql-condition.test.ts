import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { MeshEvent } from '../../../src/core/event.ts';
import { attributeText } from '../../../src/router/attribute.ts';
import { compileCesql } from '../../../src/router/cesql/expression.ts';
import { parseCesql } from '../../../src/router/cesql/parser.ts';
import { cesqlCondition } from '../../../src/router/index/cesql-condition.ts';
import type { Condition, Term } from '../../../src/router/index/condition.ts';
import { anyTree } from '../cesql/arbitrary.ts';
import { anyConjunction, anyEvent, anyFewEvent } from '../cesql/events.ts';
import { print } from '../cesql/print.ts';

const count = { true: 0, known: 0 };

function text(condition: Condition): string {
  if (condition.kind === 'unknown') return '?';
  if (condition.kind === 'term') return termText(condition.term);
  return `${condition.kind}(${condition.of.map(text).join(', ')})`;
}

function termText(term: Term): string {
  const name = term.field.kind === 'attribute' ? term.field.name : term.field.path.join('.');
  if (term.op === 'range') return `${name} ${term.low}…${term.high}`;
  return `${name} ${term.op}${term.op === 'present' ? '' : ` ${term.value}`}`;
}

function holds(condition: Condition, event: MeshEvent): boolean {
  switch (condition.kind) {
    case 'unknown':
      return true;
    case 'all':
      return condition.of.every((one) => holds(one, event));
    case 'any':
      return condition.of.some((one) => holds(one, event));
    case 'term':
      return termHolds(condition.term, event);
  }
}

function termHolds(term: Term, event: MeshEvent): boolean {
  const value = term.field.kind === 'attribute' ? event.attribute(term.field.name) : undefined;
  if (value === undefined) return false;
  const found = attributeText(value);
  switch (term.op) {
    case 'exact':
      return found === term.value;
    case 'prefix':
      return found.startsWith(term.value);
    case 'suffix':
      return found.endsWith(term.value);
    case 'contains':
      return found.includes(term.value);
    case 'range': {
      const number = typeof value === 'boolean' ? Number(value) : Number(found);
      return number >= term.low && number <= term.high;
    }
    default:
      return true;
  }
}

describe('what an expression asks for', () => {
  afterAll(() => {
    process.stdout.write(
      `CESQL conditions: ${count.true} random expressions that were true (${count.known} said more than nothing): all held\n`,
    );
  });

  test.each([
    ["type = 'a'", 'type exact a'],
    ["'a' = type", 'type exact a'],
    ["(((Type)) = ('a'))", 'type exact a'],
    ["type IN ('a', 'b')", 'any(type exact a, type exact b)'],
    ["type LIKE 'a'", 'type exact a'],
    ["type LIKE 'a%'", 'all(type prefix a)'],
    ["type LIKE '%a'", 'all(type suffix a)'],
    ["type LIKE 'a%b_c%d\\%'", 'all(type prefix a, type suffix d%, type contains b)'],
    ["type LIKE 'a_bcd'", 'all(type prefix a, type suffix bcd)'],
    ["type LIKE 'a%bc_d%e'", 'all(type prefix a, type suffix e, type contains bc)'],
    ["type LIKE '%abc%'", 'all(type contains abc)'],
    ["type LIKE '%'", 'type present'],
    ["type LIKE '__'", 'type present'],
    [
      "type = 'a' AND (source LIKE '/p%' AND hop < 5)",
      'all(type exact a, all(all(source prefix /p), hop -Infinity…4))',
    ],
    ["type = 'a' OR source = 'b'", 'any(type exact a, source exact b)'],
    ["type = 'a' XOR source = 'b'", 'any(type exact a, source exact b)'],
    ["NOT (type = 'a')", '?'],
    ["type != 'a'", '?'],
    ["type NOT IN ('a')", '?'],
    ["type NOT LIKE 'a%'", '?'],
    ['EXISTS type', 'type present'],
    ['hop = 5', 'hop 5…5'], // '05' is equal to 5
    ['hop = -5', 'hop -5…-5'],
    ['hop <= 5', 'hop -Infinity…5'],
    ['hop > 5', 'hop 6…Infinity'],
    ['5 > hop', 'hop -Infinity…4'],
    ['5 <= hop', 'hop 5…Infinity'],
    ["hop < '5'", 'hop present'],
    ['flag = TRUE', 'flag present'],
    ['flag IN (TRUE)', 'any(any(flag exact true, flag exact 1))'],
    ['hop IN (5)', 'any(any(hop exact 5, hop exact true))'],
    ["hop = '05'", 'hop exact 05'], // compared as text
    ["'05' = hop", 'hop present'], // an Integer hop is 5
    ["'5' = hop", 'hop exact 5'],
    ["'TRUE' = flag", 'flag present'],
    ['type = id', 'type present'],
    ["'a' = 'a'", '?'],
    ["LOWER(type) = 'a'", '?'],
    ['LENGTH(type) < 3', '?'],
  ])('%s', (expression, expected) => {
    expect(text(cesqlCondition(parseCesql(expression)))).toBe(expected);
  });

  test('holds whenever the expression is true', () => {
    const trees = fc.tuple(
      anyTree.map((tree) => print(tree)),
      anyEvent,
    );
    const conjunctions = fc.tuple(anyConjunction, anyFewEvent);
    const property = fc.property(fc.oneof({ arbitrary: conjunctions, weight: 3 }, trees), ([expression, event]) => {
      if (compileCesql(expression).evaluate(event).value !== true) return;
      const condition = cesqlCondition(parseCesql(expression));
      count.true += 1;
      if (condition.kind !== 'unknown') count.known += 1;
      expect({ expression, condition, held: holds(condition, event) }).toEqual({ expression, condition, held: true });
    });
    fc.assert(property, { seed: 5, numRuns: 40_000 });
    expect(count.known).toBeGreaterThan(1_000);
  });
});
