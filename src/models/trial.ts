import type { ClosedLoop, ClosedLoopProgress } from '../core/closed-loop.ts';
import { FairleadError } from '../core/errors.ts';
import { type GateInput, type GateReport, gate } from './gate.ts';
import { loadModelFile } from './measuring.ts';
import type { ActiveModel } from './registry.ts';
import type { LoadedModel } from './slot.ts';

/** What a model is tried in. */
export interface Trial {
  readonly closedLoop: ClosedLoop;
  /** Of each family; 0: none. */
  readonly scenarios: number;
  readonly onProgress?: ClosedLoopProgress | undefined;
}

/**
 * The gate, and last what takes longest: what is refused by all else is not tried in simulated scenarios. A version in force
 * that cannot be run is not compared with.
 */
export async function tried(
  input: GateInput,
  candidate: LoadedModel,
  active: ActiveModel | undefined,
  trial: Trial | undefined,
): Promise<GateReport> {
  const report = gate(input);
  if (!report.passed || trial === undefined || trial.scenarios < 1) return report;
  const incumbent = active === undefined ? undefined : await usable(active);
  try {
    const { closedLoop, scenarios, onProgress } = trial;
    return gate({ ...input, closedLoop: await closedLoop({ candidate, incumbent, scenarios }, onProgress) });
  } finally {
    await incumbent?.close();
  }
}

async function usable({ path, sha256 }: ActiveModel): Promise<LoadedModel | undefined> {
  try {
    return await loadModelFile(path, sha256);
  } catch (error) {
    if (error instanceof FairleadError) return undefined;
    throw error;
  }
}
