import type { EvalReport } from '../models/evaluating.ts';
import { byChance } from '../models/paired.ts';
import type { ShadowVerdict } from './rollout-run.ts';

/** Smaller is better. */
const LOSSES = ['logMae', 'pinball'] as const;

/**
 * Whether a candidate does no worse on rows that came later than the version in force, or without one, than plain averages, but for
 * a tolerance and what chance does: a canary comes after.
 */
export function judgeShadow(
  { evaluation, baselines, incumbent }: Pick<EvalReport, 'evaluation' | 'baselines' | 'incumbent'>,
  { shadowRows, shadowTolerance }: { readonly shadowRows: number; readonly shadowTolerance: number },
): ShadowVerdict {
  const { overall } = evaluation;
  if (overall.rows < shadowRows) return { verdict: 'wait' };
  for (const loss of LOSSES) {
    const inForce = incumbent?.evaluation && { ...incumbent.evaluation, errors: incumbent.errors };
    const limits = (inForce === undefined ? baselines : [inForce]).map(({ overall, errors }) => {
      return overall[loss] * (1 + shadowTolerance) + byChance(errors?.overall[loss]);
    });
    const limit = Math.min(...limits);
    // Where nothing succeeded both are no numbers, and nothing speaks for it.
    if (overall[loss] <= limit) continue;
    const found = `${loss} ${overall[loss].toPrecision(3)}, at most ${limit.toPrecision(3)}`;
    return { verdict: 'failed', reason: `on rows since it was trained it is worse: ${found}` };
  }
  return { verdict: 'passed' };
}
