/** One send as a model learns from it: what was known of its target, and what became of it. */
export interface TrainingRow {
  /** When it was sent, in ms since 1970. */
  readonly ts: number;
  /** When its features were computed: at the send, or before. */
  readonly at: number;
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

/** A decision by chance as it was recorded: what might have been decided, with which chance, and what became of it. */
export interface LoggedDecision {
  /** When it was taken, in ms since 1970. */
  readonly ts: number;
  /** Targets that it was taken of, at least two. */
  readonly eligible: readonly string[];
  /** `[eligible, columns]`. */
  readonly features: Float32Array;
  /** Index into `eligible`. */
  readonly chosen: number;
  /** Chance with which that one was chosen. */
  readonly propensity: number;
  /** Cost of the chosen target. */
  readonly cost: number;
  readonly ms: number;
  readonly failed: boolean;
  /** Decisions that this one stands for. */
  readonly weight: number;
}
