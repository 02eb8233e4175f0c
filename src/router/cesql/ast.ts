import type { LikePattern } from './like.ts';

/** A value of CESQL: String, Integer (32 bit, never `-0`) or Boolean. */
export type CesqlValue = string | number | boolean;

export type Type = 'string' | 'integer' | 'boolean';
export type LogicOperator = 'AND' | 'OR' | 'XOR';
/** `<>` is read as `!=`. */
export type CompareOperator = '=' | '!=' | '<' | '<=' | '>' | '>=';
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';

/** A syntax tree; `at` is the offset of a node's first character, or of its operator where it has two operands. */
export type Node =
  | { readonly kind: 'literal'; readonly at: number; readonly value: CesqlValue }
  | { readonly kind: 'attribute'; readonly at: number; readonly name: string }
  | { readonly kind: 'exists'; readonly at: number; readonly name: string }
  | { readonly kind: 'group'; readonly at: number; readonly inner: Node }
  | { readonly kind: 'not' | 'negate'; readonly at: number; readonly operand: Node }
  | { readonly kind: 'call'; readonly at: number; readonly name: string; readonly args: readonly Node[] }
  | LogicNode
  | {
      readonly kind: 'compare';
      readonly at: number;
      readonly operator: CompareOperator;
      readonly left: Node;
      readonly right: Node;
    }
  | {
      readonly kind: 'arithmetic';
      readonly at: number;
      readonly operator: ArithmeticOperator;
      readonly left: Node;
      readonly right: Node;
    }
  | {
      readonly kind: 'like';
      readonly at: number;
      readonly negated: boolean;
      readonly operand: Node;
      readonly pattern: LikePattern;
    }
  | {
      readonly kind: 'in';
      readonly at: number;
      readonly negated: boolean;
      readonly operand: Node;
      readonly set: readonly Node[];
    };

/** A chain of one logical operator is one node, so that its length costs no depth. */
export interface LogicNode {
  readonly kind: 'logic';
  readonly at: number;
  readonly operator: LogicOperator;
  readonly operands: readonly Node[];
}

/** The node inside any parentheses. */
export function ungrouped(node: Node): Node {
  let inner = node;
  while (inner.kind === 'group') inner = inner.inner;
  return inner;
}

/** The nodes directly below. */
export function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'group':
      return [node.inner];
    case 'not':
    case 'negate':
    case 'like':
      return [node.operand];
    case 'call':
      return node.args;
    case 'logic':
      return node.operands;
    case 'compare':
    case 'arithmetic':
      return [node.left, node.right];
    case 'in':
      return [node.operand, ...node.set];
    default:
      return [];
  }
}
