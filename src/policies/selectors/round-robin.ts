import { type Candidate, Rule, type Scored, type Strategy } from './strategy.ts';

/** One after the other in the order of the configuration, passing over those that may not be chosen. */
export class RoundRobin extends Rule implements Strategy {
  readonly name = 'round-robin';
  #last = -1;

  pick(candidates: readonly Candidate[]): number {
    const at = this.#following(candidates);
    this.#last = (candidates[at] as Candidate).index;
    return at;
  }

  scores(candidates: readonly Candidate[]): readonly Scored[] {
    const at = this.#following(candidates);
    const count = candidates.length;
    return candidates.map((_, i) => ({
      score: (i - at + count) % count,
      propensity: i === at ? 1 : 0,
      parts: {},
    }));
  }

  #following(candidates: readonly Candidate[]): number {
    for (let i = 0; i < candidates.length; i += 1) {
      if ((candidates[i] as Candidate).index > this.#last) return i;
    }
    return 0;
  }
}
