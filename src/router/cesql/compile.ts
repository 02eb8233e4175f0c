import type { MeshEvent } from '../../core/event.ts';
import type { Node, Type } from './ast.ts';
import { compileAttribute, compileExists } from './attributes.ts';
import { castBoolean, castInteger, castString, equals } from './casts.ts';
import { constant, type Evaluator } from './evaluator.ts';
import { Failure } from './failure.ts';
import { type CesqlFunction, functionOf } from './functions.ts';
import { compileLike } from './like.ts';
import { arithmetic, compare, logic } from './operators.ts';
import { staticType } from './types.ts';

/** Turns a tree into closures. What they give for an event is a value, or the first failure. */
export function compileNode(node: Node): Evaluator {
  switch (node.kind) {
    case 'literal':
      return constant(node.value);
    case 'attribute':
      return compileAttribute(node.name);
    case 'exists':
      return compileExists(node.name);
    case 'group':
      return compileNode(node.inner);
    case 'not':
      return not(toBoolean(node.operand));
    case 'negate':
      return arithmetic('-', constant(0), toInteger(node.operand));
    case 'logic':
      return logic(node.operator, node.operands.map(toBoolean));
    case 'compare':
      if (node.operator !== '=' && node.operator !== '!=')
        return compare(node.operator, toInteger(node.left), toInteger(node.right));
      return equality(node.left, node.right, node.operator === '!=');
    case 'arithmetic':
      return arithmetic(node.operator, toInteger(node.left), toInteger(node.right));
    case 'like':
      return like(toText(node.operand), compileLike(node.pattern), node.negated);
    case 'in':
      return membership(node.operand, node.set, node.negated);
    case 'call':
      return call(node.name, node.args);
  }
}

function toText(node: Node): Evaluator {
  const run = compileNode(node);
  if (staticType(node) === 'string') return run;
  return (event) => {
    const value = run(event);
    return typeof value === 'object' ? value.passed : castString(value);
  };
}

function toInteger(node: Node): Evaluator {
  const run = compileNode(node);
  if (staticType(node) === 'integer') return run;
  return (event) => {
    const value = run(event);
    return typeof value === 'object' ? value.passed : castInteger(value);
  };
}

function toBoolean(node: Node): Evaluator {
  const run = compileNode(node);
  if (staticType(node) === 'boolean') return run;
  return (event) => {
    const value = run(event);
    return typeof value === 'object' ? value.passed : castBoolean(value);
  };
}

const TO: Readonly<Record<Type, (node: Node) => Evaluator>> = {
  string: toText,
  integer: toInteger,
  boolean: toBoolean,
};

function not(operand: Evaluator): Evaluator {
  return (event) => {
    const value = operand(event);
    return typeof value === 'object' ? value.passed : !value;
  };
}

function equality(leftNode: Node, rightNode: Node, negated: boolean): Evaluator {
  const left = compileNode(leftNode);
  if (rightNode.kind === 'literal' && typeof rightNode.value === 'string') {
    const wanted = rightNode.value;
    return (event) => {
      const value = left(event);
      if (typeof value === 'object') return value.passed;
      return (castString(value) === wanted) !== negated;
    };
  }
  const right = compileNode(rightNode);
  return (event) => {
    const a = left(event);
    if (typeof a === 'object') return a.passed;
    const b = right(event);
    if (typeof b === 'object') return b.passed;
    const same = equals(a, b);
    return typeof same === 'object' ? same : same !== negated;
  };
}

function like(operand: Evaluator, test: (text: string) => boolean, negated: boolean): Evaluator {
  return (event) => {
    const text = operand(event);
    return typeof text === 'object' ? text.passed : test(text as string) !== negated;
  };
}

/** The first element that is equal ends the search, so that no later one can fail: as the other implementations do. */
function membership(operandNode: Node, set: readonly Node[], negated: boolean): Evaluator {
  const operand = compileNode(operandNode);
  const elements = set.map(compileNode);
  const literals = set.flatMap((node) => (node.kind === 'literal' ? [castString(node.value)] : []));
  const texts = literals.length === set.length ? new Set(literals) : undefined;
  return (event) => {
    const value = operand(event);
    if (typeof value === 'object') return value.passed;
    if (texts !== undefined && typeof value === 'string') return texts.has(value) !== negated;
    for (const element of elements) {
      const candidate = element(event);
      if (typeof candidate === 'object') return candidate.passed;
      const same = equals(candidate, value);
      if (typeof same === 'object') return same;
      if (same) return !negated;
    }
    return negated;
  };
}

function call(name: string, argNodes: readonly Node[]): Evaluator {
  const found = functionOf(name, argNodes.length);
  if (found === undefined) {
    const unknown = new Failure('missingFunction', `there is no function ${name} of ${argNodes.length} arguments`);
    return () => unknown;
  }
  const args = argNodes.map((node, index) => TO[parameter(found, index)](node));
  return (event: MeshEvent) => {
    const values = [];
    for (const arg of args) {
      const value = arg(event);
      if (typeof value === 'object') return value.passed;
      values.push(value);
    }
    return found.call(values);
  };
}

function parameter({ parameters }: CesqlFunction, index: number): Type {
  return parameters[Math.min(index, parameters.length - 1)] as Type;
}
