/** One mistake or risk in a step of a transform; `path` is relative to the step. */
export interface TransformFinding {
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly path: readonly (string | number)[];
  /** Where in an expression it is stands in the text, since YAML may fold lines. */
  readonly message: string;
  readonly hint?: string | undefined;
}
