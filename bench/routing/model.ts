import type { Scorer } from '../../src/core/scorer.ts';
import { MODEL_ON, type Policy, selectorOf } from './policies.ts';
import type { Run } from './sim/run.ts';
import { simulate, simulateAsync } from './sim/simulation.ts';
import type { World } from './world/world.ts';

/** A scorer for simulation. Where it answers later, `answered` says when, so that no simulated time passes meanwhile. */
export interface SimModel {
  readonly scorer: Scorer;
  readonly answered: () => Promise<unknown> | undefined;
}

/** One policy through one world. */
export async function runPolicy(world: World, policy: Policy, model: SimModel | undefined): Promise<Run> {
  const own = policy.by === MODEL_ON ? model : undefined;
  const options = { world, gateways: policy.gateways, selectorOf: selectorOf(policy, { scorer: own?.scorer }) };
  return own === undefined ? simulate(options) : simulateAsync(options, own.answered);
}
