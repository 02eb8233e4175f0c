/** One send as a model learns from it: what was known of its target, and what became of it. */
export interface TrainingRow {
  /** When it was sent, in ms since 1970. */
  readonly ts: number;
  readonly target: string;
  /** In the order of the schema. Shared between rows: read only. */
  readonly features: Float32Array;
  /** Until its outcome was known, in ms. */
  readonly ms: number;
  readonly failed: boolean;
  /** Sends that the row stands for. */
  readonly weight: number;
  /** When the outcome was known, in ms since 1970. */
  readonly known: number;
}
