import type { SelectorConfig, SelectorName } from '../core/selector.ts';
import { TICK_MS } from './run.ts';
import { TIMEOUT_MS, type World } from './world/world.ts';

export interface OperatorOptions {
  readonly by: SelectorName;
  readonly gateways: number;
  /** Whether the capacities of targets are declared. */
  readonly told: boolean;
}

/** The configuration that an operator would write for the world. */
export function configOf(world: World, { by, gateways, told }: OperatorOptions): SelectorConfig {
  return {
    by,
    gateways,
    tickMs: TICK_MS,
    sloMs: world.sloMs,
    timeoutMs: TIMEOUT_MS,
    seasonMs: world.dayMs,
    // The decision's cost is in units of the latency objective.
    weights: { cost: world.costWeight / world.sloMs },
    targets: world.targets.map(({ name, protocol, cost, weight, declared, perSecond }) => ({
      name,
      protocol,
      cost,
      weight: told ? perSecond : weight,
      capacity: told ? declared : undefined,
    })),
  };
}
