import type { SendResult } from './target.ts';

/**
 * A rule of a lane about sending: a pure state machine that is asked before a send and told after it. Never a wrapper
 * around `send`: a batch must not wait for its one event that backs off.
 *
 * For each send the lane calls `admit`, `limit` and `began` in one turn, and `settled` when it has its results. Several
 * sends may be under way at once.
 */
export interface LanePolicy {
  /**
   * True while the target as a whole is held to be unavailable: what fails then, and may be sent again, consumes no
   * attempt. Asked after `settled`, so it holds for the send that made it true as well.
   */
  readonly down?: boolean;
  /** 0 when the lane may send now, else the milliseconds after which to ask again; it may be asked sooner. */
  admit(now: number): number;
  /** Most legs in the send that `admit` has just let through, at least 1; default: as many as the target takes. */
  limit?(now: number): number;
  /** A send of so many legs begins. */
  began?(legs: number, now: number): void;
  /** The results of one send that began at `beganAt`. */
  settled(results: readonly SendResult[], now: number, beganAt: number): void;
  /** The target says that it can be reached (again). */
  available?(now: number): void;
}

/**
 * When a circuit breaker opens and how it closes. Only results that tell about the target count: confirmed ones, and
 * failures that may be sent again. A refusal for good tells about the event.
 */
export interface CircuitBreakerSettings {
  /** Opens when so large a part of the results in the window are failures; above 0, at most 1. */
  readonly failureRate: number;
  readonly windowMs: number;
  /** Results in the window below which it does not open. */
  readonly minimum: number;
  /** First wait before probes; doubles with each opening on the heels of the last, up to {@link halfOpenAfterMaxMs}. */
  readonly halfOpenAfterMs: number;
  readonly halfOpenAfterMaxMs: number;
  /** Events sent to find out whether the target is back. */
  readonly probes: number;
  /** Opens as well when so large a part of the results came later than `overMs` after their send began. */
  readonly slowCall?: { readonly overMs: number; readonly rate: number } | undefined;
}

export type BreakerState = 'closed' | 'open' | 'half-open';

/** What a circuit breaker shows of itself. */
export interface BreakerSnapshot {
  readonly state: BreakerState;
  /** Monotonic milliseconds at which this state began. */
  readonly since: number;
  /** Results in the window. */
  readonly results: number;
  /** Parts of them, 0 to 1; undefined without any. While it is not closed: those that made it open. */
  readonly failureRate: number | undefined;
  readonly slowRate: number | undefined;
  /** Openings since it was last closed for as long as the window. */
  readonly openings: number;
  /** Milliseconds until probes, 0 where they may be sent; undefined unless it is open. */
  readonly halfOpenInMs: number | undefined;
}
