import { firstMeasured } from '../../src/simulation/figures.ts';
import { lognormal } from '../../src/simulation/world/random.ts';
import { type SimTarget, stepOf, TIMEOUT_MS, type World } from '../../src/simulation/world/world.ts';

/** J if no event ever waited: each goes where it is cheapest at that moment, as if it were alone. No policy can do better. */
export function noQueueBound(world: World): number {
  const { targets, sets, at, size, set, z, costWeight } = world;
  const first = firstMeasured(world);
  let total = 0;
  for (let event = first; event < at.length; event += 1) {
    const now = at[event] as number;
    let best = TIMEOUT_MS;
    for (const index of sets[set[event] as number] as readonly number[]) {
      const target = targets[index] as SimTarget;
      const service = (target.serviceMs[size[event] as number] as number) * lognormal(target.sigma, z[event] as number);
      const cost = costWeight * target.cost;
      const own = waitForReturn(target, now) + aloneMs(target, now, service) + cost;
      if (own < best) best = own;
    }
    total += best;
  }
  return total / (at.length - first);
}

function aloneMs({ rttMs, extraRttMs, slow }: SimTarget, now: number, serviceMs: number): number {
  const step = stepOf(now);
  return rttMs + (extraRttMs[step] as number) + serviceMs * (slow[step] as number);
}

function waitForReturn({ faults }: SimTarget, now: number): number {
  for (const { startMs, endMs } of faults) if (now >= startMs && now < endMs) return endMs - now;
  return 0;
}

const SLICE_MS = 250;
/** Slices that an event may wait: until it has timed out. */
const LATEST = TIMEOUT_MS / SLICE_MS;
/** Slices that cross-traffic may wait, which costs nothing here. */
const CROSS_LATEST = 12;

/**
 * J of a fluid that is split with full knowledge of capacities, speeds, faults and cross-traffic to come: a linear program
 * over slices of time in which an event may go to any eligible target in any slice before its timeout, and no target does
 * more work in a slice than its servers can. Chance within a slice does not queue. What is returned is the value of the
 * program's dual for the best prices found, so it is a lower bound also where the search has not converged.
 */
export function fluidBound(world: World, iterations: number): number {
  const fluid = new Fluid(world);
  const prices = new Float64Array(fluid.capacity.length);
  const used = new Float64Array(prices.length);
  const targets = world.targets.length;
  let best = 0;
  // One price per target first, then one per target and slice from there: these go to and fro, so their mean is tried too.
  for (let round = 1; round <= iterations; round += 1) {
    best = Math.max(best, fluid.dual(prices, used));
    const step = 2 / Math.sqrt(round);
    for (let target = 0; target < targets; target += 1) {
      const excess = excessOf(every(used, target, targets), every(fluid.capacity, target, targets));
      const price = raised(prices[target] as number, step * excess);
      for (let place = target; place < prices.length; place += targets) prices[place] = price;
    }
  }
  const mean = prices.slice();
  for (let round = 1; round <= iterations; round += 1) {
    best = Math.max(best, fluid.dual(prices, used));
    const step = 0.5 / Math.sqrt(round);
    for (let place = 0; place < prices.length; place += 1) {
      const excess = excessOf(used[place] as number, fluid.capacity[place] as number);
      const price = raised(prices[place] as number, step * excess);
      prices[place] = price;
      mean[place] = (mean[place] as number) + (price - (mean[place] as number)) / (round + 1);
    }
    if (round % 10 === 0) best = Math.max(best, fluid.dual(mean, used));
  }
  return best;
}

function every(values: Float64Array, from: number, by: number): number {
  let sum = 0;
  for (let place = from; place < values.length; place += by) sum += values[place] as number;
  return sum;
}

/** How much more than there is was used, as a share, at most 1. */
function excessOf(used: number, capacity: number): number {
  if (capacity === 0) return used === 0 ? 0 : 1;
  return Math.max(-1, Math.min(1, (used - capacity) / capacity));
}

function raised(price: number, by: number): number {
  return Math.max(0, price + by * (0.3 + price));
}

/** Events of one slice, set and size class. */
interface Group {
  readonly slice: number;
  readonly set: readonly number[];
  readonly size: number;
  count: number;
  /** By target of the world: service time at speed 1, of all events together. */
  readonly workMs: Float64Array;
}

class Fluid {
  /** ms of service by slice and target. */
  readonly capacity: Float64Array;
  readonly #world: World;
  readonly #groups: Group[] = [];
  readonly #cross: Float64Array;
  readonly #slow: Float64Array;
  readonly #rtt: Float64Array;
  readonly #slices: number;
  readonly #events: number;

