import { bandwidthDelay, floorMs } from '../../core/capacity.ts';
import type { SelectorConfig } from '../../core/selector.ts';
import { silent } from '../../core/silence.ts';
import { exceeds, type Outlook } from './outlook.ts';
import type { Candidate } from './strategy.ts';

/** How the expected cost is made up; see docs/adr for why. */
export interface CostOptions {
  readonly sloMs: number;
  readonly timeoutMs: number;
  readonly gateways: number;
  readonly latency: number;
  readonly slo: number;
  readonly failure: number;
  readonly cost: number;
  readonly congestion: number;
}

export function costOptions(config: SelectorConfig): CostOptions {
  const { weights = {}, sloMs = 100, timeoutMs = 2_000, gateways = 1 } = config;
  return {
    sloMs,
    timeoutMs,
    gateways,
    latency: weights.latency ?? 1,
    slo: weights.slo ?? 0.1,
    failure: weights.failure ?? 1,
    cost: weights.cost ?? 1,
    congestion: weights.congestion ?? 1,
  };
}

/** The parts of one candidate's expected cost, in units of the latency objective. Written over by the next. */
export interface CostParts {
  latency: number;
  slo: number;
  failure: number;
  cost: number;
  congestion: number;
  /** Load: in flight, with this one, over what fits in without a queue. */
  load: number;
  /** Nothing has come back for longer than answers take. */
  silent: boolean;
}

export function newCostParts(): CostParts {
  return { latency: 0, slo: 0, failure: 0, cost: 0, congestion: 0, load: 0, silent: false };
}

/** J = w_L·E[L]/SLO + w_V·P(L > SLO) + w_F·P(fail)·timeout/SLO + w_$·cost + w_C·(S/SLO)·x³. */
export function expectedCost(
  candidate: Candidate,
  outlook: Outlook,
  now: number,
  options: CostOptions,
  parts: CostParts,
): number {
  const { spec, window } = candidate;
  const gone = silent(window, now, options.timeoutMs);
  parts.silent = gone;
  parts.load = (window.inFlight + 1) / bandwidthDelay(spec, window, options.gateways);
  parts.congestion = congestionScale(candidate, options) * crowding(parts.load);
  return (
    standingCost(candidate, outlook, gone ? now - window.oldestSentAt : undefined, options, parts) + parts.congestion
  );
}

/**
 * The cost without congestion, which stands until an answer comes or a tick passes.
 *
 * @param silentMs For how long nothing has come from a target that is silent.
 */
export function standingCost(
  { spec, window }: Candidate,
  outlook: Outlook,
  silentMs: number | undefined,
  options: CostOptions,
  parts: CostParts,
): number {
  const { sloMs, timeoutMs } = options;
  const mean = Math.max(outlook.meanMs, floorMs(spec, window), silentMs ?? 0);
  const failure = silentMs === undefined ? outlook.failure : 1;
  parts.latency = (options.latency * (1 - failure) * mean) / sloMs;
  parts.slo = options.slo * exceeds(sloMs, mean, Math.max(mean, outlook.q95Ms));
  parts.failure = (options.failure * failure * timeoutMs) / sloMs;
  parts.cost = options.cost * (spec.cost ?? 0);
  return parts.latency + parts.slo + parts.failure + parts.cost;
}

/** What congestion costs at a load of 1. */
export function congestionScale({ spec, window }: Candidate, options: CostOptions): number {
  return (options.congestion * floorMs(spec, window)) / options.sloMs;
}

/** How congestion grows with the load. */
export function crowding(load: number): number {
  return load * load * load;
}
