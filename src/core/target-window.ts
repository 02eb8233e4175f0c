import type { SendStatus } from './selector.ts';

/**
 * What was seen of one target of late. Latencies are of successes, in ms, NaN while there are none. Written per event by
 * `sent` and `settled` in O(1); what decays with time is brought up to date by `roll`, once per tick.
 */
export interface TargetWindow {
  readonly inFlight: number;
  /** When the oldest send that is not settled was sent; +Infinity without one. */
  readonly oldestSentAt: number;
  /** -Infinity before the first. */
  readonly lastSentAt: number;
  readonly lastAckAt: number;
  /** Means, weighted by age with time constants of 1 s and 30 s. */
  readonly ack1sMs: number;
  readonly ack30sMs: number;
  /** 0.95 quantile of the last 5 s, as of the last roll; older if nothing came. */
  readonly p95Ms: number;
  /** Least of the last 30 s. */
  readonly floorMs: number;
  /** Lower decile of the last 30 s: the latency without load, less a matter of luck than the least. */
  readonly baseMs: number;
  /** Least mean over 1 s of the last 30 s: about the mean latency without load. */
  readonly usualMs: number;
  /** Means over 0.3 s: latency, and what was in flight when those were sent that were answered since. */
  readonly fastMs: number;
  readonly fastDepth: number;
  /** By how much answers to events of a size class take longer than answers do on average, in ms, over 30 s; 0 if not known. */
  excessMs(sizeClass: number): number;
  /** Standard deviations, over 5 s, of what was in flight at sends and of their latency less what their size makes of it. */
  readonly depthSd: number;
  readonly latencySdMs: number;
  /** How the two go together: correlation, and what one more in flight adds to latency, in ms. */
  readonly depthCorrelation: number;
  readonly depthSlopeMs: number;
  /** Mean time until a failure came, over 10 s. */
  readonly failMs: number;
  /** How likely it is, in [0, 1), that the target is down, by failures in a row; 0 after a success, fades over 2 s. */
  readonly suspicion: number;
  /** Share of failed sends, over 2 s; decays to a prior where nothing is sent. */
  readonly errors: number;
  /** Per second, over 1 s, as of the last roll. */
  readonly ackRate: number;
  readonly sendRate: number;
  /** The highest `ackRate` of the last 30 s. */
  readonly maxAckRate: number;
  /**
   * Acknowledgements per second that the target can give to this gateway, as far as was seen: what it gave while latency
   * had grown with what was in flight, else no less than what it gave. As of the last roll.
   */
  readonly capacity: number;
  /** In flight on average, over 1 s. */
  readonly meanInFlight: number;
  /** As polled: events, events per second, when that was true; NaN where nothing is polled. */
  readonly backlog: number;
  readonly backlogSlope: number;
  readonly backlogAt: number;
  /** When the target last became available again, -Infinity if it always was. */
  readonly recoveredAt: number;

  sent(now: number): void;
  /**
   * `recalled` changes only what is in flight.
   *
   * @param oldestSentAt Of what is in flight after this. @param depth What was in flight when it was sent, without it.
   * @param sizeClass Of the event; default 0.
   */
  settled(
    now: number,
    status: SendStatus,
    latencyMs: number,
    oldestSentAt: number,
    depth?: number,
    sizeClass?: number,
  ): void;
  polled(now: number, depth: number, ageMs: number): void;
  recovered(now: number): void;
  /** @param phase Of the season (a day, by default), in [0, 1); undefined where the time of day is not known. */
  roll(now: number, phase?: number): void;
  /** Log of the latency usual at `phase + ahead`, less that of the last second; 0 while that is not known. */
  seasonResidual(phase: number, ahead: number): number;
}
