import { type CompareOperator, type Node, ungrouped } from '../cesql/ast.ts';
import { castInteger } from '../cesql/casts.ts';
import { ANY, type LikePattern } from '../cesql/like.ts';
import { all, any, type Condition, inText, term, UNKNOWN } from './condition.ts';

/** What holds whenever an expression is true. */
export function cesqlCondition(node: Node): Condition {
  switch (node.kind) {
    case 'group':
      return cesqlCondition(node.inner);
    case 'logic': {
      const parts = node.operands.map(cesqlCondition);
      return node.operator === 'AND' ? all(parts) : any(parts); // one operand of a true XOR is true as well
    }
    case 'compare':
      if (node.operator === '=') return equal(ungrouped(node.left), ungrouped(node.right));
      return node.operator === '!=' ? UNKNOWN : ordered(node.operator, ungrouped(node.left), ungrouped(node.right));
    case 'in':
      return node.negated ? UNKNOWN : any(node.set.map((one) => cast(ungrouped(node.operand), ungrouped(one))));
    case 'like':
      return node.negated ? UNKNOWN : like(ungrouped(node.operand), node.pattern);
    case 'exists':
      return present(node.name);
    default:
      return UNKNOWN;
  }
}

/** The right side decides the type: a String there is compared with the text of the left side. */
function equal(left: Node, right: Node): Condition {
  if (left.kind !== 'attribute') return cast(right, left);
  if (right.kind === 'literal' && typeof right.value === 'string') return exact(left.name, right.value);
  const integer = integerOf(right);
  return integer === undefined ? presentIn(left) : range(left.name, integer, integer);
}

/** The literal is cast to the type of the attribute, where `'05'` is equal to the Integer 5. */
function cast(attribute: Node, literal: Node): Condition {
  if (attribute.kind !== 'attribute') return UNKNOWN;
  const { name } = attribute;
  if (literal.kind !== 'literal') return present(name);
  const { value } = literal;
  if (typeof value === 'string') return isCanonical(value) ? exact(name, value) : present(name);
  // As text, as an Integer and as a Boolean.
  const integer = Number(value);
  const texts = new Set([String(value), String(integer), String(integer !== 0)]);
  return any([...texts].map((text) => exact(name, text)));
}

/** True where no Integer or Boolean with another text is equal to it. */
function isCanonical(text: string): boolean {
  const integer = castInteger(text);
  if (typeof integer === 'number') return String(integer) === text;
  const lower = text.toLowerCase();
  return text === lower || (lower !== 'true' && lower !== 'false');
}

const MIRRORED = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const;

function ordered(operator: Exclude<CompareOperator, '=' | '!='>, left: Node, right: Node): Condition {
  if (left.kind !== 'attribute') return right.kind === 'attribute' ? ordered(MIRRORED[operator], right, left) : UNKNOWN;
  const bound = integerOf(right);
  if (bound === undefined) return presentIn(left);
  switch (operator) {
    case '<':
      return range(left.name, Number.NEGATIVE_INFINITY, bound - 1);
    case '<=':
      return range(left.name, Number.NEGATIVE_INFINITY, bound);
    case '>':
      return range(left.name, bound + 1, Number.POSITIVE_INFINITY);
    case '>=':
      return range(left.name, bound, Number.POSITIVE_INFINITY);
  }
}

function integerOf(node: Node): number | undefined {
  if (node.kind === 'literal') return typeof node.value === 'number' ? node.value : undefined;
  if (node.kind !== 'negate') return undefined;
  const operand = ungrouped(node.operand);
  // -(-2147483648) is an error and 0: no such literal can be written.
  return operand.kind === 'literal' && typeof operand.value === 'number' ? 0 - operand.value : undefined;
}

function like(operand: Node, { segments }: LikePattern): Condition {
  const [first] = segments;
  if (operand.kind !== 'attribute' || first === undefined) return UNKNOWN;
  const { name } = operand;
  if (segments.length === 1 && first.literal !== undefined) return exact(name, first.literal);
  return inText(
    { kind: 'attribute', name },
    segments.flatMap(({ points }) => literalRuns(points)),
  );
}

/** The texts between the `_` of a segment, empty ones included. */
function literalRuns(points: readonly number[]): string[] {
  const runs: string[] = [];
  let run = '';
  for (const point of points) {
    if (point === ANY) {
      runs.push(run);
      run = '';
    } else run += String.fromCodePoint(point);
  }
  runs.push(run);
  return runs;
}

function exact(name: string, value: string): Condition {
  return term({ field: { kind: 'attribute', name }, op: 'exact', value });
}

function range(name: string, low: number, high: number): Condition {
  return term({ field: { kind: 'attribute', name }, op: 'range', low, high });
}

function presentIn(node: Node): Condition {
  return node.kind === 'attribute' ? present(node.name) : UNKNOWN;
}

function present(name: string): Condition {
  return term({ field: { kind: 'attribute', name }, op: 'present' });
}
