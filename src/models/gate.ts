import type { ClosedLoopReport } from '../core/closed-loop.ts';
import { CLOSED_LOOP_RULES, type ClosedLoopRules, closedLoopChecks } from './closed-loop-checks.ts';
import type { GateCheck } from './gate-check.ts';
import type { Evaluation, LossName, Metrics } from './metrics.ts';
import type { OffPolicyEstimate } from './off-policy.ts';
import { byChance, type PairedErrors } from './paired.ts';

/** An average, and how far chance takes what the candidate differs from it. */
export interface Baseline extends Evaluation {
  /** None: nothing is left to chance. */
  readonly errors?: PairedErrors | undefined;
}

/** What is known of a model that may replace another. */
export interface GateInput {
  readonly candidate: Evaluation;
  /** Of the model in force, on the same rows. */
  readonly incumbent?: Evaluation | undefined;
  /** Of averages per target, on the same rows; of several the best counts, target by target. */
  readonly baselines: readonly Baseline[];
  /** Greatest difference between the golden rows of the model and its answers; undefined where they were not run. */
  readonly goldenDifference: number | undefined;
  /** Median time to score 64 rows, in µs; undefined where it was not measured. */
  readonly scoreMicros: number | undefined;
  /** What logged decisions would have cost; undefined where none were logged. */
  readonly offPolicy?: OffPolicyEstimate | undefined;
  /** What became of simulated events; undefined where nothing was simulated. */
  readonly closedLoop?: ClosedLoopReport | undefined;
}

export interface GateRules {
  /** Least rows, overall and of a target that is judged. */
  readonly minRows: number;
  /** How much worse than the best average a target may be, as a share, beyond what chance does. */
  readonly tolerance: number;
  /** How much worse, in nats, the cross entropy of failures may be: where nothing fails, it is near 0 for all. */
  readonly logLossSlack: number;
  /** How far the coverage of the 0.95 quantile may be off, overall. */
  readonly coverageError: number;
  /** How far `p_fail` may be off on average, beyond what chance does. */
  readonly failureError: number;
  readonly goldenDifference: number;
  readonly scoreMicros: number;
  /** Least decisions, and least share of them that count, for the estimate from logged decisions to be judged. */
  readonly minDecisions: number;
  readonly effectiveShare: number;
  readonly closedLoop: ClosedLoopRules;
}

export const GATE_RULES: GateRules = {
  minRows: 200,
  tolerance: 0.02,
  logLossSlack: 0.005,
  coverageError: 0.03,
  failureError: 0.02,
  goldenDifference: 1e-4,
  scoreMicros: 2_000,
  minDecisions: 500,
  effectiveShare: 0.05,
  closedLoop: CLOSED_LOOP_RULES,
};

const Z95 = 1.645;

export interface GateReport {
  readonly passed: boolean;
  readonly checks: readonly GateCheck[];
  /** Targets with too few rows to judge. */
  readonly unjudged: readonly string[];
  /** Judged only where it rests on enough decisions. */
  readonly offPolicy?: OffPolicyEstimate;
  readonly closedLoop?: ClosedLoopReport;
}

/** Measures where less is better. */
const LOSSES: readonly LossName[] = ['logMae', 'pinball', 'logLoss'];

/**
 * Whether a model may replace the one in force: better than it overall, not worse than a plain average for any target,
 * calibrated, reproducing its golden rows, fast enough, and no worse where its own decisions make what it is asked next.
 * Pure; what was not measured does not pass, except for what was not asked for: logged decisions, simulated ones.
 */
export function gate(input: GateInput, rules: GateRules = GATE_RULES): GateReport {
  const { candidate, incumbent, baselines } = input;
  const checks: GateCheck[] = [];
  const atMost = (name: string, value: number | undefined, limit: number, target?: string): void => {
    const known = value ?? Number.NaN;
    checks.push({ name, ...(target === undefined ? {} : { target }), value: known, limit, passed: known <= limit });
  };
  const slack = (name: string): number => (name === 'logLoss' ? rules.logLossSlack : 0);
  const { overall } = candidate;
  checks.push({
    name: 'rows',
    value: overall.rows,
    limit: rules.minRows,
    passed: overall.rows >= rules.minRows,
  });
  if (incumbent !== undefined) {
    for (const name of LOSSES) {
      const [value, limit] = [overall[name], incumbent.overall[name] + slack(name)];
      checks.push({ name: `${name} below the incumbent's`, value, limit, passed: value < limit });
    }
  }
  for (const name of LOSSES) {
    atMost(`${name} overall`, overall[name], least(baselines.map((b) => b.overall[name])) + slack(name));
  }
  const unjudged: string[] = [];
  for (const [target, metrics] of Object.entries(candidate.byTarget)) {
    if (metrics.rows < rules.minRows) {
      unjudged.push(target);
      continue;
    }
    for (const name of LOSSES) {
      if (nothingToTell(metrics, name)) continue;
      const limits = baselines.map(({ byTarget, errors }) => {
        const chance = byChance(errors?.byTarget[target]?.[name]);
        return (byTarget[target]?.[name] ?? Number.NaN) * (1 + rules.tolerance) + chance;
      });
      const limit = least(limits) + slack(name);
      atMost(`${name} of the target`, metrics[name], limit, target);
    }
  }
  atMost('coverage error of q95', Math.abs(overall.coverage - 0.95), rules.coverageError);
  atMost('calibration error of p_fail', overall.failureError, rules.failureError + overall.failureNoise);
  atMost('golden rows', input.goldenDifference, rules.goldenDifference);
  atMost('µs for 64 rows', input.scoreMicros, rules.scoreMicros);
  const { offPolicy } = input;
  if (offPolicy !== undefined && tellsEnough(offPolicy, rules)) {
    // refused only where decisions would have been worse beyond chance
    const lower = offPolicy.doublyRobust - Z95 * offPolicy.error;
    atMost('ms per logged decision, at least', lower, offPolicy.logged);
  }
  const { closedLoop } = input;
  if (closedLoop !== undefined) checks.push(...closedLoopChecks(closedLoop, rules.closedLoop));
  return {
    passed: checks.every(({ passed }) => passed),
    checks,
    unjudged,
    ...(offPolicy === undefined ? {} : { offPolicy }),
    ...(closedLoop === undefined ? {} : { closedLoop }),
  };
}

function tellsEnough({ decisions, effectiveShare }: OffPolicyEstimate, rules: GateRules): boolean {
  return decisions >= rules.minDecisions && effectiveShare >= rules.effectiveShare;
}

/** A target that never succeeded says nothing of latency. */
function nothingToTell(metrics: Metrics, name: LossName): boolean {
  return name !== 'logLoss' && Number.isNaN(metrics[name]);
}

/** NaN, which nothing passes, where there is none. */
function least(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.length === 0 ? Number.NaN : Math.min(...known);
}
