import type { MeshEvent } from '../../../src/core/event.ts';
import type { CesqlValue, Node } from '../../../src/router/cesql/ast.ts';
import type { CesqlErrorKind } from '../../../src/router/cesql/failure.ts';

/** What the text of the specification says, word by word and slowly: the oracle for the compiled expressions. */
export function interpret(node: Node, event: MeshEvent): { value: CesqlValue; error?: CesqlErrorKind } {
  try {
    return { value: evaluated(node, event) };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { value: error.value ?? zeroOf(node), error: error.kind };
  }
}

class Fault extends Error {
  readonly kind: CesqlErrorKind;
  readonly value: CesqlValue | undefined;
  constructor(kind: CesqlErrorKind, value?: CesqlValue) {
    super(kind);
    this.kind = kind;
    this.value = value;
  }
}

const INTEGER_FUNCTIONS = ['INT/1', 'ABS/1', 'LENGTH/1'];
const KNOWN = [
  ...INTEGER_FUNCTIONS,
  'BOOL/1',
  'STRING/1',
  'LOWER/1',
  'UPPER/1',
  'TRIM/1',
  'LEFT/2',
  'RIGHT/2',
  'SUBSTRING/2',
  'SUBSTRING/3',
];

function zeroOf(node: Node): CesqlValue {
  if (node.kind === 'negate' || node.kind === 'arithmetic') return 0;
  if (node.kind === 'literal') return node.value;
  if (node.kind !== 'call') return false;
  const key = `${node.name}/${node.args.length}`;
  if (INTEGER_FUNCTIONS.includes(key)) return 0;
  return key === 'BOOL/1' || !isKnown(node.name, node.args.length) ? false : '';
}

function isKnown(name: string, count: number): boolean {
  return KNOWN.includes(`${name}/${count}`) || name === 'CONCAT' || (name === 'CONCAT_WS' && count > 0);
}

/** An operand that fails does so for its operator, which has its own zero value. */
function operand(node: Node, event: MeshEvent): CesqlValue {
  try {
    return evaluated(node, event);
  } catch (error) {
    throw error instanceof Fault ? new Fault(error.kind) : error;
  }
}

function evaluated(node: Node, event: MeshEvent): CesqlValue {
  switch (node.kind) {
    case 'literal':
      return node.value;
    case 'group':
      return evaluated(node.inner, event);
    case 'attribute':
      return attributeOf(node.name, event);
    case 'exists':
      return event.attribute(node.name) !== undefined;
    case 'not':
      return !toBoolean(operand(node.operand, event));
    case 'negate':
      return integer(-BigInt(toInteger(operand(node.operand, event))));
    case 'logic': {
      let result = toBoolean(operand(node.operands[0] as Node, event));
      for (const next of node.operands.slice(1)) {
        if (node.operator === 'AND' && !result) return false;
        if (node.operator === 'OR' && result) return true;
        const value = toBoolean(operand(next, event));
        result = node.operator === 'XOR' ? result !== value : value;
      }
      return result;
    }
    case 'compare': {
      const ordered = node.operator !== '=' && node.operator !== '!=';
      if (!ordered) {
        const left = operand(node.left, event);
        return equal(left, operand(node.right, event)) === (node.operator === '=');
      }
      const left = toInteger(operand(node.left, event));
      const right = toInteger(operand(node.right, event));
      if (left === right) return node.operator.endsWith('=');
      return left < right === node.operator.startsWith('<');
    }
    case 'arithmetic': {
      const left = BigInt(toInteger(operand(node.left, event)));
      const right = BigInt(toInteger(operand(node.right, event)));
      if (node.operator === '+') return integer(left + right);
      if (node.operator === '-') return integer(left - right);
      if (node.operator === '*') return integer(left * right);
      if (right === 0n) throw new Fault('math');
      return integer(node.operator === '/' ? left / right : left % right);
    }
    case 'like':
      return matches(toText(operand(node.operand, event)), node.pattern.text) !== node.negated;
    case 'in': {
      const value = operand(node.operand, event);
      return node.set.some((element) => equal(operand(element, event), value)) !== node.negated;
    }
    case 'call':
      return callOf(node.name, node.args, event);
  }
}

