import { type Node, ungrouped } from './ast.ts';
import { castInteger } from './casts.ts';
import { ANY, type LikePattern } from './like.ts';
import { parseCesql } from './parser.ts';

/** A condition on the text of one attribute (`attributeText`). */
export interface CesqlTerm {
  readonly attribute: string;
  readonly op: 'exact' | 'prefix' | 'suffix';
  readonly value: string;
}

/**
 * Conditions that all hold whenever the expression is true, for an index to find candidates by. They are necessary, not
 * sufficient: the expression is still evaluated. None: nothing is known. Throws CesqlParseError.
 */
export function cesqlTerms(text: string): readonly CesqlTerm[] {
  const terms: CesqlTerm[] = [];
  collect(parseCesql(text), terms);
  return terms;
}

function collect(node: Node, terms: CesqlTerm[]): void {
  switch (node.kind) {
    case 'group':
      collect(node.inner, terms);
      break;
    case 'logic':
      if (node.operator === 'AND') for (const operand of node.operands) collect(operand, terms);
      break;
    case 'compare':
      if (node.operator === '=') equal(ungrouped(node.left), ungrouped(node.right), terms);
      break;
    case 'in': {
      const [only, another] = node.set;
      if (!node.negated && only !== undefined && another === undefined)
        exact(ungrouped(node.operand), ungrouped(only), terms, true);
      break;
    }
    case 'like':
      if (!node.negated) like(ungrouped(node.operand), node.pattern, terms);
      break;
  }
}

/** The right side decides the type: a String there is compared with the text of the left side. */
function equal(left: Node, right: Node, terms: CesqlTerm[]): void {
  if (left.kind === 'attribute') exact(left, right, terms, false);
  else exact(right, left, terms, true);
}

/** `cast`: the literal is cast to the type of the attribute, where `'05'` is equal to the Integer 5. */
function exact(attribute: Node, literal: Node, terms: CesqlTerm[], cast: boolean): void {
  if (attribute.kind !== 'attribute' || literal.kind !== 'literal' || typeof literal.value !== 'string') return;
  const { value } = literal;
  if (cast && !isCanonical(value)) return;
  terms.push({ attribute: attribute.name, op: 'exact', value });
}

/** True where no Integer or Boolean with another text is equal to it. */
function isCanonical(text: string): boolean {
  const integer = castInteger(text);
  if (typeof integer === 'number') return String(integer) === text;
  const lower = text.toLowerCase();
  return text === lower || (lower !== 'true' && lower !== 'false');
}

function like(operand: Node, { segments }: LikePattern, terms: CesqlTerm[]): void {
  const [first] = segments;
  const last = segments.at(-1);
  if (operand.kind !== 'attribute' || first === undefined || last === undefined) return;
  const attribute = operand.name;
  if (segments.length === 1 && first.literal !== undefined) {
    terms.push({ attribute, op: 'exact', value: first.literal });
    return;
  }
  const gap = first.points.indexOf(ANY);
  const prefix = String.fromCodePoint(...(gap < 0 ? first.points : first.points.slice(0, gap)));
  const suffix = String.fromCodePoint(...last.points.slice(last.points.lastIndexOf(ANY) + 1));
  if (prefix !== '') terms.push({ attribute, op: 'prefix', value: prefix });
  if (suffix !== '') terms.push({ attribute, op: 'suffix', value: suffix });
}
