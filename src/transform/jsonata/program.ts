import { canonical, forEachAttribute } from '../../cloudevents/attributes.ts';
import type { MeshEvent } from '../../core/event.ts';
import type { DataStep, TransformFailure } from '../../core/transform.ts';

/** An expression with its bounds, as a worker needs it. */
export interface JsonataProgram {
  readonly expression: string;
  readonly timeoutMs: number;
  /** Of the result as JSON. */
  readonly maxBytes: number;
  /** Whether it may look at `$event`, which costs a copy of the attributes. */
  readonly usesEvent: boolean;
}

/** One evaluation: the data, and the attributes as JSON where the program wants them. */
export interface JsonataInput {
  readonly data: Buffer | undefined;
  readonly event: string;
}

/** Evaluates programs somewhere else than in this thread. */
export interface JsonataEvaluator {
  /**
   * Resolves (never rejects) with one result per input, by index: JSON text, or why there is none. Calls are answered in
   * the order they were made. What runs when the evaluator is closed is never answered.
   */
  evaluate(program: JsonataProgram, inputs: readonly JsonataInput[]): Promise<readonly (Buffer | TransformFailure)[]>;
}

export const DEFAULT_TIMEOUT_MS = 1_000;
export const DEFAULT_MAX_BYTES: number = 2 ** 20;

export function jsonataProgram(expression: string, step: Pick<DataStep, 'timeoutMs' | 'maxBytes'>): JsonataProgram {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, maxBytes = DEFAULT_MAX_BYTES } = step;
  return { expression, timeoutMs, maxBytes, usesEvent: expression.includes('$event') };
}

export function jsonataInput(event: MeshEvent, program: JsonataProgram): JsonataInput {
  return { data: event.data, event: program.usesEvent ? attributesJson(event) : '' };
}

function attributesJson(event: MeshEvent): string {
  const values: Record<string, unknown> = Object.create(null);
  forEachAttribute(event, (name, value) => {
    values[name] = Buffer.isBuffer(value) ? canonical(value) : value;
  });
  if (event.datacontenttype !== undefined) values['datacontenttype'] = event.datacontenttype;
  return JSON.stringify(values);
}
