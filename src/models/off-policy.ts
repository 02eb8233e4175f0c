import type { LoggedDecision } from '../core/training-row.ts';
import { FEATURES } from './features.ts';
import { meanOf } from './log-normal.ts';

/** What decisions cost, as the choice at hand weighs it. */
export interface DecisionCosts {
  /** What a failure counts, in ms; default 2,000. */
  readonly timeoutMs?: number | undefined;
  /** What a unit of a target's cost counts, in ms; default 100. */
  readonly costMs?: number | undefined;
  /** Least share of each target; default 0.005. */
  readonly explore?: number | undefined;
}

/** Mean cost of one decision, in ms, by what was logged. */
export interface OffPolicyEstimate {
  readonly decisions: number;
  /** Of what was decided. */
  readonly logged: number;
  /** Of what the model would have had decided: self-normalised importance sampling, and doubly robust. */
  readonly snips: number;
  readonly doublyRobust: number;
  /** Standard error of `doublyRobust` - `logged`, over twenty stretches of time. */
  readonly error: number;
  /** Decisions that the estimates rest on, as a share of all. */
  readonly effectiveShare: number;
}

/** One decision. */
interface Term {
  readonly weight: number;
  /** Chance with the model over chance as logged. */
  readonly ratio: number;
  readonly cost: number;
  /** Doubly robust estimate of the cost with the model. */
  readonly robust: number;
}

/** Importance weights above are cut: a bit of bias for much less variance. */
const CLIP = 10;
const STRETCHES = 20;
const TEMPERATURE = 0.05;
const CUTOFF = 4;
/** Over all targets together not more than this. */
const MOST_EXPLORED = 0.05;
const LOAD = FEATURES.findIndex(({ name }) => name === 'load');
const USUAL = FEATURES.findIndex(({ name }) => name === 'usual_30s');

/**
 * Estimates what decisions would have cost with a model from decisions that were taken without it (Swaminathan and Joachims
 * 2015; Dudík, Langford and Li 2011). The policy is the expected cost as of the snapshot, without leases and what was sent
 * since. Load follows from decisions, and the past knows nothing of that: a screen, no proof.
 */
export class OffPolicy {
  readonly #timeoutMs: number;
  readonly #costMs: number;
  readonly #explore: number;
  readonly #terms: Term[] = [];
  /** By target, as far as decisions for it told. */
  readonly #costs: ReadonlyMap<string, number>;

  constructor(costs: ReadonlyMap<string, number>, { timeoutMs = 2_000, costMs = 100, explore = 0.005 }: DecisionCosts) {
    this.#costs = costs;
    this.#timeoutMs = timeoutMs;
    this.#costMs = costMs;
    this.#explore = explore;
  }

  /** In order of time. @param scores Of the model, `[eligible, 3]`. */
  add(decision: LoggedDecision, scores: Float32Array): void {
    const { chosen, propensity, failed, ms, weight, cost } = decision;
    const expected = decision.eligible.map((name, i) => {
      const [mean = 0, q95 = 0, failure = 0] = scores.subarray(i * 3, i * 3 + 3);
      const latency = Math.min(this.#timeoutMs, meanOf(mean, q95));
      return (1 - failure) * latency + failure * this.#timeoutMs + this.#costMs * (this.#costs.get(name) ?? 0);
    });
    const shares = this.#shares(decision, expected);
    const real = (failed ? this.#timeoutMs : Math.min(ms, this.#timeoutMs)) + this.#costMs * cost;
    const ratio = Math.min(CLIP, (shares[chosen] as number) / propensity);
    const direct = expected.reduce((sum, value, i) => sum + value * (shares[i] as number), 0);
    this.#terms.push({ weight, ratio, cost: real, robust: direct + ratio * (real - (expected[chosen] as number)) });
  }

  /** Chances of the targets: the least expected cost with its congestion, by a softmax, and a floor for each. */
  #shares({ features, eligible }: LoggedDecision, expected: readonly number[]): readonly number[] {
    const columns = features.length / eligible.length;
    const costs = expected.map((value, i) => {
      const load = Math.expm1(Math.max(0, features[i * columns + LOAD] as number));
      const usual = Math.expm1(Math.max(0, features[i * columns + USUAL] as number));
      return value + usual * load ** 2;
    });
    const least = Math.max(1e-9, Math.min(...costs));
    const weights = costs.map((value) => {
      const above = (value - least) / (TEMPERATURE * least);
      return above > CUTOFF ? 0 : Math.exp(-above);
    });
    const total = weights.reduce((sum, value) => sum + value, 0);
    // What costs more than twice the least is tried less often, as by the policy itself: else any model would look dear.
    const floors = costs.map((value) => this.#explore / Math.max(1, value / least - 1));
    const wanted = floors.reduce((sum, floor) => sum + floor, 0);
    const explored = Math.min(MOST_EXPLORED, wanted);
    return weights.map((value, i) => {
      const floor = wanted > 0 ? ((floors[i] as number) * explored) / wanted : 0;
      return floor + (1 - explored) * (value / total);
    });
  }

  /** NaN where nothing was added. */
  estimate(): OffPolicyEstimate {
    const sum = (of: (term: Term) => number): number => this.#terms.reduce((all, term) => all + of(term), 0);
    const weights = sum(({ weight }) => weight);
    const ratios = sum(({ weight, ratio }) => weight * ratio);
    const effective = ratios ** 2 / sum(({ weight, ratio }) => (weight * ratio) ** 2);
    return {
      decisions: this.#terms.length,
      logged: sum(({ weight, cost }) => weight * cost) / weights,
      snips: sum(({ weight, ratio, cost }) => weight * ratio * cost) / ratios,
      doublyRobust: sum(({ weight, robust }) => weight * robust) / weights,
      error: this.#error(),
      effectiveShare: effective / (weights ** 2 / sum(({ weight }) => weight ** 2)),
    };
  }

  /** Decisions that follow each other are alike, so whole stretches are compared. */
  #error(): number {
    const length = Math.ceil(this.#terms.length / STRETCHES);
    const means: number[] = [];
    for (let from = 0; from < this.#terms.length; from += length) {
      const part = this.#terms.slice(from, from + length);
      const weights = part.reduce((sum, { weight }) => sum + weight, 0);
      means.push(part.reduce((sum, { weight, robust, cost }) => sum + weight * (robust - cost), 0) / weights);
    }
    const mean = means.reduce((sum, value) => sum + value, 0) / means.length;
    const variance = means.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (means.length - 1);
    return Math.sqrt(variance / means.length);
  }
}
