import { readRecords } from '../../src/telemetry/read.ts';

/** A stretch of time, in ms since 1970. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** What became of the decisions of some stretches. */
export interface Figures {
  readonly name: string;
  readonly decisions: number;
  /** Mean cost of a decision in ms, a failure counted at the timeout. */
  readonly cost: number;
  readonly p50: number;
  readonly p99: number;
  /** Share of failed sends. */
  readonly failures: number;
  /** Mean |log ms − forecast|; NaN where no model scored. */
  readonly residual: number;
}

/** What figures are asked of. */
export interface Arm {
  readonly name: string;
  readonly stretches: readonly Stretch[];
  /** Only decisions for this target. */
  readonly target?: string;
  /** Whether forecasts were the arm's own. */
  readonly forecasts: boolean;
}

/** Figures of some arms, from telemetry. */
export async function figures(directory: string, arms: readonly Arm[], timeoutMs: number): Promise<readonly Figures[]> {
  const sums = arms.map(() => ({ ms: [] as number[], cost: 0, failed: 0, residual: 0, forecasts: 0 }));
  for await (const record of readRecords(directory)) {
    if (!('decision' in record) || record.ackMs === undefined) continue;
    const { ts, outcome, ackMs, predicted, chosen } = record;
    if (outcome === 'recalled' || outcome === 'breaker' || outcome === 'open') continue;
    for (const [at, { stretches, forecasts, target = chosen }] of arms.entries()) {
      if (target !== chosen) continue;
      if (!stretches.some(({ from, to }) => ts >= from && ts < to)) continue;
      const sum = sums[at] as (typeof sums)[number];
      const ms = outcome === 'ok' ? ackMs : timeoutMs;
      sum.ms.push(ms);
      sum.cost += ms;
      if (outcome !== 'ok') sum.failed += 1;
      if (!forecasts || outcome !== 'ok' || predicted === undefined) continue;
      sum.residual += Math.abs(Math.log(ms) - predicted.mean);
      sum.forecasts += 1;
    }
  }
  return arms.map(({ name }, at) => {
    const { ms, cost, failed, residual, forecasts } = sums[at] as (typeof sums)[number];
    const sorted = Float64Array.from(ms).sort();
    const quantile = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
    const decisions = ms.length;
    return {
      name,
      decisions,
      cost: cost / decisions,
      p50: quantile(0.5),
      p99: quantile(0.99),
      failures: failed / decisions,
      residual: residual / forecasts,
    };
  });
}

/** The figures as a table. */
export function figuresText(rows: readonly Figures[]): string {
  const head = ['', 'DECISIONS', 'J ms', 'P50 ms', 'P99 ms', 'FAILED', 'RESIDUAL'];
  const number = (value: number): string => (Number.isNaN(value) ? '-' : value.toFixed(value < 1 ? 2 : 1));
  const cells = rows.map(({ name, decisions, cost, p50, p99, failures, residual }) => [
    name,
    String(decisions),
    ...[cost, p50, p99].map(number),
    `${(failures * 100).toFixed(2)} %`,
    number(residual),
  ]);
  const widths = head.map((_, at) => Math.max(...[head, ...cells].map((row) => (row[at] as string).length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ');
  return `${[head, ...cells].map(line).join('\n')}\n`;
}
