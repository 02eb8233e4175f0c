import type { ClosedLoopReport } from '../core/closed-loop.ts';
import type { GateCheck } from './gate-check.ts';

export interface ClosedLoopRules {
  /**
   * How much more an event may cost, as a share, over all scenarios, and over those of one family. Good models come
   * to 0.99 to 1.01 and 1.05 to 1.12, also of targets unlike the simulated ones; one that keeps off idle targets to 1.16 and
   * 1.39 (ADR 0030).
   */
  readonly overall: number;
  readonly family: number;
  /**
   * Standard deviation of log J over log J of as good a policy in the same scenario: 0.055 of `adaptive` with another seed of
   * its own, 0.06 to 0.08 of models that decide otherwise.
   */
  readonly spread: number;
}

export const CLOSED_LOOP_RULES: ClosedLoopRules = { overall: 0.03, family: 0.12, spread: 0.08 };

/** One-sided, 95 %: of one comparison, and of all of twelve together. */
const Z_ONE = 1.645;
const Z_TWELVE = 2.64;

/**
 * Not worse, beyond chance, than no model in any family of scenarios and in all together, nor than the model in force in all
 * together. Of the families the worst is told, and each that fails.
 */
export function closedLoopChecks(report: ClosedLoopReport, rules: ClosedLoopRules = CLOSED_LOOP_RULES): GateCheck[] {
  const { scenarios, modelOff, incumbent } = report;
  const families = Object.entries(report.families).sort(([, a], [, b]) => b.modelOff - a.modelOff);
  if (scenarios < 1) return [{ name: 'simulated scenarios in time', value: scenarios, limit: 1, passed: false }];
  const limit = (share: number, z: number, runs: number): number =>
    (1 + share) * Math.exp((z * rules.spread) / Math.sqrt(runs));
  const check = (name: string, value: number, most: number): GateCheck => ({
    name: `simulated ms per event over ${name}`,
    value,
    limit: most,
    passed: value <= most,
  });
  const overall = limit(rules.overall, Z_ONE, scenarios * families.length);
  return [
    check("the model off's", modelOff, overall),
    ...families
      .map(([name, ratios]) =>
        check(`the model off's, ${name}`, ratios.modelOff, limit(rules.family, Z_TWELVE, scenarios)),
      )
      .filter(({ passed }, at) => at === 0 || !passed),
    ...(incumbent === undefined ? [] : [check("the incumbent's", incumbent, overall)]),
  ];
}
