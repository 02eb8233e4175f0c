import type { Random } from '../../core/clock.ts';
import type { DecisionBy, SelectorConfig, SelectorEvent, SelectorName } from '../../core/selector.ts';
import { type CostOptions, costOptions, expectedCost, newCostParts } from './expected-cost.ts';
import { boundFloors, explorationFloor } from './exploration.ts';
import type { Forecast, Outlook } from './outlook.ts';
import type { Candidate, Scored, Strategy } from './strategy.ts';

/** Temperature of the softmax, as a share of the least cost; candidates beyond `CUTOFF` temperatures are left out. */
const TEMPERATURE = 0.05;
const CUTOFF = 4;

/**
 * The least expected cost: a forecast for what changes slowly, arithmetic on what is in flight for what changes with every
 * event. Near the best a softmax chooses, so that gateways that see the same do not all go the same way; every target keeps
 * a small share of its own. The propensity is exact.
 */
export class LeastCost implements Strategy {
  readonly name: SelectorName;
  readonly by: DecisionBy;
  propensity = 1;
  explored = false;
  readonly #forecast: Forecast;
  readonly #options: CostOptions;
  readonly #share: number;
  readonly #random: Random;
  readonly #outlook: Outlook = { meanMs: 0, q95Ms: 0, failure: 0 };
  readonly #parts = newCostParts();
  #costs = new Float64Array(64);
  #weights = new Float64Array(64);
  #floors = new Float64Array(64);

  constructor(name: 'adaptive' | 'predictive', forecast: Forecast, config: SelectorConfig, random: Random) {
    this.name = name;
    this.by = name === 'adaptive' ? 'analytic' : 'model';
    this.#forecast = forecast;
    this.#options = costOptions(config);
    this.#share = config.explore ?? 0.005;
    this.#random = random;
  }

  pick(candidates: readonly Candidate[], event: SelectorEvent, now: number): number {
    if (!this.#weigh(candidates, event, now)) return -1;
    const count = candidates.length;
    const explored = boundFloors(this.#floors, count);
    let left = this.#random();
    this.explored = left < explored;
    const chances = this.explored ? this.#floors : this.#weights;
    if (!this.explored) left = (left - explored) / (1 - explored);
    let at = this.#best(count);
    for (let i = 0; i < count; i += 1) {
      left -= chances[i] as number;
      if (left < 0) {
        at = i;
        break;
      }
    }
    this.propensity = this.#propensity(at, explored);
    return at;
  }

  scores(candidates: readonly Candidate[], event: SelectorEvent, now: number): readonly Scored[] | undefined {
    if (!this.#weigh(candidates, event, now)) return undefined;
    const explored = boundFloors(this.#floors, candidates.length);
    return candidates.map((candidate, i) => {
      this.#cost(candidate, event, now);
      const { silent, ...parts } = this.#parts;
      const { meanMs, q95Ms, failure: failureShare } = this.#outlook;
      return {
        score: this.#costs[i] as number,
        propensity: this.#propensity(i, explored),
        parts: { ...parts, silent: Number(silent), meanMs, q95Ms, failureShare },
      };
    });
  }

  #propensity(at: number, explored: number): number {
    return (this.#floors[at] as number) + (1 - explored) * (this.#weights[at] as number);
  }

  #best(count: number): number {
    let best = 0;
    for (let i = 1; i < count; i += 1) if ((this.#weights[i] as number) > (this.#weights[best] as number)) best = i;
    return best;
  }

  /** Costs, floors and softmax weights of all candidates; false: there is no telling. */
  #weigh(candidates: readonly Candidate[], event: SelectorEvent, now: number): boolean {
    const count = candidates.length;
    if (count > this.#costs.length) this.#grow(count);
    if (!this.#forecast.ready(now)) return false;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < count; i += 1) {
      const cost = this.#cost(candidates[i] as Candidate, event, now);
      if (!Number.isFinite(cost)) return false;
      this.#costs[i] = cost;
      if (cost < least) least = cost;
      const { load, silent } = this.#parts;
      // Kept for the floor, which needs the least cost; NaN stands for silent.
      this.#floors[i] = silent ? Number.NaN : load;
    }
    const scale = 1 / (TEMPERATURE * Math.max(least, 1e-9));
    let total = 0;
    for (let i = 0; i < count; i += 1) {
      const cost = this.#costs[i] as number;
      const { window } = candidates[i] as Candidate;
      const load = this.#floors[i] as number;
      const relative = (cost - least) / Math.max(least, 1e-9);
      this.#floors[i] = explorationFloor(this.#share, window, load, Number.isNaN(load), relative, now);
      const above = (cost - least) * scale;
      const weight = above > CUTOFF ? 0 : Math.exp(-above);
      this.#weights[i] = weight;
      total += weight;
    }
    for (let i = 0; i < count; i += 1) this.#weights[i] = (this.#weights[i] as number) / total;
    return true;
  }

  /** NaN where the forecast has nothing on the target. */
  #cost(candidate: Candidate, event: SelectorEvent, now: number): number {
    const known = this.#forecast.read(candidate.index, candidate.window, event.bytes, this.#outlook);
    return known ? expectedCost(candidate, this.#outlook, now, this.#options, this.#parts) : Number.NaN;
  }

  #grow(count: number): void {
    this.#costs = new Float64Array(2 * count);
    this.#weights = new Float64Array(2 * count);
    this.#floors = new Float64Array(2 * count);
  }
}
