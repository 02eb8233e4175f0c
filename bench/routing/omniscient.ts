import type { Selector, SelectorConfig, SelectorDeps } from '../../src/core/selector.ts';
import { Window } from '../../src/models/window.ts';
import { Changes } from '../../src/policies/selectors/changes.ts';
import { Choice, type ModelSeat } from '../../src/policies/selectors/choice.ts';
import { type Candidate, Rule, type Strategy } from '../../src/policies/selectors/strategy.ts';
import type { WaitMs } from '../../src/simulation/run.ts';
import { type SimTarget, stepOf, TIMEOUT_MS, type World } from '../../src/simulation/world/world.ts';

/** What an event costs those behind it, over what its own wait would cost for average size; the best of 0.5 to 16. */
const OTHERS = 4;

/**
 * Knows everything but the future: queues with the cross-traffic in them, speeds, faults and odds of errors, at every event. It takes
 * the target with the least own cost plus that of those who will have to wait behind. No policy that has to find these things out can be
 * expected to come near it.
 */
export function omniscient(config: SelectorConfig, deps: SelectorDeps, world: World, waitMs: WaitMs): Selector {
  const windows = config.targets.map(() => new Window());
  const changes = new Changes(config.targets.length);
  return new Choice(config, deps, { windows, seat: NO_MODEL, changes, chain: [new Omniscient(world, waitMs)] });
}

const NO_MODEL: ModelSeat = {
  sha: undefined,
  fallback: undefined,
  use: () => undefined,
  saw: () => 0,
  tick: () => undefined,
  snapshot: () => undefined,
  sizeClass: () => 0,
};

class Omniscient extends Rule implements Strategy {
  readonly name = 'adaptive';
  readonly #world: World;
  readonly #waitMs: WaitMs;
  /** By target: when sends under way reach it. They are in no queue yet. */
  readonly #underWay: readonly number[][];

  constructor(world: World, waitMs: WaitMs) {
    super();
    this.#world = world;
    this.#waitMs = waitMs;
    this.#underWay = world.targets.map(() => []);
  }

  pick(candidates: readonly Candidate[], { bytes }: { readonly bytes: number }, now: number): number {
    const size = this.#world.bytes.indexOf(bytes);
    const costs = candidates.map(({ index }) => this.#cost(index, size, now));
    return costs.indexOf(Math.min(...costs));
  }

  sent({ index }: Candidate, now: number): void {
    this.#underWay[index]?.push(now + (this.#world.targets[index] as SimTarget).rttMs / 2);
  }

  scores(): undefined {
    return undefined;
  }

  #cost(index: number, size: number, now: number): number {
    const target = this.#world.targets[index] as SimTarget;
    const { serviceMs, servers, perSecond, slow, cross, error, extraRttMs, faults, cost } = target;
    const step = Math.min(slow.length - 1, stepOf(now));
    const mean = ((servers * 1_000) / perSecond) * (slow[step] as number);
    const own = (serviceMs[size] as number) * (slow[step] as number);
    const wayMs = target.rttMs + (extraRttMs[step] as number);
    const free = Math.max(0.05, 1 - (cross[step] as number));
    const underWay = this.#underWay[index] as number[];
    while (underWay.length > 0 && (underWay[0] as number) <= now) underWay.shift();
    const wait = Math.max(0, this.#waitMs(index) + (underWay.length * mean) / servers - (wayMs / 2) * free);
    const latency = wayMs + wait + own;
    const down = faults.some(({ startMs, endMs }) => now >= startMs && now < endMs);
    const odds = error[step] as number;
    const failing = down ? TIMEOUT_MS : odds * (latency + TIMEOUT_MS * odds * odds);
    return latency + failing + this.#world.costWeight * cost + (OTHERS * wait * own) / mean / free;
  }
}
