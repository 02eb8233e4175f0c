import type { EvalReport } from '../models/evaluating.ts';
import type { ShadowVerdict } from './rollout-run.ts';

/** Smaller is better. */
const LOSSES = ['logMae', 'pinball'] as const;

/** Whether a candidate does no worse on rows that came later than the version in force, or without one, than plain averages. */
export function judgeShadow(
  { evaluation, baselines, incumbent }: Pick<EvalReport, 'evaluation' | 'baselines' | 'incumbent'>,
  { shadowRows, shadowTolerance }: { readonly shadowRows: number; readonly shadowTolerance: number },
): ShadowVerdict {
  const { overall } = evaluation;
  if (overall.rows < shadowRows) return { verdict: 'wait' };
  for (const loss of LOSSES) {
    const rivals = incumbent?.evaluation === undefined ? baselines : [incumbent.evaluation];
    const limit = Math.min(...rivals.map((rival) => rival.overall[loss])) * (1 + shadowTolerance);
    // Where nothing succeeded both are no numbers, and nothing speaks for it.
    if (overall[loss] <= limit) continue;
    const found = `${loss} ${overall[loss].toPrecision(3)}, at most ${limit.toPrecision(3)}`;
    return { verdict: 'failed', reason: `on rows since it was trained it is worse: ${found}` };
  }
  return { verdict: 'passed' };
}
