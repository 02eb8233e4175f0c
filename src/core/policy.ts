import type { SendResult } from './target.ts';

/**
 * A rule of a lane about sending: a pure state machine that is asked before a send and told after it. Never a wrapper
 * around `send`: a batch must not wait for its one event that backs off.
 */
export interface LanePolicy {
  /** 0 when the lane may send now, else the milliseconds after which to ask again. */
  admit(now: number): number;
  /** The results of one send. */
  settled(results: readonly SendResult[], now: number): void;
}
