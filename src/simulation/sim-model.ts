import type { Scorer } from '../core/scorer.ts';

/** A scorer for simulation. Where it answers later, `answered` says when, so that no simulated time passes meanwhile. */
export interface SimModel {
  readonly scorer: Scorer;
  readonly answered: () => Promise<unknown> | undefined;
}

/** Follows a scorer's answers. */
export function followed(scorer: Scorer): SimModel {
  let last: Promise<unknown> | undefined;
  return {
    scorer: {
      sha: scorer.sha,
      schemaHash: scorer.schemaHash,
      score(features, rows) {
        const answer = scorer.score(features, rows);
        // A failed answer is the selector's to see, not ours.
        last = answer instanceof Promise ? answer.catch(() => undefined) : undefined;
        return answer;
      },
    },
    answered: () => last,
  };
}
