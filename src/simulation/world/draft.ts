import type { Draw } from './random.ts';
import { DRAIN_MS, type Fault, type Lie, STEP_MS } from './world.ts';

/** A target while its scenario is being made. Shares of capacity are fixed first, speeds and faults follow. */
export interface DraftTarget {
  protocol: string;
  rttMs: number;
  /** Share of the capacity of all. */
  share: number;
  meanServiceMs: number;
  /** Service time of each size class over the mean. */
  sizeFactors: number[];
  sigma: number;
  cost: number;
  pollMs: number | undefined;
  pollDelayMs: number;
  lie: Lie;
  /** Declared capacity over the true one. */
  boast: number;
  weightNoise: number;
  joinsAtMs: number;
  faults: Fault[];
  slow: Float32Array;
  cross: Float32Array;
  error: Float32Array;
  extraRttMs: Float32Array;
}

export interface Draft {
  readonly warmUpMs: number;
  readonly horizonMs: number;
  /** Events per second, on average. */
  readonly rate: number;
  /** Rate of arrivals by step, over the average. */
  readonly surge: Float32Array;
  dayMs: number;
  costWeight: number;
  /** Utilisation of what cross-traffic leaves of the capacity, at speed 1 and without faults. */
  load: number;
  readonly targets: DraftTarget[];
}

export const SIZE_SHARES: readonly number[] = [0.7, 0.25, 0.05];
export const SIZE_BYTES: readonly number[] = [512, 8 * 1024, 200 * 1024];
const POLLED = new Set(['kafka', 'rabbitmq', 'sqs']);
const PROTOCOLS = ['kafka', 'rabbitmq', 'mqtt', 'sqs', 'http'];

export interface Length {
  readonly warmUpMs: number;
  readonly horizonMs: number;
  readonly rate: number;
}

export function draft(draw: Draw, { warmUpMs, horizonMs, rate }: Length): Draft {
  const steps = Math.ceil((horizonMs + DRAIN_MS) / STEP_MS) + 1;
  const targets = Array.from({ length: draw.whole(5, 8) }, () => draftTarget(draw, steps));
  const total = targets.reduce((sum, { share }) => sum + share, 0);
  for (const target of targets) target.share /= total;
  const surge = new Float32Array(steps).fill(1);
  return {
    warmUpMs,
    horizonMs,
    rate,
    surge,
    dayMs: 86_400_000,
    costWeight: 0,
    load: draw.between(0.45, 0.75),
    targets,
  };
}

export function draftTarget(draw: Draw, steps: number): DraftTarget {
  const protocol = draw.of(PROTOCOLS);
  const larger = draw.between(0.3, 1.5);
  const factors = [1, 1 + larger / 2, 1 + 4 * larger];
  const mean = factors.reduce((sum, factor, size) => sum + factor * (SIZE_SHARES[size] as number), 0);
  return {
    protocol,
    rttMs: draw.scale(0.6, 40),
    share: Math.exp(0.6 * draw.normal()),
    meanServiceMs: draw.scale(4, 60),
    sizeFactors: factors.map((factor) => factor / mean),
    sigma: draw.between(0.3, 0.9),
    cost: 0,
    pollMs: POLLED.has(protocol) ? draw.between(1_000, 5_000) : undefined,
    pollDelayMs: draw.between(20, 400),
    lie: 'none',
    boast: 1,
    weightNoise: Math.exp(0.4 * draw.normal()),
    joinsAtMs: 0,
    faults: [],
    slow: new Float32Array(steps).fill(1),
    cross: wandering(draw, steps),
    error: new Float32Array(steps),
    extraRttMs: new Float32Array(steps),
  };
}

/** Cross-traffic that nobody tells the gateway of: a share of the capacity, another one every few seconds. */
function wandering(draw: Draw, steps: number): Float32Array {
  const share = new Float32Array(steps);
  const most = draw.between(0, 0.3);
  for (let step = 0; step < steps; ) {
    const until = step + Math.round(draw.between(2_000, 9_000) / STEP_MS);
    share.fill(draw.between(most / 3, most), step, until);
    step = until;
  }
  return share;
}

/** Sets (or with `combine` changes) the steps of a time span. */
export function during(
  values: Float32Array,
  fromMs: number,
  toMs: number,
  combine: (value: number, atMs: number) => number,
): void {
  const end = Math.min(values.length, Math.ceil(toMs / STEP_MS));
  for (let step = Math.max(0, Math.floor(fromMs / STEP_MS)); step < end; step += 1)
    values[step] = combine(values[step] as number, step * STEP_MS);
}

/** The load that is still bearable when `left` of the capacity is left. */
export function bear(draft: Draft, left: number, most = 0.9): void {
  draft.load = Math.min(draft.load, most * left);
}
