import { describe, expect, test } from 'vitest';
import { type GateInput, gate } from '../../src/models/gate.ts';
import type { Evaluation, Metrics } from '../../src/models/metrics.ts';
import type { PairedErrors } from '../../src/models/paired.ts';

const good: Metrics = {
  rows: 1_000,
  logMae: 0.2,
  pinball: 0.03,
  coverage: 0.95,
  logLoss: 0.1,
  failureError: 0.005,
  failureNoise: 0.01,
};
const average: Metrics = { ...good, logMae: 0.3, pinball: 0.05, logLoss: 0.12 };

function of(metrics: Metrics, byTarget: Record<string, Metrics> = { a: metrics, b: metrics }): Evaluation {
  return { overall: metrics, byTarget };
}

const passing: GateInput = {
  candidate: of(good),
  incumbent: of({ ...good, logMae: 0.21, pinball: 0.031, logLoss: 0.11 }),
  baselines: [of(average), of({ ...average, logMae: 0.28 })],
  goldenDifference: 1e-7,
  scoreMicros: 300,
};

function failedChecks(change: Partial<GateInput>): string[] {
  const { checks, passed } = gate({ ...passing, ...change });
  const failed = checks.filter((check) => !check.passed);
  expect(passed).toBe(failed.length === 0);
  return failed.map(({ name, target }) => (target === undefined ? name : `${name} ${target}`));
}

describe('the gate', () => {
  test('passes what is better in everything, with or without an incumbent', () => {
    expect(failedChecks({})).toEqual([]);
    expect(failedChecks({ incumbent: undefined })).toEqual([]);
  });

  test('asks for better than the incumbent, not as good', () => {
    expect(failedChecks({ incumbent: of(good) })).toEqual([
      "logMae below the incumbent's",
      "pinball below the incumbent's",
    ]);
    expect(failedChecks({ incumbent: of({ ...average, logLoss: good.logLoss - 0.01 }) })).toEqual([
      "logLoss below the incumbent's",
    ]);
  });

  test('compares with the best average, target by target', () => {
    const baselines = [of(average), of(average, { a: average, b: { ...average, pinball: 0.02 } })];
    expect(failedChecks({ baselines })).toEqual(['pinball of the target b']);
    expect(failedChecks({ baselines: [of(average, { a: average })] })).toEqual([
      'logMae of the target b',
      'pinball of the target b',
      'logLoss of the target b',
    ]);
  });

  test('leaves to chance what chance does to a target, and no more', () => {
    const worse = of(good, { a: good, b: { ...good, logMae: 0.32 } });
    const errors = (logMae: number): PairedErrors => {
      const ofB = { logMae, pinball: 0, logLoss: 0 };
      return { overall: ofB, byTarget: { b: ofB } };
    };
    const held = (error: number): string[] =>
      failedChecks({ candidate: worse, baselines: [{ ...of(average), errors: errors(error) }] });
    expect(held(0)).toEqual(['logMae of the target b']);
    expect(held(0.003)).toEqual(['logMae of the target b']);
    expect(held(0.01)).toEqual([]);
    expect(held(Number.NaN)).toEqual(['logMae of the target b']);
    // The best average counts with its own chance.
    const sure = { ...of(average), errors: errors(0) };
    expect(failedChecks({ candidate: worse, baselines: [{ ...of(average), errors: errors(0.1) }, sure] })).toHaveLength(
      1,
    );
  });

  test('does not judge a target of few rows, and says so; none at all are no pass', () => {
    const byTarget = { a: good, rare: { ...good, rows: 10, logMae: 9 } };
    const report = gate({ ...passing, candidate: of(good, byTarget) });
    expect([report.passed, report.unjudged]).toEqual([true, ['rare']]);
    expect(failedChecks({ candidate: of({ ...good, rows: 10 }) })).toEqual(['rows']);
  });

  test('a target that never succeeds is judged by its failures alone', () => {
    const dead: Metrics = { ...good, logMae: Number.NaN, pinball: Number.NaN, coverage: Number.NaN };
    const baselines = [of(average, { a: average, dead: { ...dead, logLoss: 0.2 } })];
    expect(failedChecks({ candidate: of(good, { a: good, dead }), baselines })).toEqual([]);
  });

  test('where nothing fails, both are near 0 and that is as good', () => {
    const candidate = of({ ...good, logLoss: 0.002 });
    const baselines = [of({ ...average, logLoss: 0.0001 })];
    expect(failedChecks({ candidate, baselines, incumbent: undefined })).toEqual([]);
  });

  test('asks for calibration', () => {
    expect(failedChecks({ candidate: of({ ...good, coverage: 0.9 }) })).toEqual(['coverage error of q95']);
    expect(failedChecks({ candidate: of({ ...good, coverage: 0.99 }) })).toEqual(['coverage error of q95']);
    expect(failedChecks({ candidate: of({ ...good, failureError: 0.05 }) })).toEqual(['calibration error of p_fail']);
  });

  test('is a screen for decisions that would have been worse, where enough tells of it', () => {
    const seen = { decisions: 2_000, logged: 50, snips: 70, doublyRobust: 70, error: 5, effectiveShare: 0.2 };
    expect(failedChecks({ offPolicy: seen })).toEqual(['ms per logged decision, at least']);
    expect(failedChecks({ offPolicy: { ...seen, error: 15 } })).toEqual([]);
    expect(failedChecks({ offPolicy: { ...seen, effectiveShare: 0.04 } })).toEqual([]);
    expect(failedChecks({ offPolicy: { ...seen, decisions: 100 } })).toEqual([]);
    expect(gate({ ...passing, offPolicy: seen }).offPolicy).toEqual(seen);
  });

  test('asks for golden parity and speed; what was not measured does not pass', () => {
    expect(failedChecks({ goldenDifference: 0.01, scoreMicros: 5_000 })).toEqual(['golden rows', 'µs for 64 rows']);
    expect(failedChecks({ goldenDifference: undefined, scoreMicros: undefined })).toHaveLength(2);
    expect(failedChecks({ baselines: [] }).length).toBeGreaterThan(0);
    expect(failedChecks({ candidate: of({ ...good, logMae: Number.NaN }) }).length).toBeGreaterThan(0);
  });
});
