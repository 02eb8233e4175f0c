import { describe, expect, it } from 'vitest';
import type { Scorer } from '../../../src/core/scorer.ts';
import { FEATURE_COUNT, SCHEMA_HASH } from '../../../src/models/features.ts';
import { bench, run, targets } from './driver.ts';

const event = { bytes: 1_000 };

/** A model that finds one row's target better than the others. */
function favours(good: number, classes = 3): Scorer {
  return {
    sha: `favours-${good}`,
    score: (_features, rows) => {
      const scores = new Float32Array(rows * 3);
      for (let row = 0; row < rows; row += 1) {
        const ms = Math.floor(row / classes) === good ? 5 : 80;
        scores.set([Math.log(ms), Math.log(1.1 * ms), 0.001], row * 3);
      }
      return scores;
    },
  };
}

function most(counts: readonly number[]): number {
  return counts.indexOf(Math.max(...counts));
}

const alike = { targets: targets(3) };
const behave = (): { latencyMs: number } => ({ latencyMs: 5 });

describe('predictive', () => {
  it('does what the model says, and something else when the model is another one', () => {
    // Until the next tick: then outcomes begin to tell that neither is right.
    const ms = 20;
    const made = bench('predictive', alike, { scorer: favours(1) });
    expect(most(run(made, { ms, behave }))).toBe(1);
    expect(made.selector.choose(event)).toMatchObject({ by: 'model', policy: 'predictive' });
    expect(made.selector.explain(event)).toMatchObject({ by: 'model', model: 'favours-1', fallback: undefined });
    made.selector.use(favours(2));
    expect(most(run(made, { ms, behave }))).toBe(2);
    expect(made.selector.explain(event).model).toBe('favours-2');
  });

  it('fills a target as far as the model says that there is room', () => {
    const rooms = (told: readonly number[]): Scorer => ({
      score: (features, rows) => {
        const scores = favours(-1).score(features, rows) as Float32Array;
        const all = new Float32Array(4 * rows);
        all.set(scores.map((score, i) => (i % 3 === 2 ? score : score - Math.log(16))));
        for (let row = 0; row < rows; row += 1) all[3 * rows + row] = Math.log(told[Math.floor(row / 3)] as number);
        return all;
      },
    });
    const share = (told: readonly number[], config = alike): number => {
      const made = bench('predictive', config, { scorer: rooms(told) });
      const counts = run(made, { ms: 3_000, rate: 2, behave });
      return (counts[0] as number) / counts.reduce((sum, count) => sum + count);
    };
    expect(share([40, 10, 10])).toBeGreaterThan(1.2 * share([10, 10, 10]));
    const nothing = { targets: targets(3, () => ({ capacity: {} })) };
    expect(share([40, 10, 10], nothing)).toBeGreaterThan(1.2 * share([10, 10, 10], nothing));
    const declared = { targets: targets(3, () => ({ capacity: { concurrent: 10 } })) };
    expect(share([40, 10, 10], declared)).toBeCloseTo(share([10, 10, 10], declared), 1);
  });

  it('gives the scorer float32 rows of the schema, by target and size class', () => {
    const seen: [number, number][] = [];
    const scorer: Scorer = {
      schemaHash: SCHEMA_HASH,
      score: (features, rows) => {
        seen.push([features.length, rows]);
        return favours(0).score(features, rows);
      },
    };
    const made = bench('predictive', alike, { scorer });
    made.selector.tick();
    expect(seen).toEqual([[9 * FEATURE_COUNT, 9]]);
    expect(made.selector.snapshot()).toMatchObject({ tick: 1, rows: 9, classes: 3, columns: FEATURE_COUNT });
    expect(made.selector.snapshot()?.scores).toHaveLength(27);
  });

  it('scores 64 targets in 64 rows', () => {
    const made = bench('predictive', { targets: targets(64) }, { scorer: favours(7, 1) });
    made.selector.tick();
    expect(made.selector.snapshot()?.rows).toBe(64);
    expect(made.selector.choose(event).target).toBeGreaterThanOrEqual(0);
  });

  const broken: Record<string, Scorer['score']> = {
    'not a number': (_f, rows) => new Float32Array(rows * 3).fill(Number.NaN),
    'a probability above 1': (_f, rows) => new Float32Array(rows * 3).fill(2),
    'too few scores': () => new Float32Array(3),
    'an absurd latency': (_f, rows) => new Float32Array(rows * 3).fill(90),
    'a room that is no number': (_f, rows) => new Float32Array(rows * 4).fill(Number.NaN, rows * 3),
    'a promise of a plain list': (_f, rows) => Promise.resolve(new Array(rows * 3).fill(0.5) as never),
    'a promise of nothing': () => Promise.resolve(undefined as never),
    'a promise that fails': () => Promise.reject(new Error('no')),
    'an exception': () => {
      throw new Error('no');
    },
  };

  it.each(Object.entries(broken))('goes on without a model that gives %s', async (_name, score) => {
    const made = bench('predictive', alike, { scorer: { score } });
    run(made, { ms: 100, behave });
    await Promise.resolve();
    expect(made.selector.choose(event)).toMatchObject({ by: 'fallback', policy: 'adaptive' });
    expect(made.selector.explain(event).fallback).toBeDefined();
    expect(made.selector.snapshot()?.scores).toBeUndefined();
    made.selector.use(favours(0));
    made.selector.tick();
    expect(made.selector.choose(event).by).toBe('model');
  });

  it('refuses a model for other features', () => {
    const made = bench('predictive', alike, { scorer: { ...favours(1), schemaHash: 'other' } });
    made.selector.tick();
    expect(made.selector.choose(event).by).toBe('fallback');
    expect(made.selector.explain(event).fallback).toMatch(/features/);
  });

  it('uses scores for five ticks, and asks once at a time', async () => {
    const answers: ((scores: Float32Array) => void)[] = [];
    const later = favours(1);
    const made = bench('predictive', alike, {
      scorer: { score: () => new Promise((resolve) => answers.push(resolve)) },
    });
    made.selector.tick();
    expect(made.selector.choose(event).by).toBe('fallback');
    answers[0]?.((await later.score(new Float32Array(0), 9)) as Float32Array);
    await Promise.resolve();
    for (let i = 0; i < 5; i += 1) {
      expect(made.selector.choose(event).by).toBe('model');
      made.now += 20;
      made.selector.tick();
    }
    expect(answers).toHaveLength(2);
    expect(made.selector.choose(event).by).toBe('model');
    made.now += 20;
    made.selector.tick();
    expect(made.selector.choose(event).by).toBe('fallback');
    expect(made.selector.explain(event).fallback).toMatch(/stale/);
  });

  it('without a model is the analytic policy', () => {
    const made = bench('predictive', alike);
    made.selector.tick();
    expect(made.selector.choose(event)).toMatchObject({ by: 'fallback', policy: 'adaptive' });
    expect(made.selector.snapshot()).toBeUndefined();
  });

  it.each([1, 2, 3])('without a model chooses what the analytic policy chooses (seed %i)', (seed) => {
    const chosen = (['adaptive', 'predictive'] as const).map((by) => {
      const made = bench(by, { targets: targets(5, (i) => ({ cost: i / 20 })) }, { seed });
      const trail: number[] = [];
      run(made, {
        ms: 3_000,
        rate: 0.7,
        behave: (target, now) => ({ latencyMs: 3 + target + (now % 11), status: now % 97 === 0 ? 'failed' : 'ok' }),
        onChosen: (target) => trail.push(target),
      });
      return trail;
    });
    expect(chosen[0]?.length).toBeGreaterThan(2_000);
    expect(chosen[1]).toEqual(chosen[0]);
  });

  it('computes features without a model where they are wanted', () => {
    const made = bench('p2c-ewma', { ...alike, telemetry: true });
    made.selector.tick();
    expect(made.selector.snapshot()).toMatchObject({ tick: 1, scores: undefined });
  });
});
