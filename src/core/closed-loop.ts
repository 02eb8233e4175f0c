import type { Scorer } from './scorer.ts';

export interface ClosedLoopRequest {
  readonly candidate: Scorer;
  /** The model in force. */
  readonly incumbent?: Scorer | undefined;
  /** Of each family. */
  readonly scenarios: number;
}

/** Mean cost of an event where the candidate decides, over what it is by other means; geometric means over scenarios. */
export interface ClosedLoopRatios {
  /** By the same policy with no model. */
  readonly modelOff: number;
  /** By the model in force; undefined where there is none, or it cannot be run. */
  readonly incumbent?: number | undefined;
}

export interface ClosedLoopReport extends ClosedLoopRatios {
  /** Finished ones of each family: fewer than were asked for where time ran out. With 0 the ratios are NaN. */
  readonly scenarios: number;
  readonly families: Readonly<Record<string, ClosedLoopRatios>>;
  /** CPU that it took, in ms. */
  readonly cpuMs: number;
}

/** Tells how many runs are over, of how many. */
export type ClosedLoopProgress = (done: number, of: number) => void;

/**
 * Lets a model decide in simulated scenarios, in which what it decides makes what it is asked next, and the same scenarios
 * be decided without it and by the model in force. Takes seconds of CPU, bounded. Rejects where a scorer is none.
 */
export type ClosedLoop = (request: ClosedLoopRequest, onProgress?: ClosedLoopProgress) => Promise<ClosedLoopReport>;
