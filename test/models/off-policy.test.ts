import { expect, test } from 'vitest';
import type { LoggedDecision } from '../../src/core/training-row.ts';
import { FEATURE_COUNT } from '../../src/models/features.ts';
import { OffPolicy, type OffPolicyEstimate } from '../../src/models/off-policy.ts';
import { seeded } from '../setup/seeded.ts';

/** Two targets, one of them quick in every other stretch of time; chosen at random with the given chance for the first. */
function logged(count: number, chance: number, seed = 1): { decisions: LoggedDecision[]; quick: number[] } {
  const random = seeded(seed);
  const quick: number[] = [];
  const decisions = Array.from({ length: count }, (_, i): LoggedDecision => {
    const best = Math.floor(i / 10) % 2;
    quick.push(best);
    const chosen = random() < chance ? 0 : 1;
    return {
      ts: i,
      eligible: ['a', 'b'],
      features: new Float32Array(2 * FEATURE_COUNT).fill(0),
      chosen,
      propensity: chosen === 0 ? chance : 1 - chance,
      cost: 0,
      ms: (chosen === best ? 10 : 100) * (0.8 + 0.4 * random()),
      failed: false,
      weight: 1,
    };
  });
  return { decisions, quick };
}

/** @param opinion Predicted latencies of both, given the quick one. */
function estimate(
  { decisions, quick }: ReturnType<typeof logged>,
  opinion: (quick: number) => readonly [number, number],
): OffPolicyEstimate {
  const policy = new OffPolicy(new Map(), {});
  for (const [i, decision] of decisions.entries()) {
    const [a, b] = opinion(quick[i] as number).map(Math.log) as [number, number];
    policy.add(decision, Float32Array.of(a, a, 0, b, b, 0));
  }
  return policy.estimate();
}

const right = (quick: number): readonly [number, number] => (quick === 0 ? [10, 100] : [100, 10]);
const wrong = (quick: number): readonly [number, number] => (quick === 0 ? [100, 10] : [10, 100]);
/** Right about which is better, wrong about how much: only what was seen can tell the cost. */
const biased = (quick: number): readonly [number, number] => (quick === 0 ? [30, 60] : [60, 30]);

test('both estimates find what other decisions would have cost', () => {
  const log = logged(20_000, 0.5);
  const best = 0.995 * 10 + 0.005 * 100;
  for (const opinion of [right, biased]) {
    const told = estimate(log, opinion);
    expect(told.logged).toBeCloseTo(55, -1);
    expect(Math.abs(told.snips - best)).toBeLessThan(0.5);
    expect(Math.abs(told.doublyRobust - best)).toBeLessThan(0.5);
  }
  const told = estimate(log, wrong);
  expect(Math.abs(told.doublyRobust - 99.5)).toBeLessThan(3);
  expect(Math.abs(told.snips - 99.5)).toBeLessThan(3);
});

test('how much they rest on falls where what is asked was seldom done', () => {
  const even = estimate(logged(5_000, 0.5), () => [10, 100]);
  const seldom = estimate(logged(5_000, 0.01), () => [10, 100]);
  expect(even.effectiveShare).toBeGreaterThan(0.45);
  expect(seldom.effectiveShare).toBeLessThan(0.05);
});

test('failures count as the timeout; costs of targets count', () => {
  const [one] = logged(1, 0.5).decisions as [LoggedDecision];
  const policy = new OffPolicy(new Map([['a', 2]]), { timeoutMs: 500, costMs: 10, explore: 0 });
  const scores = Float32Array.of(Math.log(10), Math.log(10), 0, Math.log(400), Math.log(400), 0);
  policy.add({ ...one, chosen: 0, propensity: 0.5, failed: true, ms: 3, cost: 2 }, scores);
  const { logged: cost, doublyRobust } = policy.estimate();
  expect(cost).toBe(520);
  // expected 30, seen 520, twice as likely
  expect(doublyRobust).toBeCloseTo(30 + 2 * (520 - 30), 3);
});

test('what is far dearer is tried as seldom as by the policy: a model that is right looks no worse than what was logged', () => {
  const random = seeded(4);
  const policy = new OffPolicy(new Map(), { explore: 0.04 });
  // Explored by the policy: 0.04 × 20 / (400 - 20).
  const tried = (0.04 * 20) / 380;
  for (let i = 0; i < 20_000; i += 1) {
    const chosen = random() < tried ? 1 : 0;
    const [ms, propensity] = chosen === 0 ? [20, 1 - tried] : [400, tried];
    const features = new Float32Array(2 * FEATURE_COUNT);
    const decision = {
      ts: i,
      eligible: ['a', 'b'],
      features,
      chosen,
      propensity,
      cost: 0,
      ms,
      failed: false,
      weight: 1,
    };
    policy.add(decision, Float32Array.of(Math.log(20), Math.log(20), 0, Math.log(400), Math.log(400), 0));
  }
  const { logged: before, doublyRobust } = policy.estimate();
  expect(Math.abs(doublyRobust - before)).toBeLessThan(0.5);
});
