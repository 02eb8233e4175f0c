import type { Selector, SelectorEvent } from '../core/selector.ts';
import type { World } from './world/world.ts';

/** Looks on, for traces and tests. Indices are the world's. */
export interface Observer {
  sent?(send: SendView): void;
  /** An attempt is over for its gateway; late answers are not told. */
  settled?(send: SendView, status: 'ok' | 'failed' | 'timeout' | 'refused' | 'unknown', atMs: number): void;
  ticked?(gateway: number, selector: Selector, atMs: number): void;
}

/** One attempt. `slot` names it until it is settled. */
export interface SendView {
  readonly slot: number;
  readonly event: number;
  readonly target: number;
  readonly gateway: number;
  readonly atMs: number;
  readonly propensity: number;
}

/** What only the simulation knows of a target at that time: how long another arrival would wait for a server, in ms. */
export type WaitMs = (target: number) => number;

/** Makes one gateway's selector under the run's clock. */
export type SelectorOf = (context: {
  readonly world: World;
  readonly gateway: number;
  readonly gateways: number;
  readonly now: () => number;
  readonly wall: () => number;
  /** Not for policies, but for bounds on them. */
  readonly waitMs: WaitMs;
}) => Selector;

export interface RunOptions {
  readonly world: World;
  readonly selectorOf: SelectorOf;
  readonly gateways: number;
  readonly observer?: Observer | undefined;
}

/** What happened, by event and over time; figures are taken from it in `metrics.ts`. */
export interface Run {
  readonly world: World;
  /** By event: when its first confirmation came (NaN: never), and how many targets processed it, counting again. */
  readonly confirmedAt: Float64Array;
  readonly processed: Uint8Array;
  /** By event: cost of all that processed it. */
  readonly cost: Float32Array;
  readonly attempts: Uint8Array;
  /** Sends of unkeyed events, `[bin × targets]`, in bins of `SHARE_BIN_MS`. */
  readonly shares: Uint32Array;
  readonly reorderings: number;
  readonly keyedSends: number;
  readonly decisions: number;
  /** Decisions for another target than the same gateway's decision before. */
  readonly switches: number;
  readonly explored: number;
  /** Events that ended without a confirmation: attempts used up, or waiting for a target in vain. */
  readonly deadLettered: number;
  readonly expired: number;
  /** Not ended when the run ended. */
  readonly inFlight: number;
  /** Steps of the simulation: arrivals, reaches, answers, timeouts, retries, polls, ticks. */
  readonly steps: number;
}

export const SHARE_BIN_MS = 100;
export const TICK_MS = 20;
export const MAX_ATTEMPTS = 3;

/** The event that selectors are shown: one object, written over. */
export class ShownEvent implements SelectorEvent {
  key: string | undefined = undefined;
  bytes = 0;

  attribute(): undefined {
    return undefined;
  }
}

/** Wait before attempt `attempt + 1`. */
export function backoffMs(attempt: number): number {
  return attempt === 1 ? 0 : 10 * 2 ** (attempt - 1);
}
