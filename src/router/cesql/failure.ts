import type { CesqlValue } from './ast.ts';

/** The kinds of error of CESQL §3.3. Evaluation gives all but `parse`. */
export type CesqlErrorKind =
  | 'parse'
  | 'math'
  | 'cast'
  | 'missingFunction'
  | 'functionEvaluation'
  | 'missingAttribute'
  | 'generic';

/**
 * What an operator gives instead of a value when it fails. Evaluation is fail-fast (§4.1): an operator with a failed
 * operand fails likewise, so that what comes out is the first error and the zero value of the outermost operator.
 */
export class Failure {
  readonly kind: CesqlErrorKind;
  readonly message: string;
  /** What the failed operator itself still gives; undefined: its zero value. */
  readonly value: CesqlValue | undefined;
  /** The same failure for the operator above, which has its own zero value. */
  readonly passed: Failure;

  constructor(kind: CesqlErrorKind, message: string, value?: CesqlValue) {
    this.kind = kind;
    this.message = message;
    this.value = value;
    this.passed = value === undefined ? this : new Failure(kind, message);
  }
}
