import { type Node, ungrouped } from '../../../src/router/cesql/ast.ts';

const POWERS = { logic: 1, compare: 2, '+': 3, '-': 3, '*': 4, '/': 4, '%': 4, postfix: 5, unary: 6 } as const;

/** A tree as text, with no more parentheses than it needs: what the parser must read back as the same tree. */
export function print(node: Node, least = 1): string {
  const text = printed(node);
  return powerOf(node) < least ? `(${text})` : text;
}

function printed(node: Node): string {
  switch (node.kind) {
    case 'literal':
      return typeof node.value === 'string' ? quoted(node.value) : String(node.value);
    case 'attribute':
      return node.name;
    case 'exists':
      return `EXISTS ${node.name}`;
    case 'group':
      return `(${print(node.inner)})`;
    case 'not':
      return `NOT ${print(node.operand, POWERS.unary)}`;
    case 'negate': {
      // Without parentheses, the sign would become a part of the number.
      const number = node.operand.kind === 'literal' && typeof node.operand.value === 'number';
      return number ? `-(${print(node.operand)})` : `-${print(node.operand, POWERS.unary)}`;
    }
    case 'call':
      return `${node.name}(${node.args.map((arg) => print(arg)).join(', ')})`;
    case 'logic': {
      const { operator, operands } = node;
      const [first, ...rest] = operands as [Node, ...Node[]];
      const open = first.kind === 'logic' && first.operator !== operator;
      return [
        print(first, open ? POWERS.logic : POWERS.compare),
        ...rest.map((one) => print(one, POWERS.compare)),
      ].join(` ${operator} `);
    }
    case 'compare':
      return `${print(node.left, POWERS.compare)} ${node.operator} ${print(node.right, POWERS.compare + 1)}`;
    case 'arithmetic': {
      const power = POWERS[node.operator];
      return `${print(node.left, power)} ${node.operator} ${print(node.right, power + 1)}`;
    }
    case 'like':
      return `${print(node.operand, POWERS.postfix)} ${node.negated ? 'NOT ' : ''}LIKE ${quoted(node.pattern.text)}`;
    case 'in': {
      const set = node.set.map((one) => print(one)).join(', ');
      return `${print(node.operand, POWERS.postfix)} ${node.negated ? 'NOT ' : ''}IN (${set})`;
    }
  }
}

function powerOf(node: Node): number {
  switch (node.kind) {
    case 'logic':
    case 'compare':
      return POWERS[node.kind];
    case 'arithmetic':
      return POWERS[node.operator];
    case 'like':
    case 'in':
      return POWERS.postfix;
    default:
      return POWERS.unary;
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "\\'")}'`;
}

/** A tree without parentheses and offsets, to compare. */
export function bare(node: Node): unknown {
  const inner = ungrouped(node);
  switch (inner.kind) {
    case 'not':
    case 'negate':
      return [inner.kind, bare(inner.operand)];
    case 'call':
      return ['call', inner.name, ...inner.args.map(bare)];
    case 'logic':
      return [inner.operator, ...inner.operands.map(bare)];
    case 'compare':
    case 'arithmetic':
      return [inner.operator, bare(inner.left), bare(inner.right)];
    case 'like':
      return ['like', inner.negated, bare(inner.operand), inner.pattern.text];
    case 'in':
      return ['in', inner.negated, bare(inner.operand), ...inner.set.map(bare)];
    case 'literal':
      return ['literal', inner.value];
    default:
      return [inner.kind, (inner as { name: string }).name];
  }
}
