import type { Figures } from '../../src/simulation/figures.ts';
import { stream } from '../../src/simulation/world/random.ts';
import type { Outcome } from './evaluate.ts';
import type { Policy } from './policies.ts';

/** A figure with the 95 % interval that resampling its seeds gives. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** What is compared. Ratios of J and latencies are taken seed by seed, those of failures family by family. */
export type Measure = 'j' | 'p50Ms' | 'p99Ms' | 'p999Ms' | 'failed';

const RESAMPLES = 1_000;

/**
 * Geometric mean of a policy's figure over another's. J and percentiles: of the same family and seed, over all of them.
 * Failures: all of a family together (a seed may have none) with one added on both sides, then over the families in which
 * either policy failed anything: where neither did, there is nothing to compare.
 * Intervals: seeds drawn anew within each family (percentile bootstrap).
 */
export function ratio(
  outcomes: readonly Outcome[],
  policy: Policy,
  other: Policy,
  measure: Measure,
  families: (name: string, heldOut: boolean) => boolean,
): Estimate | undefined {
  const pairs = pairsOf(outcomes, policy, other, measure, families).filter(
    (own) => measure !== 'failed' || own.some(([ours, theirs]) => ours + theirs > 0),
  );
  if (pairs.length === 0) return undefined;
  const combine = measure === 'failed' ? summed : meanLog;
  const mean = (take: (own: readonly Pair[]) => readonly Pair[]): number =>
    Math.exp(pairs.reduce((sum, own) => sum + combine(take(own)), 0) / pairs.length);
  const value = mean((own) => own);
  const random = stream(1, 77);
  const draws = Array.from({ length: RESAMPLES }, () =>
    mean((own) => own.map(() => own[Math.floor(random() * own.length)] as Pair)),
  ).sort((a, b) => a - b);
  const at = (q: number): number => draws[Math.floor(q * (RESAMPLES - 1))] as number;
  return { value, low: at(0.025), high: at(0.975) };
}

type Pair = readonly [number, number];

/** By family, the two policies' figures seed by seed. */
function pairsOf(
  outcomes: readonly Outcome[],
  policy: Policy,
  other: Policy,
  measure: Measure,
  families: (name: string, heldOut: boolean) => boolean,
): readonly (readonly Pair[])[] {
  const others = new Map<string, number>();
  for (const one of outcomes)
    if (same(one.policy, other)) others.set(`${one.family} ${one.seed}`, one.figures[measure]);
  const byFamily = new Map<string, Pair[]>();
  for (const one of outcomes) {
    if (!same(one.policy, policy) || !families(one.family, one.heldOut)) continue;
    const theirs = others.get(`${one.family} ${one.seed}`);
    if (theirs === undefined) continue;
    const pairs = byFamily.get(one.family) ?? [];
    byFamily.set(one.family, pairs);
    pairs.push([one.figures[measure], theirs]);
  }
  return [...byFamily.values()];
}

function meanLog(pairs: readonly Pair[]): number {
  return pairs.reduce((sum, [own, other]) => sum + Math.log(own / other), 0) / pairs.length;
}

function summed(pairs: readonly Pair[]): number {
  const total = (side: 0 | 1): number => pairs.reduce((sum, pair) => sum + pair[side], 1);
  return Math.log(total(0) / total(1));
}

export function same(a: Policy, b: Policy): boolean {
  return a.by === b.by && a.capacities === b.capacities && a.gateways === b.gateways && a.truth === b.truth;
}

/** Outcomes of one policy, of all families or some. */
export function of(
  outcomes: readonly Outcome[],
  policy: Policy,
  families: (name: string, heldOut: boolean) => boolean = () => true,
): readonly Figures[] {
  return outcomes.flatMap((one) =>
    same(one.policy, policy) && families(one.family, one.heldOut) ? [one.figures] : [],
  );
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
