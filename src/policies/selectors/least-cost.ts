import type { Random } from '../../core/clock.ts';
import type { DecisionBy, SelectorConfig, SelectorEvent, SelectorName } from '../../core/selector.ts';
import { stalled } from '../../core/silence.ts';
import type { Changes } from './changes.ts';
import { type CostOptions, costOptions, expectedCost, newCostParts } from './expected-cost.ts';
import { affordable, boundFloors } from './exploration.ts';
import { type Forecast, newOutlook, type Outlook } from './outlook.ts';
import { StandingCosts } from './standing-costs.ts';
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
  readonly #standing: StandingCosts;
  readonly #outlook: Outlook = newOutlook();
  readonly #parts = newCostParts();
  #costs = new Float64Array(64);
  #weights = new Float64Array(64);
  #floors = new Float64Array(64);
  /** Where the weights are not 0. */
  #near = new Int32Array(64);
  #nearCount = 0;
  #silent = new Int32Array(64);
  /** Sum of the floors. */
  #explored = 0;

  constructor(
    name: 'adaptive' | 'predictive',
    forecast: Forecast,
    config: SelectorConfig,
    { random, changes }: { random: Random; changes: Changes },
  ) {
    this.name = name;
    this.by = name === 'adaptive' ? 'analytic' : 'model';
    this.#forecast = forecast;
    this.#options = costOptions(config);
    this.#share = config.explore ?? 0.005;
    this.#random = random;
    this.#standing = new StandingCosts(forecast, this.#options, this.#share, changes);
  }

  pick(candidates: readonly Candidate[], event: SelectorEvent, now: number): number {
    if (!this.#weigh(candidates, event, now)) return -1;
    const count = candidates.length;
    const explored = this.#explored;
    const drawn = this.#random();
    this.explored = drawn < explored;
    const at = this.explored ? this.#byFloor(drawn, count) : this.#byWeight((drawn - explored) / (1 - explored));
    this.propensity = this.#propensity(at, explored);
    return at;
  }

  tick(candidates: readonly Candidate[], now: number): void {
    this.#standing.tick(candidates, now);
  }

  scores(candidates: readonly Candidate[], event: SelectorEvent, now: number): readonly Scored[] | undefined {
    if (!this.#weigh(candidates, event, now)) return undefined;
    const explored = this.#explored;
    return candidates.map((candidate, i) => {
      this.#cost(candidate, event, now);
      const { silent: gone, ...parts } = this.#parts;
      const { meanMs, q95Ms, failure: failureShare } = this.#outlook;
      return {
        score: this.#costs[i] as number,
        propensity: this.#propensity(i, explored),
        parts: { ...parts, silent: Number(gone), meanMs, q95Ms, failureShare },
      };
    });
  }

  #propensity(at: number, explored: number): number {
    return (this.#floors[at] as number) + (1 - explored) * (this.#weights[at] as number);
  }

  #byFloor(drawn: number, count: number): number {
    let left = drawn;
    let last = this.#near[0] as number;
    for (let i = 0; i < count; i += 1) {
      const floor = this.#floors[i] as number;
      if (floor > 0) last = i;
      left -= floor;
      if (left < 0) break;
    }
    return last;
  }

  #byWeight(drawn: number): number {
    let left = drawn;
    let at = this.#near[0] as number;
    for (let n = 0; n < this.#nearCount && left >= 0; n += 1) {
      at = this.#near[n] as number;
      left -= this.#weights[at] as number;
    }
    return at;
  }

  /** Costs, floors and softmax weights of all candidates; false: there is no telling. */
  #weigh(candidates: readonly Candidate[], event: SelectorEvent, now: number): boolean {
    const count = candidates.length;
    if (count > this.#costs.length) this.#grow(count);
    if (!this.#forecast.ready(now)) return false;
    const standing = this.#standing;
    const { timeoutMs } = this.#options;
    const offset = standing.rowsFor(event.bytes);
    const { cost: standingCosts, epochs, epoch, changed, changes, dueMs } = standing;
    const { all, oldestSentAt } = changes;
    const costs = this.#costs;
    const silentOnes = this.#silent;
    let silentCount = 0;
    let least = Number.POSITIVE_INFINITY;
    let sum = 0;
    for (let i = 0; i < count; i += 1) {
      const candidate = candidates[i] as Candidate;
      const { index } = candidate;
      const row = offset + index;
      if (epochs[row] !== epoch || changed[row] !== all[index]) standing.update(row, candidate, event.bytes, now);
      let cost = standingCosts[row] as number;
      const late = now - (oldestSentAt[index] as number) > (dueMs[index] as number);
      if (late && stalled(candidate.window, now, timeoutMs)) {
        cost = this.#cost(candidate, event, now);
        silentOnes[silentCount] = i;
        silentCount += 1;
      }
      costs[i] = cost;
      sum += cost;
      if (cost < least) least = cost;
    }
    if (!Number.isFinite(sum)) return false;
    this.#spread(candidates, offset, silentCount, Math.max(least, 1e-9));
    return true;
  }

  /** Floors and softmax weights. */
  #spread(candidates: readonly Candidate[], offset: number, silentCount: number, least: number): void {
    const count = candidates.length;
    const { scaledFloor, fixedFloor } = this.#standing;
    const costs = this.#costs;
    const floors = this.#floors;
    const weights = this.#weights;
    const near = this.#near;
    const most = CUTOFF * TEMPERATURE * least;
    const scale = 1 / (16 * TEMPERATURE * least);
    let explored = 0;
    let total = 0;
    let nearCount = 0;
    for (let i = 0; i < count; i += 1) {
      const above = (costs[i] as number) - least;
      const row = offset + (candidates[i] as Candidate).index;
      const floor = (fixedFloor[row] as number) + (scaledFloor[row] as number) * affordable(above, least);
      floors[i] = floor;
      explored += floor;
      weights[i] = 0;
      if (above > most) continue;
      const weight = fallOff(above * scale);
      weights[i] = weight;
      total += weight;
      near[nearCount] = i;
      nearCount += 1;
    }
    for (let n = 0; n < nearCount; n += 1) {
      const at = near[n] as number;
      weights[at] = (weights[at] as number) / total;
    }
    this.#nearCount = nearCount;
    for (let n = 0; n < silentCount; n += 1) {
      const at = this.#silent[n] as number;
      explored -= floors[at] as number;
      floors[at] = 0;
    }
    this.#explored = boundFloors(floors, count, explored);
  }

  /** All parts anew; NaN where the forecast has nothing on the target. */
  #cost(candidate: Candidate, event: SelectorEvent, now: number): number {
    const known = this.#forecast.read(candidate.index, candidate.window, event.bytes, this.#outlook);
    return known ? expectedCost(candidate, this.#outlook, now, this.#options, this.#parts) : Number.NaN;
  }

  #grow(count: number): void {
    this.#costs = new Float64Array(2 * count);
    this.#weights = new Float64Array(2 * count);
    this.#floors = new Float64Array(2 * count);
    this.#near = new Int32Array(2 * count);
    this.#silent = new Int32Array(2 * count);
  }
}

/** e^(−16 y) for y from 0 to 0.25, to 0.02 %: by far quicker than the function, and there may be one for every target. */
function fallOff(y: number): number {
  const root = 1 - y * (1 - y * (1 / 2 - y * (1 / 6 - y / 24)));
  const square = root * root;
  const fourth = square * square;
  const eighth = fourth * fourth;
  return eighth * eighth;
}
