import type { ArithmeticOperator, CompareOperator, LogicOperator, Node } from './ast.ts';
import { Lexer, type TokenKind } from './lexer.ts';
import { likeProblem, parseLike } from './like.ts';
import { CesqlParseError } from './parse-error.ts';
import { COMPARE, LOGIC, POSTFIX, POWERS, UNARY } from './precedence.ts';

/** Longest expression, in UTF-16 units. */
export const MAX_LENGTH = 8_192;
/** Deepest tree: bounds the recursion of everything that walks one. */
export const MAX_DEPTH = 128;

/** Reads an expression; throws CesqlParseError. Operators of one precedence associate to the left (§3.6). */
export function parseCesql(text: string): Node {
  return new Parser(text).parse();
}

class Parser {
  readonly #lexer: Lexer;
  /** Levels of the node read last. */
  #height = 1;
  /** Levels open above the node being read. */
  #depth = 0;

  constructor(text: string) {
    this.#lexer = new Lexer(checked(text));
  }

  parse(): Node {
    const node = this.#expression(LOGIC);
    const lexer = this.#lexer;
    if (lexer.kind === ')') lexer.fail('this parenthesis was never opened');
    if (lexer.kind !== 'end') lexer.fail(`expected an operator or the end, found ${this.#found()}`, this.#wordHint());
    return node;
  }

  #expression(least: number): Node {
    this.#depth += 1;
    this.#bound(this.#depth);
    let left = this.#prefix();
    for (;;) {
      const power = POWERS.get(this.#lexer.kind) ?? 0;
      if (power < least || power === 0) break;
      left = power === POSTFIX ? this.#postfix(left) : this.#binary(left, power);
    }
    this.#depth -= 1;
    return left;
  }

  #binary(left: Node, power: number): Node {
    const lexer = this.#lexer;
    const { kind, at } = lexer;
    const height = this.#height;
    lexer.next();
    const right = this.#expression(power + 1);
    if (power === LOGIC) {
      const operator = kind as LogicOperator;
      if (left.kind === 'logic' && left.operator === operator) {
        (left.operands as Node[]).push(right);
        this.#over(Math.max(height - 1, this.#height));
        return left;
      }
      this.#over(Math.max(height, this.#height));
      return { kind: 'logic', at, operator, operands: [left, right] };
    }
    this.#over(Math.max(height, this.#height));
    return power === COMPARE
      ? { kind: 'compare', at, operator: kind as CompareOperator, left, right }
      : { kind: 'arithmetic', at, operator: kind as ArithmeticOperator, left, right };
  }

