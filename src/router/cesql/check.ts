import { childrenOf, type LogicNode, type Node, type Type, ungrouped } from './ast.ts';
import { castBoolean, castInteger } from './casts.ts';
import { functionOf, SIGNATURES } from './functions.ts';
import { CesqlParseError, type Position, positionAt } from './parse-error.ts';
import { parseCesql } from './parser.ts';
import { staticType } from './types.ts';

/** A mistake (error) or a risk (warning) in an expression that is meant as a condition. */
export interface CesqlFinding {
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
  readonly position: Position;
  readonly hint: string | undefined;
}

/**
 * Checks an expression that is meant as a condition: everything that is wrong with it, in the order of the text. Stricter
 * than the language: what CESQL would evaluate, but surely not as meant, is told of too. Throws nothing.
 */
export function checkCesql(text: string): readonly CesqlFinding[] {
  try {
    return findingsOf(parseCesql(text), text);
  } catch (error) {
    if (!(error instanceof CesqlParseError)) throw error;
    const { code, reason, position, hint } = error;
    return [{ severity: 'error', code, message: reason, position, hint }];
  }
}

/** {@link checkCesql} on a tree. */
export function findingsOf(root: Node, text: string): readonly CesqlFinding[] {
  const found: CesqlFinding[] = [];
  const tell: Tell = (severity, code, at, message, hint) => {
    found.push({ severity, code, message, position: positionAt(text, at), hint });
  };
  checkRoot(root, tell);
  const open = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    checkNode(node, tell);
    open.push(...childrenOf(node));
  }
  return found.sort((a, b) => a.position.offset - b.position.offset);
}

type Tell = (severity: 'error' | 'warning', code: string, at: number, message: string, hint?: string) => void;

function checkRoot(root: Node, tell: Tell): void {
  const inner = ungrouped(root);
  const type = staticType(root);
  if (type === 'string' || type === 'integer') {
    const name = type === 'string' ? 'a String' : 'an Integer';
    tell('error', 'E_CESQL_NOT_BOOLEAN', inner.at, `the expression gives ${name}, so it never matches`);
  }
  if (inner.kind === 'attribute' && inner.name !== 'data') {
    const message = `"${inner.name}" alone matches a Boolean only; from a header it is a String`;
    tell('warning', 'W_CESQL_BARE_ATTRIBUTE', inner.at, message, `write ${inner.name} = TRUE`);
  }
}

function checkNode(node: Node, tell: Tell): void {
  switch (node.kind) {
    case 'attribute':
    case 'exists':
      if (node.name === 'data')
        tell('error', 'E_CESQL_DATA', node.at, 'the data of an event cannot be read by CESQL', 'use a pattern');
      break;
    case 'call':
      checkCall(node, tell);
      break;
    case 'logic':
      for (const operand of node.operands) {
        checkMix(operand, node, tell);
        checkCast(operand, 'boolean', tell);
      }
      break;
    case 'not':
      checkCast(node.operand, 'boolean', tell);
      break;
    case 'negate':
      checkCast(node.operand, 'integer', tell);
      break;
    case 'like':
      checkNot(node.operand, 'LIKE', tell);
      break;
    case 'in':
      checkNot(node.operand, 'IN', tell);
      break;
    case 'compare':
    case 'arithmetic':
      checkNot(node.left, node.operator, tell);
      if (node.operator === '=' || node.operator === '!=') checkCast(node.left, staticType(node.right), tell);
      else for (const operand of [node.left, node.right]) checkCast(operand, 'integer', tell);
      break;
  }
}

function checkMix(operand: Node, { at, operator }: LogicNode, tell: Tell): void {
  if (operand.kind !== 'logic') return;
  const message = `${operand.operator} and ${operator} bind alike, and implementations differ in which goes first`;
  tell('error', 'E_CESQL_MIXED', at, message, 'use parentheses');
}

function checkCall({ at, name, args }: Node & { kind: 'call' }, tell: Tell): void {
  const found = functionOf(name, args.length);
  if (found !== undefined) {
    for (const [index, arg] of args.entries()) checkCast(arg, found.parameters[index], tell);
    return;
  }
  const alike = SIGNATURES.filter((signature) => signature.startsWith(`${name}(`));
  if (alike.length > 0) {
    const message = `${name} does not take ${args.length} argument${args.length === 1 ? '' : 's'}`;
    tell('error', 'E_CESQL_FUNCTION', at, message, `write ${alike.join(' or ')}`);
  } else {
    tell('error', 'E_CESQL_FUNCTION', at, `there is no function ${name}`, `known: ${SIGNATURES.join(', ')}`);
  }
}

/** `NOT type = 'x'` is `(NOT type) = 'x'`: NOT takes only what stands right after it. */
function checkNot(left: Node, operator: string, tell: Tell): void {
  if (left.kind !== 'not') return;
  const hint =
    operator === 'LIKE' || operator === 'IN' ? `write x NOT ${operator} …, or NOT (x ${operator} …)` : undefined;
  const message = `NOT binds tighter than ${operator}: this is (NOT …) ${operator} …`;
  tell('warning', 'W_CESQL_NOT', left.at, message, hint ?? `write NOT (… ${operator} …)`);
}

/** Warns of operands that can never be cast as they are: most often a time or a word that is compared by `<`. */
function checkCast(node: Node, type: Type | undefined, tell: Tell): void {
  if (type === undefined || type === 'string') return;
  const inner = ungrouped(node);
  const name = type === 'integer' ? 'an Integer' : 'a Boolean';
  if (inner.kind === 'attribute' && inner.name === 'time')
    tell('warning', 'W_CESQL_CAST', inner.at, `time is used as ${name}, so this fails for every event`);
  if (inner.kind !== 'literal' || typeof inner.value !== 'string') return;
  const cast = type === 'integer' ? castInteger(inner.value) : castBoolean(inner.value);
  if (typeof cast === 'object')
    tell('warning', 'W_CESQL_CAST', inner.at, `this text is used as ${name}, so it fails for every event`);
}
