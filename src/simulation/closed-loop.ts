import { setImmediate } from 'node:timers/promises';
import type { ClosedLoop, ClosedLoopRatios, ClosedLoopReport } from '../core/closed-loop.ts';
import type { Selector, SelectorConfig, SelectorDeps } from '../core/selector.ts';
import { meanCost } from './figures.ts';
import { configOf } from './operator.ts';
import type { SelectorOf } from './run.ts';
import { followed, type SimModel } from './sim-model.ts';
import { simulate, simulateAsync } from './simulation.ts';
import type { Length } from './world/draft.ts';
import { FAMILIES, type Family, worldOf } from './world/families.ts';
import { stream } from './world/random.ts';
import type { World } from './world/world.ts';

export interface ClosedLoopOptions {
  readonly families?: readonly Family[];
  readonly firstSeed?: number;
  readonly length?: Length;
  /** After this, in ms, no further scenario is begun. */
  readonly withinMs?: number;
}

/** Seeds of the evaluation begin at 1, of tuning at 101, of training at 1,001. */
const FIRST_SEED = 9_001;
/** Half of the bench's: for the same CPU twice as many scenarios, which vary more than the moments of one. */
const LENGTH: Length = { warmUpMs: 4_000, horizonMs: 14_000, rate: 700 };
const WITHIN_MS = 120_000;

/** J of one scenario. */
interface Costs {
  readonly candidate: number;
  readonly modelOff: number;
  readonly incumbent: number | undefined;
}

/**
 * A {@link ClosedLoop} over the families of scenarios. Seeds are fixed, and each scenario is the same for all, so chance is in
 * nothing but what a policy makes of it. Every family has its turn before any has a second scenario.
 *
 * @param createSelector What makes the gateway's selectors.
 */
export function closedLoop(
  createSelector: (config: SelectorConfig, deps: SelectorDeps) => Selector,
  { families = FAMILIES, firstSeed = FIRST_SEED, length = LENGTH, withinMs = WITHIN_MS }: ClosedLoopOptions = {},
): ClosedLoop {
  const decided = async (world: World, model: SimModel | undefined): Promise<number> => {
    const by = model === undefined ? 'adaptive' : 'predictive';
    const config = configOf(world, { by, gateways: 1, told: false });
    const selectorOf: SelectorOf = ({ now, wall }) =>
      createSelector(config, { now, wall, random: stream(world.seed, 1_000), scorer: model?.scorer });
    const options = { world, gateways: 1, selectorOf };
    return meanCost(model === undefined ? simulate(options) : await simulateAsync(options, model.answered));
  };
  return async ({ candidate, incumbent, scenarios }, onProgress) => {
    const [model, rival] = [followed(candidate), incumbent && followed(incumbent)];
    const costs = new Map(families.map(({ name }) => [name, [] as Costs[]]));
    const before = process.cpuUsage();
    const begun = performance.now();
    let done = 0;
    for (let seed = firstSeed; seed < firstSeed + scenarios; seed += 1) {
      for (const family of families) {
        // The process has to hear that its owner is gone, and tell how far it is.
        await setImmediate();
        if (performance.now() - begun > withinMs) continue;
        const world = worldOf(family, seed, length);
        costs.get(family.name)?.push({
          candidate: await decided(world, model),
          modelOff: await decided(world, undefined),
          incumbent: rival && (await decided(world, rival)),
        });
        done += 1;
        onProgress?.(done, scenarios * families.length);
      }
    }
    const { user, system } = process.cpuUsage(before);
    return { ...reportOf(costs), cpuMs: (user + system) / 1_000 };
  };
}

/** Of the scenarios that all families have. */
function reportOf(costs: ReadonlyMap<string, readonly Costs[]>): Omit<ClosedLoopReport, 'cpuMs'> {
  const scenarios = Math.min(...[...costs.values()].map(({ length }) => length));
  const even = [...costs].map(([name, own]) => [name, own.slice(0, scenarios)] as const);
  return {
    scenarios,
    ...ratios(even.flatMap(([, own]) => own)),
    families: Object.fromEntries(even.map(([name, own]) => [name, ratios(own)])),
  };
}

function ratios(costs: readonly Costs[]): ClosedLoopRatios {
  const over = (of: (costs: Costs) => number | undefined): number =>
    Math.exp(costs.reduce((sum, one) => sum + Math.log(one.candidate / (of(one) as number)), 0) / costs.length);
  const known = costs[0]?.incumbent !== undefined;
  return {
    modelOff: over(({ modelOff }) => modelOff),
    ...(known ? { incumbent: over(({ incumbent }) => incumbent) } : {}),
  };
}
