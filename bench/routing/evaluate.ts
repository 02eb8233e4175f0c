import { type Figures, figuresOf } from '../../src/simulation/figures.ts';
import type { SimModel } from '../../src/simulation/sim-model.ts';
import type { Length } from '../../src/simulation/world/draft.ts';
import { type Family, worldOf } from '../../src/simulation/world/families.ts';
import { fluidBound, noQueueBound } from './bounds.ts';
import { runPolicy } from './model.ts';
import type { Policy } from './policies.ts';

/** One policy in one scenario. */
export interface Outcome {
  readonly policy: Policy;
  readonly family: string;
  readonly heldOut: boolean;
  readonly seed: number;
  readonly figures: Figures;
}

/** What no policy can beat, J in ms. */
export interface Bound {
  readonly family: string;
  readonly seed: number;
  readonly fluid: number;
  readonly noQueue: number;
}

export interface Evaluation {
  readonly outcomes: readonly Outcome[];
  readonly bounds: readonly Bound[];
  /** Simulated steps, and the CPU that policies and simulator took for them together. */
  readonly steps: number;
  readonly cpuMs: number;
}

export interface EvaluationOptions {
  readonly families: readonly Family[];
  /** Scenarios of each family, held out or not. */
  readonly seeds: { readonly heldOut: number; readonly others: number };
  readonly length: Length;
  readonly policies: readonly Policy[];
  readonly boundIterations: number;
  /** For `predictive`. */
  readonly model: SimModel | undefined;
  readonly progress?: ((family: string) => void) | undefined;
}

/** Several gateways are run with the first seeds only: eight of them with a model take as long as all the rest. */
const SEEDS_OF_SEVERAL = 5;

/** Runs every policy in every scenario: the same scenario, event by event, for each of them. */
export async function evaluate(options: EvaluationOptions): Promise<Evaluation> {
  const { families, seeds, length, policies, boundIterations, model, progress } = options;
  const outcomes: Outcome[] = [];
  const bounds: Bound[] = [];
  let steps = 0;
  let cpuMs = 0;
  for (const family of families) {
    progress?.(family.name);
    for (let seed = 1; seed <= (family.heldOut ? seeds.heldOut : seeds.others); seed += 1) {
      const world = worldOf(family, seed, length);
      const shape = { family: family.name, heldOut: family.heldOut, seed };
      bounds.push({ ...shape, fluid: fluidBound(world, boundIterations), noQueue: noQueueBound(world) });
      for (const policy of policies) {
        if (policy.gateways > 1 && seed > SEEDS_OF_SEVERAL) continue;
        const before = process.cpuUsage();
        const run = await runPolicy(world, policy, model);
        const { user, system } = process.cpuUsage(before);
        steps += run.steps;
        cpuMs += (user + system) / 1_000;
        outcomes.push({ policy, ...shape, figures: figuresOf(run) });
      }
    }
  }
  return { outcomes, bounds, steps, cpuMs };
}
