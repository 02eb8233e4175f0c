import type { MeshEvent } from '../../core/event.ts';
import { attributeText } from '../attribute.ts';
import { childrenOf, type Node } from '../cesql/ast.ts';
import { castBoolean } from '../cesql/casts.ts';
import { compileNode } from '../cesql/compile.ts';
import type { Evaluator } from '../cesql/evaluator.ts';
import { parseCesql } from '../cesql/parser.ts';
import { quoted, type Refusal, shown } from './refusal.ts';

/** Most attributes of an expression whose values are told. */
const ATTRIBUTES = 8;

interface Part {
  readonly text: string;
  readonly run: Evaluator;
  readonly attributes: readonly string[];
}

/** Tells which part of a conjunction, in its own words, is not true; a single condition is its only part. */
export function explainSql(text: string, at: string): (event: MeshEvent) => Refusal | undefined {
  const node = parseCesql(text);
  const whole = compileNode(node);
  const parts = conjuncts(node, text, 0, text.length, false);
  return (event) => {
    if (whole(event) === true) return undefined;
    const failed = parts.find(({ run }) => run(event) !== true) ?? (parts[0] as Part);
    return refusal(failed, parts.length > 1, at, event);
  };
}

function refusal({ text, run, attributes }: Part, isPart: boolean, at: string, event: MeshEvent): Refusal {
  const value = run(event);
  const values = valuesOf(attributes, event);
  const where = isPart ? `${shown(text)} ` : '';
  const actual = values === '' ? {} : { actual: values };
  if (typeof value === 'object') {
    const message = `${where}fails: ${value.message} (${value.kind})`;
    return { code: 'error', at, message, expected: shown(text), ...actual };
  }
  const has = values === '' ? '' : ` (${values})`;
  if (typeof value !== 'boolean') {
    const message = `${where}gives ${JSON.stringify(value)}, which is no Boolean${has}`;
    return { code: 'not-boolean', at, message, expected: shown(text), ...actual };
  }
  return { code: 'false', at, message: `${where}is false${has}`, expected: shown(text), ...actual };
}

/** `level = 3, region is missing`. */
function valuesOf(names: readonly string[], event: MeshEvent): string {
  const told = names.slice(0, ATTRIBUTES).map((name) => {
    const value = event.attribute(name);
    if (value === undefined) return `${name} is missing`;
    return `${name} = ${typeof value === 'string' ? quoted(value) : shown(attributeText(value))}`;
  });
  return [...told, ...(names.length > ATTRIBUTES ? ['…'] : [])].join(', ');
}

/** The operands of an AND, of ANDs in parentheses too, each with its own text within `[from, to)`. */
function conjuncts(node: Node, text: string, from: number, to: number, isOperand: boolean): readonly Part[] {
  if (node.kind === 'group') {
    const close = text.lastIndexOf(')', to - 1);
    return conjuncts(node.inner, text, node.at + 1, close, isOperand);
  }
  if (node.kind !== 'logic' || node.operator !== 'AND') {
    const run = compileNode(node);
    const own = text.slice(from, to).trim();
    return [{ text: own, run: isOperand ? asBoolean(run) : run, attributes: attributesOf(node) }];
  }
  const starts = node.operands.map(startOf);
  return node.operands.flatMap((operand, index) => {
    const next = starts[index + 1];
    const start = starts[index] as number;
    if (next === undefined) return conjuncts(operand, text, start, to, true);
    const before = text.slice(start, next).trimEnd();
    return conjuncts(operand, text, start, start + before.length - 'AND'.length, true);
  });
}

/** AND casts its operands. */
function asBoolean(run: Evaluator): Evaluator {
  return (event) => {
    const value = run(event);
    return typeof value === 'object' ? value : castBoolean(value);
  };
}

/** Where a node's text begins: an operator between two operands stands after its first. */
function startOf(node: Node): number {
  let least = node.at;
  for (let left = childrenOf(node)[0]; left !== undefined; left = childrenOf(left)[0]) least = Math.min(least, left.at);
  return least;
}

function attributesOf(root: Node): readonly string[] {
  const names = new Set<string>();
  const open = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.kind === 'attribute' || node.kind === 'exists') names.add(node.name);
    open.push(...[...childrenOf(node)].reverse());
  }
  return [...names];
}
