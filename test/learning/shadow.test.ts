import { expect, test } from 'vitest';
import { judgeShadow } from '../../src/learning/shadow.ts';
import type { Evaluation } from '../../src/models/metrics.ts';
import type { PairedErrors } from '../../src/models/paired.ts';

const RULES = { shadowRows: 100, shadowTolerance: 0.02 };

function evaluation(logMae: number, rows = 1_000): Evaluation {
  const overall = { rows, logMae, pinball: 0.1, coverage: 0.95, logLoss: 0, failureError: 0, failureNoise: 0 };
  return { overall, byTarget: {} };
}

const rival = (evaluation: Evaluation | undefined, errors?: PairedErrors) => ({
  version: 1,
  evaluation,
  errors,
  unusable: undefined,
});

test('a candidate must not be worse than the version in force, or than averages where there is none', () => {
  const baselines = [evaluation(0.3), evaluation(0.4)];
  const judge = (logMae: number, incumbent?: Evaluation) =>
    judgeShadow({ evaluation: evaluation(logMae), baselines, incumbent: incumbent && rival(incumbent) }, RULES);
  expect(judge(0.3)).toEqual({ verdict: 'passed' });
  expect(judge(0.32)).toMatchObject({ verdict: 'failed' });
  expect(judge(0.5, evaluation(0.5))).toEqual({ verdict: 'passed' });
  expect(judge(0.25, evaluation(0.2))).toEqual({
    verdict: 'failed',
    reason: 'on rows since it was trained it is worse: logMae 0.250, at most 0.204',
  });
});

test('what chance does is left to chance', () => {
  const none = { logMae: 0.01, pinball: 0, logLoss: 0 };
  const incumbent = rival(evaluation(0.2), { overall: none, byTarget: {} });
  const judge = (logMae: number) => judgeShadow({ evaluation: evaluation(logMae), baselines: [], incumbent }, RULES);
  expect(judge(0.204 + 0.025)).toEqual({ verdict: 'passed' });
  expect(judge(0.204 + 0.026)).toMatchObject({ verdict: 'failed' });
});

test('few rows tell nothing, and a version in force that cannot be run is no rival', () => {
  const baselines = [evaluation(0.3)];
  const few = { evaluation: evaluation(0.1, 99), baselines, incumbent: undefined };
  expect(judgeShadow(few, RULES)).toEqual({ verdict: 'wait' });
  const alone = { evaluation: evaluation(0.2), baselines, incumbent: rival(undefined) };
  expect(judgeShadow(alone, RULES)).toEqual({ verdict: 'passed' });
  const silent = { evaluation: evaluation(Number.NaN), baselines, incumbent: undefined };
  expect(judgeShadow(silent, RULES)).toMatchObject({ verdict: 'failed' });
});
