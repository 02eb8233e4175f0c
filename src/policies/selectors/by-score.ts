import type { Random } from '../../core/clock.ts';
import type { SelectorEvent, SelectorName } from '../../core/selector.ts';
import { type Candidate, Rule, type Scored, type Strategy } from './strategy.ts';
import { betterOfTwoPropensity, drawTwo, least } from './two-choices.ts';

/** Strategies that give each candidate a score and take the least of all, or the better of two drawn at random. */
export abstract class ByScore extends Rule implements Strategy {
  abstract readonly name: SelectorName;
  readonly #random: Random;
  readonly #of: 'all' | 'two';
  #scores = new Float64Array(64);

  constructor(of: 'all' | 'two', random: Random) {
    super();
    this.#of = of;
    this.#random = random;
  }

  abstract score(candidate: Candidate, now: number): number;

  /** One of two whose scores are compared. */
  drawn?(candidate: Candidate, now: number): void;

  pick(candidates: readonly Candidate[], _event: SelectorEvent, now: number): number {
    const count = candidates.length;
    const scores = this.#fill(candidates, now);
    if (this.#of === 'two') {
      const drawn = drawTwo(count, this.#random);
      const first = Math.floor(drawn / count);
      const second = drawn % count;
      this.drawn?.(candidates[first] as Candidate, now);
      this.drawn?.(candidates[second] as Candidate, now);
      const at = (scores[first] as number) <= (scores[second] as number) ? first : second;
      this.propensity = betterOfTwoPropensity(scores, count, at);
      return at;
    }
    const best = least(scores, count, this.#random);
    this.propensity = best.propensity;
    return best.at;
  }

  scores(candidates: readonly Candidate[], _event: SelectorEvent, now: number): readonly Scored[] {
    const scores = this.#fill(candidates, now).slice();
    const count = candidates.length;
    const best = Math.min(...scores.subarray(0, count));
    const bests = scores.subarray(0, count).filter((score) => score === best).length;
    return candidates.map((_, i) => {
      const score = scores[i] as number;
      if (count === 1) return { score, propensity: 1, parts: {} };
      const among = score === best ? 1 / bests : 0;
      return { score, propensity: this.#of === 'two' ? betterOfTwoPropensity(scores, count, i) : among, parts: {} };
    });
  }

  #fill(candidates: readonly Candidate[], now: number): Float64Array {
    const count = candidates.length;
    if (count > this.#scores.length) this.#scores = new Float64Array(2 * count);
    for (let i = 0; i < count; i += 1) this.#scores[i] = this.score(candidates[i] as Candidate, now);
    return this.#scores;
  }
}
