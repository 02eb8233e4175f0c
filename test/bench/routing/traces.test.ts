import { describe, expect, it } from 'vitest';
import { type TraceOptions, traces } from '../../../bench/routing/traces.ts';
import { FEATURE_COUNT, FEATURES } from '../../../src/models/features.ts';
import { FAMILIES, type Family } from '../../../src/simulation/world/families.ts';

const family = (name: string): Family => FAMILIES.find((own) => own.name === name) as Family;
const column = (name: string): number => FEATURES.findIndex((own) => own.name === name);

const options: TraceOptions = {
  families: [family('slow'), family('correlated-failure')],
  firstSeed: 1_000,
  seeds: 2,
  length: { warmUpMs: 3_000, horizonMs: 12_000, rate: 200 },
  policies: [
    { by: 'random', capacities: 'undeclared', gateways: 1 },
    { by: 'adaptive', capacities: 'undeclared', gateways: 3 },
  ],
  sample: 0.2,
  lookAhead: true,
};

describe('traces', () => {
  const rows = traces(options);

  it('are the same for the same seeds', () => {
    expect(traces(options)).toEqual(rows);
  });

  it('hold failures and successes, weighted to what there was', () => {
    const events = 2 * 2 * 200 * 9;
    expect(rows.columns).toBe(FEATURE_COUNT);
    expect(rows.failed.filter((failed) => failed > 0).length).toBeGreaterThan(20);
    // Retries add some.
    const mass = rows.weight.reduce((sum, weight) => sum + weight, 0);
    expect(mass).toBeGreaterThan(events * 0.8);
    expect(mass).toBeLessThan(events * 1.8);
    for (const [row, failed] of rows.failed.entries()) expect(Number.isNaN(rows.logMs[row])).toBe(failed > 0);
  });

  it('are features of the target that was sent to', () => {
    const latency = column('ack_ewma_1s');
    const pairs = Array.from(rows.logMs.keys()).filter((row) => (rows.failed[row] as number) === 0);
    const seen = pairs.map((row) =>
      Math.log(Math.max(0.1, Math.expm1(rows.features[row * FEATURE_COUNT + latency] as number))),
    );
    expect(
      correlation(
        seen,
        pairs.map((row) => rows.logMs[row] as number),
      ),
    ).toBeGreaterThan(0.6);
  });

  it('have times that run from one scenario to the next', () => {
    for (let row = 0; row < rows.rows; row += 1)
      expect(rows.known[row] as number).toBeGreaterThan(rows.at[row] as number);
    expect(Math.max(...rows.at)).toBeGreaterThan(4 * 1_000_000);
  });

  it('are never made of what is held out', () => {
    expect(() => traces({ ...options, families: [family('antagonist')] })).toThrow('held out');
  });
});

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  const cross = mean(a.map((value, n) => (value - ma) * ((b[n] as number) - mb)));
  const spread = (values: readonly number[], m: number): number =>
    Math.sqrt(mean(values.map((value) => (value - m) ** 2)));
  return cross / spread(a, ma) / spread(b, mb);
}
