import type { Scorer } from '../../src/core/scorer.ts';
import type { SelectorName } from '../../src/core/selector.ts';
import { createSelector } from '../../src/selecting.ts';
import { configOf } from '../../src/simulation/operator.ts';
import type { SelectorOf } from '../../src/simulation/run.ts';
import { stream } from '../../src/simulation/world/random.ts';
import { clairvoyant } from './clairvoyant.ts';
import { omniscient } from './omniscient.ts';

/** `undeclared`: every policy has to find out what targets can do. `declared`: all are told. */
export type Capacities = 'undeclared' | 'declared';

export interface Policy {
  readonly by: SelectorName;
  readonly capacities: Capacities;
  readonly gateways: number;
  /** A bound, no policy: with the truth for a forecast, or for everything at every event. */
  readonly truth?: 'forecast' | 'everything' | undefined;
}

/** What everything is compared with. */
export const BASE: SelectorName = 'p2c-ewma';

/** The product's own: the analytic policy, and the same with the model on. */
export const MODEL_OFF: SelectorName = 'adaptive';
export const MODEL_ON: SelectorName = 'predictive';

const BASELINES: readonly SelectorName[] = [
  'round-robin',
  'random',
  'weighted',
  'priority',
  'least-inflight',
  'p2c-least-inflight',
  BASE,
  'c3',
  'prequal',
];
/** Those to which it makes a difference what is declared, and the one that all are compared with. */
const TOLD: readonly SelectorName[] = ['weighted', BASE, 'c3', 'prequal'];
/** Policies that are run with several gateways, too. */
const SEVERAL: readonly SelectorName[] = [BASE, 'c3', MODEL_OFF, MODEL_ON];

/** All that is run. Without a model `predictive` is left out: it would be `adaptive` under another name. */
export function policies(withModel: boolean): readonly Policy[] {
  const ours = withModel ? [MODEL_OFF, MODEL_ON] : [MODEL_OFF];
  const single = (['undeclared', 'declared'] as const).flatMap((capacities) =>
    [...(capacities === 'declared' ? TOLD : BASELINES), ...ours].map((by): Policy => ({ by, capacities, gateways: 1 })),
  );
  const several = [3, 8].flatMap((gateways) =>
    SEVERAL.filter((by) => withModel || by !== MODEL_ON).map(
      (by): Policy => ({ by, capacities: 'undeclared', gateways }),
    ),
  );
  const bounds = (['undeclared', 'declared'] as const).map(
    (capacities): Policy => ({ by: MODEL_ON, capacities, gateways: 1, truth: 'forecast' }),
  );
  const all: Policy = { by: MODEL_ON, capacities: 'undeclared', gateways: 1, truth: 'everything' };
  return [...single, ...several, ...bounds, all];
}

/** Each gateway has a selector of its own, with its own view and its own chance. */
export function selectorOf(
  policy: Policy,
  options: { readonly scorer?: Scorer | undefined; readonly telemetry?: boolean } = {},
): SelectorOf {
  return ({ world, gateway, now, wall, waitMs }) => {
    const random = stream(world.seed, 1_000 + gateway);
    const { by, capacities, gateways } = policy;
    const config = {
      ...configOf(world, { by, gateways, told: capacities === 'declared' }),
      telemetry: options.telemetry ?? false,
    };
    if (policy.truth === 'everything') return omniscient(config, { now, wall, random }, world, waitMs);
    const scorer = policy.truth === 'forecast' ? clairvoyant(world, now, waitMs) : options.scorer;
    return createSelector(config, { now, wall, random, scorer });
  };
}

export function nameOf({ by, gateways, truth }: Policy): string {
  if (truth !== undefined) return truth === 'forecast' ? '(clairvoyant)' : '(omniscient)';
  return gateways === 1 ? by : `${by} × ${gateways}`;
}
