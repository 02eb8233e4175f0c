import type { ClosedLoop, ClosedLoopProgress } from '../core/closed-loop.ts';
import { baselinesOf, ewmaScores } from './baseline.ts';
import { GATEWAY_SCHEMA, modelError } from './contract.ts';
import type { Baseline, GateReport } from './gate.ts';
import { measured, type Rival, rival, screened } from './measuring.ts';
import type { Evaluation } from './metrics.ts';
import type { DecisionCosts } from './off-policy.ts';
import type { ActiveModel } from './registry.ts';
import { loadModel } from './scorer.ts';
import { sortByTime } from './training/dataset.ts';
import { loggedDecisions, type ReadSummary, readRows } from './training/read.ts';
import { tried } from './trial.ts';

export interface EvalReport {
  readonly sha256: string;
  readonly read: ReadSummary;
  readonly evaluation: Evaluation;
  /** Of averages per target over 1, 5 and 30 s. */
  readonly baselines: readonly Baseline[];
  readonly incumbent: Rival | undefined;
  readonly gate: GateReport;
}

export interface EvalRequest {
  readonly onnx: Buffer;
  readonly paths: readonly string[];
  readonly ahead?: boolean | undefined;
  readonly costs?: DecisionCosts | undefined;
  /** Of another model than `onnx`. */
  readonly active?: ActiveModel | undefined;
  readonly maxRows: number;
  /** Rows of before, in ms since 1970, are left out. */
  readonly since?: number | undefined;
  /** Simulated scenarios of each family that it decides; default 0. */
  readonly scenarios?: number | undefined;
}

/** Where it runs: what simulates, and who hears how far it is. */
export interface Surroundings {
  readonly closedLoop: ClosedLoop;
  readonly onSimulated?: ClosedLoopProgress | undefined;
}

/** Holds a model against rows, averages, simulated scenarios and, where there is one, an incumbent. Rejects with an `E_MODEL_…` error. */
export async function evaluateModel(request: EvalRequest, around: Surroundings): Promise<EvalReport> {
  const { onnx, paths, ahead, since, costs, active, maxRows, scenarios = 0 } = request;
  const source = { paths, ahead, since, schema: GATEWAY_SCHEMA };
  const { data, read } = await readRows(source, maxRows);
  if (data.rows === 0) throw modelError('E_MODEL_ROWS', `there are no rows in ${paths.join(', ')}`);
  const rows = sortByTime(data);
  const scorer = await loadModel(Buffer.from(onnx), { schema: GATEWAY_SCHEMA });
  try {
    const { scores, evaluation, goldenDifference, scoreMicros } = await measured(scorer, rows);
    const incumbent = active && (await rival(active, rows, scores));
    const baselines = baselinesOf(rows, scores, (tauMs) => ewmaScores(rows, tauMs));
    const offPolicy = await screened(scorer, loggedDecisions(source), rows.at[0] as number, costs);
    const known = { candidate: evaluation, baselines, incumbent: incumbent?.evaluation };
    const input = { ...known, goldenDifference, scoreMicros, offPolicy };
    const { closedLoop, onSimulated } = around;
    const report = await tried(input, scorer, active, { closedLoop, scenarios, onProgress: onSimulated });
    return { sha256: scorer.sha, read, evaluation, baselines, incumbent, gate: report };
  } finally {
    await scorer.close();
  }
}
