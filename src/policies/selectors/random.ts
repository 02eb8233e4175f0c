import type { Random } from '../../core/clock.ts';
import { type Candidate, Rule, type Scored, type Strategy } from './strategy.ts';

/** At random, in proportion to the weights, or all alike. */
export class RandomChoice extends Rule implements Strategy {
  readonly name: 'random' | 'weighted';
  readonly #random: Random;

  constructor(name: 'random' | 'weighted', random: Random) {
    super();
    this.name = name;
    this.#random = random;
  }

  pick(candidates: readonly Candidate[]): number {
    const total = this.#total(candidates);
    let left = this.#random() * total;
    let at = candidates.length - 1;
    for (let i = 0; i < at; i += 1) {
      left -= this.#weight(candidates[i] as Candidate);
      if (left < 0) at = i;
    }
    this.propensity = this.#weight(candidates[at] as Candidate) / total;
    return at;
  }

  scores(candidates: readonly Candidate[]): readonly Scored[] {
    const total = this.#total(candidates);
    return candidates.map((candidate) => {
      const weight = this.#weight(candidate);
      return { score: -weight, propensity: weight / total, parts: { weight } };
    });
  }

  #weight({ spec }: Candidate): number {
    return this.name === 'random' ? 1 : Math.max(1e-9, spec.weight ?? 1);
  }

  #total(candidates: readonly Candidate[]): number {
    let total = 0;
    for (const candidate of candidates) total += this.#weight(candidate);
    return total;
  }
}
