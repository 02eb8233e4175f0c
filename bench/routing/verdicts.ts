import { type Estimate, geometricMean, type Measure, of, ratio } from './compare.ts';
import type { Outcome } from './evaluate.ts';
import { BASE, type Capacities, MODEL_OFF, MODEL_ON, type Policy } from './policies.ts';

/** A goal that simulation can judge, and what it was. */
export interface Verdict {
  readonly what: string;
  /** The ratio; undefined where it was not measured. */
  readonly value: Estimate | undefined;
  /** The same ratio for the policy with the model off, where that says something. */
  readonly withoutModel: Estimate | undefined;
  /** The same ratio with the truth for a forecast, where that says something: what a perfect model would reach. */
  readonly clairvoyant: Estimate | undefined;
  /** The same ratio for a policy that knows everything at every event: what none that has to find it out can reach. */
  readonly omniscient: Estimate | undefined;
  readonly atMost: number;
  /** Of how many seeds per family. */
  readonly seeds: number;
}

export function holds({ value, atMost }: Verdict): boolean | undefined {
  return value === undefined || Number.isNaN(value.value) ? undefined : value.value <= atMost;
}

type Families = (name: string, heldOut: boolean) => boolean;
const everywhere: Families = () => true;
const unseen: Families = (_name, heldOut) => heldOut;
const named =
  (...names: readonly string[]): Families =>
  (name) =>
    names.includes(name);

/** The goals of smart routing. They are about `predictive`; what cannot be judged without a model is said to be so. */
export function verdictsOf(outcomes: readonly Outcome[]): readonly Verdict[] {
  const seedsOf = (families: Families, { gateways }: Policy): number => {
    const own = outcomes.filter(
      ({ family, heldOut, policy }) => policy.gateways === gateways && families(family, heldOut),
    );
    const counts = [...new Set(own.map(({ family }) => family))].map(
      (name) => new Set(own.filter(({ family }) => family === name).map(({ seed }) => seed)).size,
    );
    return counts.length === 0 ? 0 : Math.min(...counts);
  };
  const policy = (by: Policy['by'], capacities: Capacities = 'undeclared', gateways = 1): Policy => ({
    by,
    capacities,
    gateways,
  });
  const base = policy(BASE);
  const c3 = policy('c3', 'declared');
  const best = bestAtSteady(outcomes);
  const bound = (
    truth: 'forecast' | 'everything',
    own: Policy,
    other: Policy,
    measure: Measure,
    families: Families,
  ): Estimate | undefined =>
    other.by === MODEL_OFF ? ratio(outcomes, { ...own, truth }, other, measure, families) : undefined;
  const goal = (
    what: string,
    atMost: number,
    [own, other]: readonly [Policy, Policy],
    measure: Measure,
    families: Families,
  ): Verdict => ({
    what,
    value: ratio(outcomes, own, other, measure, families),
    clairvoyant: bound('forecast', own, other, measure, families),
    omniscient: bound('everything', own, other, measure, families),
    withoutModel: other.by === MODEL_OFF ? undefined : ratio(outcomes, off(own), off(other), measure, families),
    atMost,
    seeds: seedsOf(families, own),
  });
  const model = policy(MODEL_ON);
  const told = policy(MODEL_ON, 'declared');
  return [
    goal('held out, J ÷ P2C peak EWMA', 0.8, [model, base], 'j', unseen),
    goal('held out, p99 ÷ P2C peak EWMA', 0.65, [model, base], 'p99Ms', unseen),
    goal('held out, failures ÷ P2C peak EWMA', 0.5, [model, base], 'failed', unseen),
    goal('held out, J ÷ the same with the model off', 0.9, [model, off(model)], 'j', unseen),
    goal('all families, J ÷ the same with the model off', 0.9, [model, off(model)], 'j', everywhere),
    goal('periodic, J ÷ the same with the model off', 0.8, [model, off(model)], 'j', named('periodic')),
    goal('cost tiers, J ÷ the same with the model off', 0.8, [model, off(model)], 'j', named('cost-tiers')),
    goal(`steady, J ÷ the best baseline (${best?.by ?? '–'})`, 1.03, [model, best ?? base], 'j', named('steady')),
    goal('declared, held out, J ÷ C3 told capacities', 1.03, [told, c3], 'j', unseen),
    goal('declared, flash crowd, J ÷ C3 told capacities', 1, [told, c3], 'j', named('flash-crowd')),
    goal('declared, cost tiers, J ÷ C3 told capacities', 1, [told, c3], 'j', named('cost-tiers')),
    goal('declared, held out, failures ÷ C3 told capacities', 1, [told, c3], 'failed', unseen),
    goal('8 gateways, p99 ÷ one gateway', 1.3, [policy(MODEL_ON, 'undeclared', 8), model], 'p99Ms', everywhere),
  ];
}

/** The same policy with the model off. */
function off(policy: Policy): Policy {
  return policy.by === MODEL_ON ? { ...policy, by: MODEL_OFF } : policy;
}

/** The policy other than ours with the least J in the steady state, capacities undeclared. */
function bestAtSteady(outcomes: readonly Outcome[]): Policy | undefined {
  const candidates = new Map<string, Policy>();
  for (const { policy } of outcomes)
    if (
      policy.capacities === 'undeclared' &&
      policy.gateways === 1 &&
      policy.by !== MODEL_ON &&
      policy.by !== MODEL_OFF
    )
      candidates.set(policy.by, policy);
  const mean = (policy: Policy): number => geometricMean(of(outcomes, policy, named('steady')).map(({ j }) => j));
  const steady = outcomes.some(({ family }) => family === 'steady');
  return steady ? [...candidates.values()].sort((a, b) => mean(a) - mean(b))[0] : undefined;
}
