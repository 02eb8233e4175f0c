import { describe, expect, it } from 'vitest';
import type { Scorer } from '../../src/core/scorer.ts';
import { bench, run, targets } from '../policies/selectors/driver.ts';

const event = { bytes: 1_000 };
const LATENCY = [5, 20, 60];

/** A model that says of each target what `ms` says, and a failure of so much. */
function says(ms: (target: number) => number, failure = 0.002): Scorer {
  return {
    sha: 'm',
    score: (_features, rows) => {
      const scores = new Float32Array(rows * 3);
      for (let row = 0; row < rows; row += 1) {
        const mean = ms(Math.floor((row * LATENCY.length) / rows));
        scores.set([Math.log(mean), Math.log(1.2 * mean), failure], row * 3);
      }
      return scores;
    },
  };
}

const config = { targets: targets(LATENCY.length) };
const behave = (target: number): { latencyMs: number } => ({ latencyMs: LATENCY[target] as number });
const truth = (target: number): number => LATENCY[target] as number;
const load = { ms: 6_000, rate: 0.5, behave };

describe('adaptation', () => {
  it('leaves a model that is right in force, and records its share', () => {
    const made = bench('predictive', config, { scorer: says(truth) });
    run(made, load);
    expect(made.selector.explain(event)).toMatchObject({ by: 'model', fallback: undefined });
    expect(made.selector.snapshot()?.lambda).toBeGreaterThan(0.5);
  });

  const wrong: Record<string, Scorer> = {
    'a fifth of it': says((target) => truth(target) / 5),
    'five times it': says((target) => truth(target) * 5),
    'the opposite': says((target) => 300 / truth(target)),
    'that everything fails': says(truth, 0.99),
  };

  it.each(Object.entries(wrong))('falls back from a model that says %s, by name, and chooses well', (_name, scorer) => {
    const made = bench('predictive', config, { scorer });
    run(made, load);
    expect(made.selector.choose(event)).toMatchObject({ by: 'fallback', policy: 'adaptive' });
    expect(made.selector.explain(event)).toMatchObject({
      by: 'fallback',
      model: 'm',
      fallback: 'forecasts are worse than averages',
    });
    // It is scored and recorded on.
    expect(made.selector.snapshot()).toMatchObject({ lambda: 0, scores: expect.any(Float32Array) });
    const counts = run(made, load);
    expect((counts[0] as number) / counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0.8);
  });

  it('comes back once the model is right again, and at once with another model', () => {
    let factor = 6;
    const scorer = says((target) => factor * truth(target));
    const made = bench('predictive', config, { scorer });
    run(made, load);
    expect(made.selector.choose(event).by).toBe('fallback');
    factor = 1;
    run(made, { ...load, ms: 500 });
    expect(made.selector.choose(event).by).toBe('fallback');
    run(made, { ...load, ms: 60_000 });
    expect(made.selector.choose(event).by).toBe('model');
    factor = 6;
    run(made, { ...load, ms: 30_000 });
    expect(made.selector.choose(event).by).toBe('fallback');
    made.selector.use(says(truth));
    made.selector.tick();
    expect(made.selector.choose(event).by).toBe('model');
  });

  it('corrects the 0.95 quantile by outcomes', () => {
    // One in ten takes four times as long, of which the model has no idea.
    const slow = (target: number, now: number): { latencyMs: number } => ({
      latencyMs: truth(target) * (now % 10 === 0 ? 4 : 1),
    });
    const made = bench('predictive', config, { scorer: says((target) => 1.2 * truth(target)) });
    run(made, { ...load, ms: 20_000, rate: 1, behave: slow });
    const [first] = made.selector.explain(event).candidates;
    expect(first?.parts['q95Ms']).toBeGreaterThan(15);
  });

  it('falls back where a model cannot know the state, and says so', () => {
    const made = bench('predictive', config, { scorer: says(() => 50_000) });
    const backlog = (): void => {
      for (const target of LATENCY.keys()) made.selector.backlog(target, 1e12, 0);
    };
    // Nothing is sent: no residual speaks.
    for (let tick = 0; tick < 200; tick += 1) {
      made.now += 20;
      backlog();
      made.selector.tick();
    }
    // A column or two are no reason.
    expect(made.selector.explain(event).fallback).toBeUndefined();
    run(made, { ms: 30_000, rate: 0.05, behave: () => ({ latencyMs: 70_000 }), timeoutMs: 80_000 });
    for (let tick = 0; tick < 200; tick += 1) {
      made.now += 20;
      backlog();
      made.selector.tick();
    }
    expect(made.selector.explain(event).fallback).toBe('features are out of range');
  });
});