function attributeOf(name: string, event: MeshEvent): CesqlValue {
  const value = event.attribute(name);
  if (value === undefined) throw new Fault('missingAttribute');
  if (Buffer.isBuffer(value)) return value.toString('base64');
  if (typeof value === 'number')
    return Number.isInteger(value) && Math.abs(value) < 2 ** 31 + (value < 0 ? 1 : 0)
      ? Number(String(value))
      : String(value);
  return value;
}

function callOf(name: string, nodes: readonly Node[], event: MeshEvent): CesqlValue {
  if (!isKnown(name, nodes.length)) throw new Fault('missingFunction');
  const integers = ['INT', 'ABS'].includes(name) ? [0] : ['LEFT', 'RIGHT', 'SUBSTRING'].includes(name) ? [1, 2] : [];
  const args = nodes.map((node, index) => {
    const value = operand(node, event);
    return name === 'BOOL' ? toBoolean(value) : integers.includes(index) ? toInteger(value) : toText(value);
  });
  const [first, second, third] = args as [CesqlValue, number, number | undefined];
  const points = [...String(first)];
  switch (name) {
    case 'ABS':
      if (first === -2147483648) throw new Fault('math', 2147483647);
      return Math.abs(first as number);
    case 'LENGTH':
      return points.length;
    case 'LOWER':
      return String(first).toLowerCase();
    case 'UPPER':
      return String(first).toUpperCase();
    case 'TRIM':
      return String(first).replace(/^\p{White_Space}+|\p{White_Space}+$/gu, '');
    case 'CONCAT':
      return args.join('');
    case 'CONCAT_WS':
      return args.slice(1).join(String(first));
    case 'LEFT':
      if (second < 0) throw new Fault('functionEvaluation', first);
      return points.slice(0, second).join('');
    case 'RIGHT':
      if (second < 0) throw new Fault('functionEvaluation', first);
      return points.slice(Math.max(0, points.length - second)).join('');
    case 'SUBSTRING': {
      if (third !== undefined && third < 0) throw new Fault('functionEvaluation');
      if (second === 0) return '';
      if (Math.abs(second) > points.length) throw new Fault('functionEvaluation');
      const rest = points.slice(second > 0 ? second - 1 : second);
      return rest.slice(0, third ?? rest.length).join('');
    }
    default:
      return first;
  }
}

function equal(left: CesqlValue, right: CesqlValue): boolean {
  if (typeof right === 'string') return toText(left) === right;
  return (typeof right === 'number' ? toInteger(left) : toBoolean(left)) === right;
}

function toText(value: CesqlValue): string {
  return String(value);
}

function toInteger(value: CesqlValue): number {
  if (typeof value !== 'string') return Number(value);
  if (!/^[+-]?[0-9]+$/.test(value)) throw new Fault('cast');
  const number = BigInt(value.replace('+', ''));
  if (number !== BigInt.asIntN(32, number)) throw new Fault('cast');
  return Number(number);
}

function toBoolean(value: CesqlValue): boolean {
  if (typeof value !== 'string') return Boolean(value);
  if (!/^(?:true|false)$/i.test(value)) throw new Fault('cast');
  return value.toLowerCase() === 'true';
}

function integer(value: bigint): number {
  if (value !== BigInt.asIntN(32, value)) throw new Fault('math');
  return Number(value);
}

/** LIKE by the table of all prefixes. */
export function matches(text: string, pattern: string): boolean {
  const points = [...text];
  let row = [true, ...points.map(() => false)];
  for (const [token] of pattern.matchAll(/\\[%_]|[\s\S]/gu)) {
    if (token === '%') {
      const first = row.indexOf(true);
      row = row.map((_, index) => first >= 0 && index >= first);
    } else {
      const wanted = token.length > 1 && token.startsWith('\\') ? token.slice(1) : token;
      row = row.map(
        (_, index) => index > 0 && row[index - 1] === true && (token === '_' || points[index - 1] === wanted),
      );
    }
  }
  return row.at(-1) === true;
}
