import { describe, expect, test } from 'vitest';
import type { SliceFigures } from '../../src/learning/cost-book.ts';
import { type Move, ROLLOUT_RULES, Rollout, type RolloutRules } from '../../src/learning/rollout.ts';
import { seeded } from '../setup/seeded.ts';

const RULES: RolloutRules = {
  ...ROLLOUT_RULES,
  shadowSlices: 6,
  steps: [
    { share: 0.05, slices: 40 },
    { share: 0.25, slices: 80 },
    { share: 1, slices: 5 },
  ],
  watchSlices: 10,
};

type World = (byCandidate: boolean, n: number) => Partial<SliceFigures>;

function drive(rules: RolloutRules, world: World, options: { seed?: number; atMost?: number } = {}) {
  const random = seeded(options.seed ?? 1);
  const rollout = new Rollout(rules, random);
  const arms: boolean[] = [];
  const moves: Move[] = [];
  const shares = new Set<number>();
  for (let n = 0; n < (options.atMost ?? 2_000); n += 1) {
    const byCandidate = rollout.next();
    arms.push(byCandidate);
    shares.add(rollout.share);
    const noise = Math.exp((random() - 0.5) * 0.4);
    const { cost = 20, ...rest } = world(byCandidate, n);
    const move = rollout.took(byCandidate, { events: 200, failures: 0.001, ...rest, cost: cost * noise });
    if (move !== 'go-on') moves.push(move);
    if (rollout.phase === 'shadow' && rollout.shadowed === 'yes') rollout.passedShadow();
    if (rollout.phase === 'shadow' && rollout.shadowed === 'never') rollout.giveUp('nothing is decided');
    if (move === 'promote') rollout.promoted();
    if (rollout.phase === 'kept' || rollout.phase === 'rolled-back') break;
  }
  return { rollout, arms, moves, shares: [...shares] };
}

describe('a rollout', () => {
  test('takes a candidate that is no worse through all steps', () => {
    const { rollout, moves, shares, arms } = drive(RULES, () => ({}));
    expect(rollout.phase).toBe('kept');
    expect(moves).toEqual(['step', 'step', 'promote', 'keep']);
    expect(shares).toEqual([0, 0.05, 0.25, 1]);
    expect(arms.slice(0, 6)).toEqual(Array(6).fill(false));
    expect(arms.slice(6, 46).filter(Boolean)).toHaveLength(2);
  });

  test('gives up one that costs more, in the first step where that is plain', () => {
    const { rollout, shares } = drive(RULES, (byCandidate) => ({ cost: byCandidate ? 26 : 20 }));
    expect(rollout.phase).toBe('rolled-back');
    expect(rollout.reason).toMatch(/worse/);
    expect(shares).not.toContain(1);
  });

  test('gives up one with which more sends fail', () => {
    const { rollout } = drive(RULES, (byCandidate, n) => ({ failures: (byCandidate ? 0.05 : 0.01) + (n % 3) / 1_000 }));
    expect(rollout.phase).toBe('rolled-back');
    expect(rollout.reason).toMatch(/5\.\d % failures instead of 1\.\d %/);
  });

  test('ends at once where one slice is far worse', () => {
    const { rollout, arms } = drive(RULES, (byCandidate) => ({ cost: byCandidate ? 200 : 20 }));
    expect(rollout.phase).toBe('rolled-back');
    expect(rollout.reason).toMatch(/a slice cost/);
    expect(arms.filter(Boolean)).toHaveLength(1);
    expect(arms.at(-1)).toBe(true);
  });

  test('ends within a slice, too', () => {
    const rollout = new Rollout(RULES, seeded(3));
    for (let n = 0; n < 6; n += 1) rollout.took(false, { events: 200, cost: 20 + (n % 2), failures: 0 });
    rollout.passedShadow();
    expect(rollout.glimpsed(false, { events: 50, cost: 500, failures: 0 })).toBe(false);
    expect(rollout.glimpsed(true, { events: 5, cost: 500, failures: 0 })).toBe(false);
    expect(rollout.glimpsed(true, { events: 50, cost: 21, failures: 0.5 })).toBe(true);
    expect(rollout.reason).toBe('50.0 % of the sends of a slice failed, where 0.0 % is usual');
  });

  test('what cannot be told apart from worse is given up in the end', () => {
    const rules = { ...RULES, costMargin: 0.005, patience: 2 };
    const { rollout } = drive(rules, () => ({}));
    expect(rollout.phase).toBe('rolled-back');
    expect(rollout.reason).toMatch(/not shown to be no worse/);
  });

  test('slices without decisions tell nothing', () => {
    const { rollout } = drive(RULES, (byCandidate) => (byCandidate ? { events: 3 } : {}));
    expect(rollout.reason).toMatch(/too few decisions/);
    expect(drive(RULES, () => ({ events: 0 })).rollout.reason).toBe('nothing is decided');
  });

  test('in force it is watched: one bad slice is not enough, two in a row are', () => {
    let inForce = 0;
    const once = drive(RULES, (byCandidate, n) => {
      inForce = byCandidate ? inForce + 1 : 0;
      return inForce > 0 && n % 4 === 0 && inForce > 8 ? { cost: 300 } : {};
    });
    expect(once.rollout.phase).toBe('kept');
    let run = 0;
    const lasting = drive(RULES, (byCandidate) => {
      run = byCandidate ? run + 1 : 0;
      return run > 8 ? { cost: 300 } : {};
    });
    expect(lasting.rollout.phase).toBe('rolled-back');
    expect(lasting.moves).toEqual(['step', 'step', 'promote', 'roll-back']);
  });

  test('equal candidates are seldom given up, ones that cost a quarter more never pass', () => {
    const outcome = (cost: number): number =>
      Array.from({ length: 60 }, (_, seed) =>
        drive(RULES, (byCandidate) => ({ cost: byCandidate ? cost : 20 }), { seed: seed + 1 }),
      ).filter(({ rollout }) => rollout.phase === 'kept').length;
    expect(outcome(20)).toBeGreaterThanOrEqual(54);
    expect(outcome(25)).toBe(0);
  });
});
