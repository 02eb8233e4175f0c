import { existsSync, readFileSync } from 'node:fs';
import { codeOf, messageOf } from '../../src/core/errors.ts';
import { GATEWAY_SCHEMA } from '../../src/models/contract.ts';
import { loadModel } from '../../src/models/scorer.ts';
import type { Run } from '../../src/simulation/run.ts';
import { followed, type SimModel } from '../../src/simulation/sim-model.ts';
import { simulate, simulateAsync } from '../../src/simulation/simulation.ts';
import type { World } from '../../src/simulation/world/world.ts';
import { MODEL_ON, type Policy, selectorOf } from './policies.ts';

/** What `npm run bench -- routing-train` makes and the repository has. */
export const DEMO_MODEL = 'config/models/demo.onnx';

/** A model's file, checked as the gateway checks it; undefined where there is none of that name, or no runtime for it. */
export async function readModel(file: string): Promise<SimModel | undefined> {
  if (!existsSync(file)) return undefined;
  try {
    return followed(await loadModel(readFileSync(file), { schema: GATEWAY_SCHEMA }));
  } catch (error) {
    if (codeOf(error) !== 'E_MODEL_RUNTIME') throw error;
    process.stderr.write(`without predictive: ${messageOf(error)}\n`);
    return undefined;
  }
}

/** One policy through one world. */
export async function runPolicy(world: World, policy: Policy, model: SimModel | undefined): Promise<Run> {
  const own = policy.by === MODEL_ON && policy.truth === undefined ? model : undefined;
  const options = { world, gateways: policy.gateways, selectorOf: selectorOf(policy, { scorer: own?.scorer }) };
  return own === undefined ? simulate(options) : simulateAsync(options, own.answered);
}
