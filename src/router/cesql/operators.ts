import type { ArithmeticOperator, CompareOperator, LogicOperator } from './ast.ts';
import type { Evaluator } from './evaluator.ts';
import { Failure } from './failure.ts';

const BY_ZERO = new Failure('math', 'a division by zero');
const OVERFLOW = new Failure('math', 'the result is not an Integer of 32 bits');

/** A chain of one operator over Booleans, from the left. AND and OR look at no more operands than they need (§3.6). */
export function logic(operator: LogicOperator, operands: readonly Evaluator[]): Evaluator {
  if (operator === 'XOR') return xor(operands);
  const decisive = operator === 'OR';
  const [first, second] = operands as [Evaluator, Evaluator];
  if (operands.length === 2) {
    return (event) => {
      const value = first(event);
      if (value === decisive) return decisive;
      if (typeof value === 'object') return value.passed;
      const other = second(event);
      return typeof other === 'object' ? other.passed : other;
    };
  }
  return (event) => {
    for (const operand of operands) {
      const value = operand(event);
      if (value === decisive) return decisive;
      if (typeof value === 'object') return value.passed;
    }
    return !decisive;
  };
}

function xor(operands: readonly Evaluator[]): Evaluator {
  return (event) => {
    let odd = false;
    for (const operand of operands) {
      const value = operand(event);
      if (typeof value === 'object') return value.passed;
      if (value === true) odd = !odd;
    }
    return odd;
  };
}

type Order = Exclude<CompareOperator, '=' | '!='>;

const ORDERS: Readonly<Record<Order, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/** Comparison of two Integers. */
export function compare(operator: Order, left: Evaluator, right: Evaluator): Evaluator {
  const holds = ORDERS[operator];
  return (event) => {
    const a = left(event);
    if (typeof a === 'object') return a.passed;
    const b = right(event);
    return typeof b === 'object' ? b.passed : holds(a as number, b as number);
  };
}

// Doubles hold every sum and quotient of two Integers, and of products enough to tell an overflow.
const CALCULATIONS: Readonly<Record<ArithmeticOperator, (a: number, b: number) => number | Failure>> = {
  '+': (a, b) => integer(a + b),
  '-': (a, b) => integer(a - b),
  '*': (a, b) => integer(a * b),
  '/': (a, b) => (b === 0 ? BY_ZERO : integer(Math.trunc(a / b))),
  '%': (a, b) => (b === 0 ? BY_ZERO : integer(a % b)),
};

/** Arithmetic on two Integers. What does not fit into 32 bits is a math error and 0. */
export function arithmetic(operator: ArithmeticOperator, left: Evaluator, right: Evaluator): Evaluator {
  const calculate = CALCULATIONS[operator];
  return (event) => {
    const a = left(event);
    if (typeof a === 'object') return a.passed;
    const b = right(event);
    return typeof b === 'object' ? b.passed : calculate(a as number, b as number);
  };
}

function integer(value: number): number | Failure {
  return (value | 0) === value ? value + 0 : OVERFLOW; // -0 + 0 is 0
}
