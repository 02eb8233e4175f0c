import { existsSync, readFileSync } from 'node:fs';
import { codeOf, messageOf } from '../../src/core/errors.ts';
import type { Scorer } from '../../src/core/scorer.ts';
import { GATEWAY_SCHEMA } from '../../src/models/contract.ts';
import { loadModel } from '../../src/models/scorer.ts';
import { MODEL_ON, type Policy, selectorOf } from './policies.ts';
import type { Run } from './sim/run.ts';
import { simulate, simulateAsync } from './sim/simulation.ts';
import type { World } from './world/world.ts';

/** A scorer for simulation. Where it answers later, `answered` says when, so that no simulated time passes meanwhile. */
export interface SimModel {
  readonly scorer: Scorer;
  readonly answered: () => Promise<unknown> | undefined;
}

/** What `npm run bench -- routing-train` makes and the repository has. */
export const DEMO_MODEL = 'config/models/demo.onnx';

/** A model's file, checked as the gateway checks it; undefined where there is none of that name, or no runtime for it. */
export async function readModel(file: string): Promise<SimModel | undefined> {
  if (!existsSync(file)) return undefined;
  try {
    return modelOf(await loadModel(readFileSync(file), { schema: GATEWAY_SCHEMA }));
  } catch (error) {
    if (codeOf(error) !== 'E_MODEL_RUNTIME') throw error;
    process.stderr.write(`without predictive: ${messageOf(error)}\n`);
    return undefined;
  }
}

/** Follows a scorer's answers. */
function modelOf(scorer: Scorer): SimModel {
  let last: Promise<unknown> | undefined;
  return {
    scorer: {
      sha: scorer.sha,
      schemaHash: scorer.schemaHash,
      score(features, rows) {
        const answer = scorer.score(features, rows);
        // A failed answer is the selector's to see, not ours.
        last = answer instanceof Promise ? answer.catch(() => undefined) : undefined;
        return answer;
      },
    },
    answered: () => last,
  };
}

/** One policy through one world. */
export async function runPolicy(world: World, policy: Policy, model: SimModel | undefined): Promise<Run> {
  const own = policy.by === MODEL_ON && policy.clairvoyant !== true ? model : undefined;
  const options = { world, gateways: policy.gateways, selectorOf: selectorOf(policy, { scorer: own?.scorer }) };
  return own === undefined ? simulate(options) : simulateAsync(options, own.answered);
}
