import type { TokenKind } from './lexer.ts';

/** How tightly the operators bind (§3.6); unary ones take nothing but what stands right after them. */
export const LOGIC = 1;
export const COMPARE = 2;
const ADD = 3;
const MULTIPLY = 4;
export const POSTFIX = 5;
export const UNARY = 6;

export const POWERS: ReadonlyMap<TokenKind, number> = new Map<TokenKind, number>([
  ['AND', LOGIC],
  ['OR', LOGIC],
  ['XOR', LOGIC],
  ['=', COMPARE],
  ['!=', COMPARE],
  ['<', COMPARE],
  ['<=', COMPARE],
  ['>', COMPARE],
  ['>=', COMPARE],
  ['+', ADD],
  ['-', ADD],
  ['*', MULTIPLY],
  ['/', MULTIPLY],
  ['%', MULTIPLY],
  ['LIKE', POSTFIX],
  ['IN', POSTFIX],
  ['NOT', POSTFIX],
]);
