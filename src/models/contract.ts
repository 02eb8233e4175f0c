import { FairleadError } from '../core/errors.ts';
import { FEATURES, type Feature, SCHEMA_HASH } from './features.ts';

/** The columns of a model's input, in order, and a hash of all that says how they are computed. */
export interface FeatureSchema {
  readonly features: readonly Feature[];
  readonly hash: string;
}

/** What this gateway computes. */
export const GATEWAY_SCHEMA: FeatureSchema = { features: FEATURES, hash: SCHEMA_HASH };

/** Columns of a model's output `scores`, in order. */
export const SCORE_NAMES = ['log_ms_mean', 'log_ms_q95', 'p_fail'] as const;

/** Names of the one input and the one output of a model. */
export const INPUT_NAME = 'features';
export const OUTPUT_NAME = 'scores';

/**
 * Name of the output that a model may have besides, float32 [N, 1]: the logarithm of the room of a target as in
 * `roomFor`. Without it the room is what arithmetic makes of what was seen.
 */
export const ROOM_NAME = 'log_room';

/** The quantile of the second score. */
export const QUANTILE = 0.95;

/** Rows with the scores that the model must give for them. Missing values are null. */
export interface GoldenRows {
  readonly features: readonly (readonly (number | null)[])[];
  readonly scores: readonly (readonly number[])[];
  /** By row, of a model that tells rooms. */
  readonly rooms?: readonly number[] | undefined;
}

/** What a model says of itself: JSON under the key `fairlead` of `metadata_props` (field 14 of ModelProto). */
export interface ModelMetadata {
  readonly contract: 1;
  readonly schema: FeatureSchema;
  /** Times, in ms since 1970, of the first and the last row that it was trained on. */
  readonly window: readonly [number, number];
  readonly rows: number;
  readonly seed: number;
  /** Figures on rows that it was not trained on, by name. */
  readonly metrics: Readonly<Record<string, number>>;
  /** SHA-256 of the model that it was to replace. */
  readonly parent: string | null;
  readonly golden: GoldenRows;
}

/** Key of {@link ModelMetadata} in `metadata_props`. */
export const METADATA_KEY = 'fairlead';

/** A refusal to use a model. */
export function modelError(code: string, message: string, cause?: unknown): FairleadError {
  return new FairleadError({ code, message, cause });
}
