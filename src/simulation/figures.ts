import { type Run, SHARE_BIN_MS } from './run.ts';
import { TIMEOUT_MS, type World } from './world/world.ts';

/** Figures of one run over the events that arrived after the warm-up. */
export interface Figures {
  readonly events: number;
  /** Mean over events of latency in ms (a failure counts as the timeout) plus cost weight × cost of the targets that took it. */
  readonly j: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** Share of events confirmed within the SLO. */
  readonly slo: number;
  /** Events without a confirmation within the timeout, counted from their arrival. */
  readonly failed: number;
  /** Times that a target processed an event which one had processed before. */
  readonly duplicates: number;
  readonly reorderings: number;
  readonly costPerEvent: number;
  /** By fault: until the target gets a tenth of its share, and until it has half of its share back; at most the time there was. */
  readonly divertMs: readonly number[];
  readonly recoverMs: readonly number[];
  /** Decisions for another target than the decision before, over decisions. */
  readonly switchRate: number;
  readonly explored: number;
}

export function figuresOf(run: Run): Figures {
  const { world } = run;
  const latencies = latenciesOf(run);
  let failed = 0;
  let within = 0;
  let total = 0;
  for (const latency of latencies) {
    total += latency;
    if (latency >= TIMEOUT_MS) failed += 1;
    if (latency <= world.sloMs) within += 1;
  }
  let cost = 0;
  let duplicates = 0;
  for (let event = firstMeasured(world); event < world.at.length; event += 1) {
    cost += run.cost[event] as number;
    duplicates += Math.max(0, (run.processed[event] as number) - 1);
  }
  const events = latencies.length;
  const sorted = latencies.sort();
  const at = (q: number): number => sorted[Math.min(events - 1, Math.floor(q * events))] as number;
  return {
    events,
    j: (total + world.costWeight * cost) / events,
    meanMs: total / events,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    p999Ms: at(0.999),
    slo: within / events,
    failed,
    duplicates,
    reorderings: run.reorderings,
    costPerEvent: cost / events,
    ...faultTimes(run),
    switchRate: run.switches / run.decisions,
    explored: run.explored / run.decisions,
  };
}

/** J alone, without the order of the latencies. */
export function meanCost(run: Run): number {
  const { world } = run;
  const latencies = latenciesOf(run);
  let total = latencies.reduce((sum, latency) => sum + latency, 0);
  for (let event = firstMeasured(world); event < world.at.length; event += 1)
    total += world.costWeight * (run.cost[event] as number);
  return total / latencies.length;
}

/** Latency by measured event in ms, at most the timeout. */
export function latenciesOf({ world, confirmedAt }: Run): Float64Array {
  const first = firstMeasured(world);
  const latencies = new Float64Array(world.at.length - first);
  for (let index = 0; index < latencies.length; index += 1) {
    const latency = (confirmedAt[first + index] as number) - (world.at[first + index] as number);
    // Never confirmed: NaN.
    latencies[index] = Number.isNaN(latency) ? TIMEOUT_MS : Math.min(latency, TIMEOUT_MS);
  }
  return latencies;
}

export function firstMeasured({ at, warmUpMs }: World): number {
  let low = 0;
  let high = at.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((at[middle] as number) < warmUpMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Bins that the share before a fault, and that of a moment, are taken over. */
const BEFORE_BINS = 20;
const MOMENT_BINS = 5;
/** A target that had less was not in use. */
const USED = 0.02;

/** Times by unkeyed events, which may leave at once, for faults that last: flapping targets never get their share back. */
function faultTimes({ world, shares }: Run): Pick<Figures, 'divertMs' | 'recoverMs'> {
  const divertMs: number[] = [];
  const recoverMs: number[] = [];
  const targets = world.targets.length;
  const share = (target: number, fromBin: number, bins: number): number => {
    let own = 0;
    let all = 0;
    for (let bin = Math.max(0, fromBin); bin < fromBin + bins; bin += 1)
      for (let other = 0; other < targets; other += 1) {
        const sends = shares[bin * targets + other] ?? 0;
        all += sends;
        if (other === target) own += sends;
      }
    return all === 0 ? 0 : own / all;
  };
  const until = (fromMs: number, toMs: number, holds: (bin: number) => boolean): number => {
    const first = Math.ceil(fromMs / SHARE_BIN_MS);
    const last = Math.floor(toMs / SHARE_BIN_MS) - MOMENT_BINS;
    for (let bin = first; bin <= last; bin += 1) if (holds(bin)) return Math.max(0, bin * SHARE_BIN_MS - fromMs);
    return toMs - fromMs;
  };
  for (const [target, { faults }] of world.targets.entries()) {
    const [fault] = faults;
    if (fault === undefined || faults.length > 1) continue;
    const before = share(target, Math.floor(fault.startMs / SHARE_BIN_MS) - BEFORE_BINS, BEFORE_BINS);
    if (before < USED) continue;
    const endMs = Math.min(fault.endMs, world.horizonMs);
    divertMs.push(until(fault.startMs, endMs, (bin) => share(target, bin, MOMENT_BINS) <= before / 10));
    recoverMs.push(until(endMs, world.horizonMs, (bin) => share(target, bin, MOMENT_BINS) >= before / 2));
  }
  return { divertMs, recoverMs };
}
