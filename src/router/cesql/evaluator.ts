import type { MeshEvent } from '../../core/event.ts';
import type { CesqlValue } from './ast.ts';
import type { Failure } from './failure.ts';

/** A compiled expression: gives its value for an event, or why it has none. */
export type Evaluator = (event: MeshEvent) => CesqlValue | Failure;

export function constant(value: CesqlValue): Evaluator {
  return () => value;
}
