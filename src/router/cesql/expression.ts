import type { MeshEvent } from '../../core/event.ts';
import type { CesqlValue } from './ast.ts';
import { zeroOf } from './casts.ts';
import { compileNode } from './compile.ts';
import type { CesqlErrorKind } from './failure.ts';
import { parseCesql } from './parser.ts';
import { staticType } from './types.ts';

/** What an expression gives for an event. */
export interface CesqlResult {
  /** With an error, what the outermost operator gives all the same: the zero value of its type, mostly. */
  readonly value: CesqlValue;
  /** The first error; there is no second one, since evaluation ends with it. */
  readonly error?: { readonly kind: CesqlErrorKind; readonly message: string };
}

/** A compiled CESQL 1.0 expression. Evaluation never throws and looks at attributes only. */
export interface CesqlExpression {
  evaluate(event: MeshEvent): CesqlResult;
}

/** Compiles an expression of CESQL 1.0 (CloudEvents SQL); throws CesqlParseError. Good for any number of events. */
export function compileCesql(text: string): CesqlExpression {
  const node = parseCesql(text);
  const run = compileNode(node);
  const zero = zeroOf(staticType(node) ?? 'boolean');
  return {
    evaluate(event) {
      const value = run(event);
      if (typeof value !== 'object') return { value };
      const { kind, message } = value;
      return { value: value.value ?? zero, error: { kind, message } };
    },
  };
}
