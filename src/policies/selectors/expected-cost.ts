import { expectedRoom, usualMs, usualOfSizeMs, workOf } from '../../core/capacity.ts';
import type { SelectorConfig } from '../../core/selector.ts';
import { stalled } from '../../core/silence.ts';
import type { TargetWindow } from '../../core/target-window.ts';
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

/** What stands until an answer comes or a tick passes; the rest follows from what is in flight. */
export interface Standing {
  /** The parts that do not depend on it; NaN where the forecast has nothing on the target. */
  base: number;
  /** What a ms of latency costs. */
  perMs: number;
  /** Latency as forecast less what its queue made of it, and the least that is believed, in ms. */
  meanMs: number;
  leastMs: number;
  /** Events that fit in without a queue, and what each one beyond adds to the latency, in ms. */
  room: number;
  queueMs: number;
  /** Congestion at a load of 1. */
  congestion: number;
}

export function newStanding(): Standing {
  return { base: Number.NaN, perMs: 0, meanMs: 0, leastMs: 0, room: 1, queueMs: 0, congestion: 0 };
}

/** A forecast is not believed where it is below this share of the latency without load. */
const LEAST_SHARE = 0.8;

/** J = w_L·E[L]/SLO + w_V·P(L > SLO) + w_F·(what failing costs)/SLO + w_$·cost + w_C·work·(S/SLO)·x². See ADR 0019. */
export function expectedCost(
  candidate: Candidate,
  outlook: Outlook,
  now: number,
  options: CostOptions,
  parts: CostParts,
): number {
  const { window } = candidate;
  const gone = stalled(window, now, options.timeoutMs);
  const standing = STANDING;
  standingCost(candidate, outlook, gone ? now - window.oldestSentAt : undefined, options, parts, standing);
  parts.silent = gone;
  parts.load = (window.inFlight + 1) / standing.room;
  parts.latency = standing.perMs * latencyAt(standing, window.inFlight);
  parts.congestion = standing.congestion * crowding(parts.load);
  return standing.base + parts.latency + parts.congestion;
}

const STANDING = newStanding();

/**
 * Writes what stands of the cost, and the parts of its base.
 *
 * @param silentMs For how long nothing has come from a target that is silent.
 */
export function standingCost(
  { spec, window }: Candidate,
  outlook: Outlook,
  silentMs: number | undefined,
  options: CostOptions,
  parts: CostParts,
  into: Standing,
): void {
  const { sloMs, timeoutMs } = options;
  const { sizeClass } = outlook;
  const usual = usualMs(spec, window);
  const least = Math.max(LEAST_SHARE * usualOfSizeMs(spec, window, sizeClass), silentMs ?? 0);
  const mean = Math.max(outlook.meanMs, least);
  const failure = silentMs === undefined ? Math.max(outlook.failure, window.suspicion) : 1;
  const failingMs = silentMs === undefined ? failureMs(window, failure, mean, timeoutMs) : timeoutMs;
  parts.slo = options.slo * exceeds(sloMs, mean, Math.max(mean, outlook.q95Ms));
  parts.failure = (options.failure * failure * failingMs) / sloMs;
  parts.cost = options.cost * (spec.cost ?? 0);
  into.base = parts.slo + parts.failure + parts.cost;
  into.perMs = (options.latency * (1 - failure)) / sloMs;
  into.room = expectedRoom(spec, window, options.gateways, outlook.room);
  into.queueMs = usual / into.room;
  // The forecast holds for what was in flight then.
  into.meanMs = outlook.meanMs - into.queueMs * Math.max(0, outlook.depth + 1 - into.room);
  into.leastMs = least;
  // What waits behind a large event waits longer.
  into.congestion = (options.congestion * usual * workOf(spec, window, sizeClass)) / sloMs;
}

/** Latency of another event, with so much in flight: what does not fit in waits. */
function latencyAt({ meanMs, leastMs, queueMs, room }: Standing, inFlight: number): number {
  return Math.max(leastMs, meanMs + queueMs * Math.max(0, inFlight + 1 - room));
}

/** The cost of another event, with so much in flight. */
export function costAt(standing: Standing, inFlight: number): number {
  const crowded = standing.congestion * crowding((inFlight + 1) / standing.room);
  return standing.base + standing.perMs * latencyAt(standing, inFlight) + crowded;
}

/** How congestion grows with the load. */
function crowding(load: number): number {
  return load * load;
}

/**
 * What a failure costs: the time until it is known and another target has answered, and the risk that the event fails
 * for good, which grows with the share of failures: where few fail, the others make up for it.
 */
function failureMs(window: TargetWindow, failure: number, mean: number, timeoutMs: number): number {
  if (!(window.failMs > 0)) return timeoutMs;
  return Math.min(timeoutMs, window.failMs + mean + timeoutMs * failure * failure);
}
