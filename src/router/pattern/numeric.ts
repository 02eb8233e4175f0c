import type { Bound, PatternTest } from './ast.ts';
import type { Place } from './place.ts';

const COMPARISONS: readonly string[] = ['=', '<', '<=', '>', '>='];

/** Reads the operand of `numeric`: `['=', 5]`, `['>', 0]`, `['>', 0, '<=', 5]`. */
export function readNumeric(operand: unknown, place: Place): PatternTest | undefined {
  if (!Array.isArray(operand) || operand.length === 0 || operand.length % 2 !== 0 || operand.length > 4)
    return place.error('E_PATTERN_VALUE', "expected one or two comparisons, e.g. ['>', 0, '<=', 5]");
  let min: Bound | undefined;
  let max: Bound | undefined;
  for (let at = 0; at < operand.length; at += 2) {
    const comparison: unknown = operand[at];
    const value: unknown = operand[at + 1];
    if (typeof comparison !== 'string' || !COMPARISONS.includes(comparison))
      return place.at(at).error('E_PATTERN_VALUE', `expected ${COMPARISONS.map((c) => `"${c}"`).join(', ')}`);
    if (typeof value !== 'number' || !Number.isFinite(value))
      return place.at(at + 1).error('E_PATTERN_VALUE', 'expected a number');
    const bound = { value, inclusive: comparison.endsWith('=') };
    const equal = comparison === '=';
    if (equal && !place.at(at + 1).isExact(value)) return undefined;
    if ((equal && operand.length > 2) || (comparison[0] === '>' ? min : max) !== undefined)
      return place.error('E_PATTERN_VALUE', 'expected a lower and an upper bound', "e.g. ['>', 0, '<=', 5]");
    if (comparison[0] !== '<') min = bound;
    if (comparison[0] !== '>') max = bound;
  }
  if (isEmpty(min, max)) return place.error('E_PATTERN_VALUE', 'no number lies between these bounds');
  return { kind: 'numeric', min, max };
}

function isEmpty(min: Bound | undefined, max: Bound | undefined): boolean {
  if (min === undefined || max === undefined) return false;
  return min.value > max.value || (min.value === max.value && !(min.inclusive && max.inclusive));
}

/** A test whether a number lies in a range. */
export function compileRange(min: Bound | undefined, max: Bound | undefined): (value: number) => boolean {
  const low = min?.value ?? Number.NEGATIVE_INFINITY;
  const high = max?.value ?? Number.POSITIVE_INFINITY;
  const lowIn = min?.inclusive ?? true;
  const highIn = max?.inclusive ?? true;
  return (value) => (lowIn ? value >= low : value > low) && (highIn ? value <= high : value < high);
}
