import { DRIFT_RULES, type DriftRules } from '../models/drift.ts';
import type { TrainOptions } from '../models/training/train.ts';
import { ROLLOUT_RULES, type RolloutRules } from './rollout.ts';

/** How fast a gateway learns; the defaults are for operation, others for tests and demonstrations. */
export interface LearningPace {
  readonly drift: DriftRules;
  readonly rollout: RolloutRules;
  /** How often it is looked whether a training is due, and a slice under way goes wrong. In ms. */
  readonly lookMs: number;
  /** Rows recorded since a candidate was trained that have to speak for it. */
  readonly shadowRows: number;
  /** How much worse than the one in force it may do on them, as a share. */
  readonly shadowTolerance: number;
  /** Rows in the memory of the training process. */
  readonly maxRows: number;
  readonly train: TrainOptions;
}

export const LEARNING_PACE: LearningPace = {
  drift: DRIFT_RULES,
  rollout: ROLLOUT_RULES,
  lookMs: 1_000,
  shadowRows: 200,
  shadowTolerance: 0.02,
  maxRows: 300_000,
  train: {},
};
