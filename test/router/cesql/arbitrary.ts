import fc from 'fast-check';
import type { Node } from '../../../src/router/cesql/ast.ts';
import { parseLike } from '../../../src/router/cesql/like.ts';
import { integer, text } from './events.ts';

const PATTERNS = [
  '',
  '%',
  'a%',
  '%b',
  'a%b',
  '%a%',
  '_',
  '__',
  '_%',
  '%_',
  'a_b',
  '%a_%',
  '%_b%',
  'a\\%b',
  'a\\_b',
  'com.%',
  '%😀_',
];
const NAMES = [
  'id',
  'source',
  'type',
  'subject',
  'time',
  'dataschema',
  'datacontenttype',
  'specversion',
  'ext',
  'ext2',
  '1x',
  'missing',
];
/** With the numbers of arguments they take, mostly. */
const FUNCTIONS: readonly [string, number][] = [
  ['INT', 1],
  ['BOOL', 1],
  ['STRING', 1],
  ['ABS', 1],
  ['LENGTH', 1],
  ['LOWER', 1],
  ['UPPER', 1],
  ['TRIM', 1],
  ['LEFT', 2],
  ['RIGHT', 2],
  ['SUBSTRING', 2],
  ['SUBSTRING', 3],
  ['CONCAT', 0],
  ['CONCAT', 2],
  ['CONCAT_WS', 1],
  ['CONCAT_WS', 3],
  ['CONCAT_WS', 0],
  ['ABS', 2],
  ['NONE', 1],
];

const name = fc.constantFrom(...NAMES);
const at = fc.constant(0);

/** Whole trees, without parentheses: the printer adds those that are needed. */
export const anyTree: fc.Arbitrary<Node> = fc.letrec<{ node: Node; leaf: Node }>((tie) => {
  const node = tie('node');
  return {
    leaf: fc.oneof(
      fc.record({ kind: fc.constant('literal' as const), at, value: fc.oneof(text, integer, integer, fc.boolean()) }),
      fc.record({ kind: fc.constant('attribute' as const), at, name }),
      fc.record({ kind: fc.constant('exists' as const), at, name }),
    ),
    node: fc.oneof(
      { maxDepth: 5, depthIdentifier: 'cesql' },
      tie('leaf'),
      fc.record({ kind: fc.constantFrom('not' as const, 'negate' as const), at, operand: node }),
      fc.record({
        kind: fc.constant('logic' as const),
        at,
        operator: fc.constantFrom('AND' as const, 'OR' as const, 'XOR' as const),
        operands: fc.array(node, { minLength: 2, maxLength: 3 }),
      }),
      fc.record({
        kind: fc.constant('compare' as const),
        at,
        operator: fc.constantFrom(
          '=' as const,
          '=' as const,
          '!=' as const,
          '<' as const,
          '<=' as const,
          '>' as const,
          '>=' as const,
        ),
        left: node,
        right: node,
      }),
      fc.record({
        kind: fc.constant('arithmetic' as const),
        at,
        operator: fc.constantFrom('+' as const, '-' as const, '*' as const, '/' as const, '%' as const),
        left: node,
        right: node,
      }),
      fc.record({
        kind: fc.constant('like' as const),
        at,
        negated: fc.boolean(),
        operand: node,
        pattern: fc.constantFrom(...PATTERNS).map(parseLike),
      }),
      fc.record({
        kind: fc.constant('in' as const),
        at,
        negated: fc.boolean(),
        operand: node,
        set: fc.array(node, { minLength: 1, maxLength: 3 }),
      }),
      fc.constantFrom(...FUNCTIONS).chain(([name, arity]) =>
        fc.record({
          kind: fc.constant('call' as const),
          at,
          name: fc.constant(name),
          args: fc.array(node, { minLength: arity, maxLength: arity }),
        }),
      ),
    ),
  };
}).node;

/** Texts that look like expressions, and some that do not. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc
    .array(
      fc.constantFrom(
        ...[
          '(',
          ')',
          ',',
          '=',
          '!=',
          '<>',
          '<',
          '<=',
          '>',
          '>=',
          '+',
          '-',
          '*',
          '/',
          '%',
          'AND',
          'or',
          'XOR',
          'not',
          'LIKE',
          'in',
          'EXISTS',
        ],
        ...[
          'true',
          'FALSE',
          '1',
          '42',
          '2147483648',
          '99999999999999999999',
          'type',
          'Ext',
          '1x',
          'a_b',
          'data',
          'CONCAT',
          'int',
          'LENGTH',
          'foo1',
        ],
        ...[
          "'a'",
          '"b"',
          "'%a_'",
          "''",
          '""',
          "'it\\'s'",
          "'",
          '"',
          '\\',
          '!',
          '&&',
          '.',
          ';',
          '\u00a0',
          '\n',
          '😀',
          '\ud800',
          '__proto__',
        ],
      ),
      { maxLength: 24 },
    )
    .chain((parts) => fc.constantFrom(' ', '').map((space) => parts.join(space))),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 60 }),
);