  #postfix(operand: Node): Node {
    const lexer = this.#lexer;
    const { at } = lexer;
    const negated = lexer.kind === 'NOT';
    if (negated) lexer.next();
    if (lexer.kind === 'LIKE') {
      lexer.next();
      if ((lexer.kind as TokenKind) !== 'text')
        lexer.fail(`expected the pattern of LIKE, found ${this.#found()}`, "a pattern is text in quotes: LIKE 'abc%'");
      const pattern = parseLike(lexer.value);
      const problem = likeProblem(pattern);
      if (problem !== undefined) lexer.fail(problem);
      lexer.next();
      this.#over(this.#height);
      return { kind: 'like', at, negated, operand, pattern };
    }
    if (lexer.kind !== 'IN')
      lexer.fail(`expected LIKE or IN after NOT, found ${this.#found()}`, 'NOT stands before what it negates');
    lexer.next();
    const height = this.#height;
    if (lexer.kind !== '(') lexer.fail(`expected "(" after IN, found ${this.#found()}`, "write IN ('a', 'b')");
    const set = this.#list();
    if (set.length === 0) lexer.fail('the set of IN is empty', "write IN ('a', 'b')", at);
    this.#over(Math.max(height, this.#height));
    return { kind: 'in', at, negated, operand, set };
  }

  #prefix(): Node {
    const lexer = this.#lexer;
    const { kind, at } = lexer;
    this.#height = 1;
    switch (kind) {
      case 'text': {
        const { value } = lexer;
        lexer.next();
        return { kind: 'literal', at, value };
      }
      case 'integer':
        return this.#integer(at, '');
      case 'TRUE':
      case 'FALSE':
        lexer.next();
        return { kind: 'literal', at, value: kind === 'TRUE' };
      case 'name':
        return this.#name();
      case '(':
        return this.#group();
      case '-':
      case '+':
        return this.#signed(kind);
      case 'NOT': {
        lexer.next();
        const operand = this.#expression(UNARY);
        this.#over(this.#height);
        return { kind: 'not', at, operand };
      }
      case 'EXISTS': {
        lexer.next();
        if (lexer.kind !== 'name' && lexer.kind !== 'integer')
          lexer.fail(`expected the name of an attribute, found ${this.#found()}`, 'write EXISTS subject');
        const name = this.#attributeName();
        lexer.next();
        return { kind: 'exists', at, name };
      }
      default:
        return lexer.fail(`expected a value, found ${this.#found()}`);
    }
  }

  #signed(sign: '+' | '-'): Node {
    const lexer = this.#lexer;
    const { at, end } = lexer;
    lexer.next();
    if (lexer.kind === 'integer' && lexer.at === end) return this.#integer(at, sign);
    if (sign === '+') lexer.fail('"+" has no value before it', 'only digits may follow on a sign "+"', at);
    const operand = this.#expression(UNARY);
    this.#over(this.#height);
    return { kind: 'negate', at, operand };
  }

  #integer(at: number, sign: string): Node {
    const lexer = this.#lexer;
    const value = Number(sign + lexer.value) + 0; // -0 + 0 is 0
    if ((value | 0) !== value)
      lexer.fail(`${sign}${lexer.value} is not an Integer`, 'Integers are from -2147483648 to 2147483647', at);
    lexer.next();
    return { kind: 'literal', at, value };
  }

  #name(): Node {
    const lexer = this.#lexer;
    const { at, value } = lexer;
    lexer.next();
    if (lexer.kind !== '(') {
      if (value.includes('_')) lexer.fail(`"${value}" is not the name of an attribute`, 'names have no "_"', at);
      return { kind: 'attribute', at, name: value.toLowerCase() };
    }
    if (/\d/.test(value)) lexer.fail(`"${value}" is not the name of a function`, 'names have no digits', at);
    const args = this.#list();
    this.#over(this.#height);
    return { kind: 'call', at, name: value.toUpperCase(), args };
  }

  #attributeName(): string {
    const { value } = this.#lexer;
    if (value.includes('_')) this.#lexer.fail(`"${value}" is not the name of an attribute`, 'names have no "_"');
    return value.toLowerCase();
  }

  #group(): Node {
    const lexer = this.#lexer;
    const { at } = lexer;
    lexer.next();
    const inner = this.#expression(LOGIC);
    this.#close(at);
    this.#over(this.#height);
    return { kind: 'group', at, inner };
  }

  /** `( … , … )`, which may be empty; afterwards the height is that of the highest item. */
  #list(): Node[] {
    const lexer = this.#lexer;
    const open = lexer.at;
    const items: Node[] = [];
    let height = 1;
    lexer.next();
    if (lexer.kind !== ')') {
      for (;;) {
        items.push(this.#expression(LOGIC));
        height = Math.max(height, this.#height);
        if ((lexer.kind as TokenKind) !== ',') break;
        lexer.next();
      }
    }
    this.#close(open);
    this.#height = height;
    return items;
  }

  #close(open: number): void {
    const lexer = this.#lexer;
    if (lexer.kind === 'end') lexer.fail('this parenthesis is never closed', undefined, open);
    if (lexer.kind !== ')') lexer.fail(`expected an operator or ")", found ${this.#found()}`, this.#wordHint());
    lexer.next();
  }

  /** The node read last gets one above it. */
  #over(height: number): void {
    this.#height = height + 1;
    this.#bound(this.#height);
  }

  #bound(levels: number): void {
    if (levels > MAX_DEPTH) this.#lexer.fail(`the expression is nested more than ${MAX_DEPTH} levels deep`);
  }

  #found(): string {
    const { kind, at, end, text } = this.#lexer;
    if (kind === 'end') return 'the end';
    return kind === 'text' ? 'text' : `"${text.slice(at, Math.min(end, at + 40))}"`;
  }

  #wordHint(): string | undefined {
    const { kind, value } = this.#lexer;
    if (kind !== 'name') return undefined;
    if (/^is$/i.test(value)) return 'write EXISTS x or NOT EXISTS x';
    return /^between$/i.test(value) ? 'write x >= 1 AND x <= 5' : undefined;
  }
}

function checked(text: string): string {
  if (text.length > MAX_LENGTH)
    throw new CesqlParseError(text, MAX_LENGTH, `the expression has more than ${MAX_LENGTH} characters`);
  const lone = text.search(/\p{Surrogate}/u);
  if (lone >= 0) throw new CesqlParseError(text, lone, 'half of a surrogate pair');
  return text;
}
