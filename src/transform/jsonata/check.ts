import jsonata from 'jsonata';
import type { TransformFinding } from '../finding.ts';
import { compileRegex } from './regex.ts';

const MAX_CHARACTERS = 16_384;

type Node = Readonly<Record<string, unknown>>;

/** What is wrong with an expression. It is parsed, never evaluated, here. */
export function checkJsonata(text: string): readonly Omit<TransformFinding, 'path'>[] {
  if (text.length > MAX_CHARACTERS) {
    return [mistake('E_TRANSFORM_SYNTAX', `the expression has more than ${MAX_CHARACTERS} characters`)];
  }
  let ast: unknown;
  try {
    ast = jsonata(text).ast();
  } catch (error) {
    const { message, position } = error as { message?: unknown; position?: unknown };
    const why = typeof message === 'string' && !(error instanceof RangeError) ? message : 'nested too deeply';
    return [mistake('E_TRANSFORM_SYNTAX', `not a JSONata expression: ${why}${place(text, position)}`)];
  }
  const found: Omit<TransformFinding, 'path'>[] = [];
  visit(ast, (node) => {
    const where = place(text, node['position']);
    if (node['type'] === 'variable' && node['value'] === 'eval') {
      found.push(mistake('E_TRANSFORM_SYNTAX', `$eval is not available${where}`, 'write the expression out'));
    }
    if (!(node['value'] instanceof RegExp)) return;
    const { source, flags } = node['value'];
    if (compileRegex(source, flags) !== undefined) return;
    const hint = 'look-around, back-references and repetitions beyond 1000 have no linear-time form';
    found.push(mistake('E_TRANSFORM_SYNTAX', `the regular expression cannot be run in linear time${where}`, hint));
  });
  return found;
}

/** JSONata counts the characters that it has read. */
function place(text: string, position: unknown): string {
  if (typeof position !== 'number') return '';
  const before = text.slice(0, position);
  const lines = before.split('\n');
  const line = lines.length > 1 ? `line ${lines.length}, ` : '';
  return ` (${line}character ${Math.max(1, (lines.at(-1) ?? '').length)} of the expression)`;
}

/** The parser makes trees, not graphs; `seen` is for the parts that it shares. */
function visit(root: unknown, look: (node: Node) => void): void {
  const seen = new Set<object>();
  const stack: unknown[] = [root];
  while (stack.length > 0) {
    const node = stack.pop();
    if (typeof node !== 'object' || node === null || node instanceof RegExp || seen.has(node)) continue;
    seen.add(node);
    if (!Array.isArray(node)) look(node as Node);
    stack.push(...Object.values(node));
  }
}

function mistake(code: string, message: string, hint?: string): Omit<TransformFinding, 'path'> {
  return { severity: 'error', code, message, hint };
}