  constructor(world: World) {
    const targets = world.targets.length;
    this.#world = world;
    const firstSlice = Math.floor(world.warmUpMs / SLICE_MS);
    // Work may be put off beyond the last arrival.
    this.#slices = Math.ceil(world.horizonMs / SLICE_MS) + CROSS_LATEST + 1;
    this.capacity = new Float64Array(this.#slices * targets);
    this.#cross = new Float64Array(this.capacity.length);
    this.#slow = new Float64Array(this.capacity.length).fill(1);
    this.#rtt = new Float64Array(this.capacity.length);
    for (let slice = firstSlice; slice < this.#slices; slice += 1)
      for (const [index, target] of world.targets.entries()) this.#fill(slice * targets + index, slice, target);
    this.#events = this.#group(firstSlice);
  }

  /** J of the relaxed program at these prices; writes the work that every target gets in each slice. */
  dual(prices: Float64Array, used: Float64Array): number {
    const { targets, costWeight } = this.#world;
    const width = targets.length;
    used.fill(0);
    let total = 0;
    for (const { slice, set, count, workMs } of this.#groups) {
      let best = count * TIMEOUT_MS;
      let place = -1;
      let work = 0;
      for (let later = 0; later <= LATEST; later += 1) {
        const waitMs = Math.max(0, later - 1) * SLICE_MS;
        for (const index of set) {
          const at = (slice + later) * width + index;
          if (this.capacity[at] === 0) continue;
          const own = (workMs[index] as number) * (this.#slow[at] as number);
          const fixed = (this.#rtt[at] as number) + waitMs + costWeight * (targets[index] as SimTarget).cost;
          const value = count * fixed + own * (1 + (prices[at] as number));
          if (value >= best) continue;
          best = value;
          place = at;
          work = own;
        }
      }
      total += best;
      if (place >= 0) used[place] = (used[place] as number) + work;
    }
    total += this.#letCrossTrafficIn(prices, used);
    for (let place = 0; place < prices.length; place += 1)
      total -= (prices[place] as number) * (this.capacity[place] as number);
    return total / this.#events;
  }

  #letCrossTrafficIn(prices: Float64Array, used: Float64Array): number {
    const width = this.#world.targets.length;
    let total = 0;
    for (let place = 0; place < prices.length; place += 1) {
      const work = this.#cross[place] as number;
      if (work === 0) continue;
      let cheapest = place;
      for (let other = place; other < Math.min(prices.length, place + CROSS_LATEST * width); other += width)
        if ((this.capacity[other] as number) > 0 && (prices[other] as number) < (prices[cheapest] as number))
          cheapest = other;
      total += work * (prices[cheapest] as number);
      used[cheapest] = (used[cheapest] as number) + work;
    }
    return total;
  }

  #fill(place: number, slice: number, target: SimTarget): void {
    const from = slice * SLICE_MS;
    const step = Math.min(target.slow.length - 1, stepOf(from));
    const next = Math.min(target.slow.length - 1, stepOf(from + SLICE_MS - 1));
    const up = SLICE_MS - downMs(target, from, from + SLICE_MS);
    this.capacity[place] = up * target.servers;
    this.#cross[place] = up * target.servers * (target.cross[step] as number);
    // The better end of the slice, so that this stays a bound while speeds change.
    this.#slow[place] = Math.min(target.slow[step] as number, target.slow[next] as number);
    this.#rtt[place] = target.rttMs + Math.min(target.extraRttMs[step] as number, target.extraRttMs[next] as number);
  }

  #group(firstSlice: number): number {
    const { at, set, size, z, sets, targets, warmUpMs } = this.#world;
    const byName = new Map<number, Group>();
    const first = firstMeasured(this.#world);
    for (let event = first; event < at.length; event += 1) {
      const slice = Math.max(firstSlice, Math.floor(Math.max(warmUpMs, at[event] as number) / SLICE_MS));
      const name = (slice * sets.length + (set[event] as number)) * 4 + (size[event] as number);
      let group = byName.get(name);
      if (group === undefined) {
        const workMs = new Float64Array(targets.length);
        const own = sets[set[event] as number] as readonly number[];
        group = { slice, set: own, size: size[event] as number, count: 0, workMs };
        byName.set(name, group);
        this.#groups.push(group);
      }
      group.count += 1;
      for (const index of group.set) {
        const { serviceMs, sigma } = targets[index] as SimTarget;
        const own = (serviceMs[group.size] as number) * lognormal(sigma, z[event] as number);
        group.workMs[index] = (group.workMs[index] as number) + own;
      }
    }
    return at.length - first;
  }
}

function downMs({ faults }: SimTarget, fromMs: number, toMs: number): number {
  let down = 0;
  for (const { startMs, endMs } of faults) down += Math.max(0, Math.min(endMs, toMs) - Math.max(startMs, fromMs));
  return Math.min(toMs - fromMs, down);
}
