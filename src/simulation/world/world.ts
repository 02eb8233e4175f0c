/** What changes over time is kept in steps of this length, in ms. */
export const STEP_MS = 20;

/** After this a send is given up; a failed event counts as much. */
export const TIMEOUT_MS = 2_000;

/** How long a run goes on after the last arrival. */
export const DRAIN_MS = 4_000;

/** `refused`: every send fails at once, and what was in service is lost. `black-hole`: neither sends nor replies arrive. */
export type FaultKind = 'refused' | 'black-hole';

export interface Fault {
  readonly kind: FaultKind;
  readonly startMs: number;
  readonly endMs: number;
}

/** What the polled backlog says instead of the truth. */
export type Lie = 'none' | 'zero' | 'stuck' | 'twentyfold';

export interface SimTarget {
  readonly name: string;
  readonly protocol: string;
  /** Both ways, without load. */
  readonly rttMs: number;
  readonly servers: number;
  /** Mean service time by size class, in ms, at speed 1. */
  readonly serviceMs: readonly number[];
  /** Of the lognormal service time. */
  readonly sigma: number;
  readonly cost: number;
  /** Events per second of the usual mix of sizes, at speed 1 and without cross-traffic. */
  readonly perSecond: number;
  /** What an operator would declare: the truth, unless the scenario lies. */
  readonly declared: { readonly perSecond: number; readonly concurrent: number };
  /** What an operator without measurements would guess for static weights. */
  readonly weight: number;
  /** Undefined where the backlog cannot be polled. */
  readonly poll: { readonly everyMs: number; readonly delayMs: number; readonly lie: Lie } | undefined;
  /** Waiting events at which further ones are refused. */
  readonly queueLimit: number;
  /** Before this the target is in no eligible set. */
  readonly joinsAtMs: number;
  readonly faults: readonly Fault[];
  /** By step: factor on service times, share of the capacity that cross-traffic asks for, probability of an error, ms on top of the RTT. */
  readonly slow: Float32Array;
  readonly cross: Float32Array;
  readonly error: Float32Array;
  readonly extraRttMs: Float32Array;
}

/** One scenario of one seed. Policies change nothing in it, so every policy meets the same arrivals, sizes and faults. */
export interface World {
  readonly family: string;
  readonly seed: number;
  readonly warmUpMs: number;
  readonly horizonMs: number;
  /** Length of a simulated day. */
  readonly dayMs: number;
  readonly sloMs: number;
  /** Milliseconds that one unit of cost is worth. */
  readonly costWeight: number;
  readonly targets: readonly SimTarget[];
  /** Bytes of an event by size class. */
  readonly bytes: readonly number[];
  readonly keys: number;
  /** Eligible sets: indices of targets, ascending. */
  readonly sets: readonly (readonly number[])[];
  /** By event: arrival in ms, size class, key or -1, index into `sets`, normal deviate of its service times. */
  readonly at: Float64Array;
  readonly size: Uint8Array;
  readonly key: Int32Array;
  readonly set: Uint16Array;
  readonly z: Float32Array;
}

export function stepOf(atMs: number): number {
  return Math.floor(atMs / STEP_MS);
}
