import type { SendStatus } from '../core/selector.ts';
import type { TargetWindow } from '../core/target-window.ts';
import { Decayed } from './decayed.ts';
import { DepthLatency } from './depth-latency.ts';
import { SlidingMinimum } from './extreme.ts';
import { SlidingHistogram } from './histogram.ts';
import { Season } from './season.ts';
import { SizeExcess } from './size-excess.ts';

const ERROR_PRIOR = 0.002;
const ERROR_PRIOR_WEIGHT = 1;
const FAST_MS = 300;
/** So many failures in a row may be chance; with more the target is suspect, for about as long. */
const SURE = 2;
const SUSPECT_MS = 2_000;
/** Answers that a mean must stand for, to count as the usual latency. */
const ENOUGH = 5;
/** Latency over the usual one from which on a target counts as full: what it gives then is all that it can give. */
const FULL = 1.5;
/** Time constant with which the capacity follows what a full target gives. */
const FOLLOW_MS = 1_000;
/** Growth per second of what a target that is not full is thought to be able to give. */
const GROWTH = 0.1;
/** The capacity is held within these factors of the highest rate of the last 30 s. */
const LEAST_OF_PEAK = 0.7;
const MOST_OF_PEAK = 3;

/** Telemetry of one target. See {@link TargetWindow}. */
export class Window implements TargetWindow {
  inFlight = 0;
  oldestSentAt: number = Number.POSITIVE_INFINITY;
  lastSentAt: number = Number.NEGATIVE_INFINITY;
  lastAckAt: number = Number.NEGATIVE_INFINITY;
  p95Ms: number = Number.NaN;
  baseMs: number = Number.NaN;
  ackRate = 0;
  sendRate = 0;
  meanInFlight = 0;
  backlog: number = Number.NaN;
  backlogSlope: number = Number.NaN;
  backlogAt: number = Number.NaN;
  recoveredAt: number = Number.NEGATIVE_INFINITY;
  readonly #ack1s = new Decayed(1_000);
  readonly #ack30s = new Decayed(30_000);
  readonly #errors = new Decayed(2_000);
  readonly #sends = new Decayed(1_000);
  readonly #recent = new SlidingHistogram(1_000, 5);
  readonly #long = new SlidingHistogram(5_000, 6);
  readonly #floor = new SlidingMinimum(5_000, 6);
  readonly #peakRate = new SlidingMinimum(5_000, 6);
  readonly #depth = new Decayed(1_000);
  capacity = 0;
  suspicion = 0;
  readonly #fast = new Decayed(FAST_MS);
  readonly #fastDepth = new Decayed(FAST_MS);
  readonly #usual = new SlidingMinimum(5_000, 6);
  readonly #sizes = new SizeExcess();
  readonly #queueing = new DepthLatency();
  readonly #failed = new Decayed(10_000);
  #failuresInARow = 0;
  #rolledAt: number = Number.NaN;
  readonly #season = new Season();
  #startedAt: number = Number.NaN;
  readonly #tellsSizes: boolean;

  /** @param sizeClasses That there are. With one there is nothing to tell apart. */
  constructor(sizeClasses: number = Number.POSITIVE_INFINITY) {
    this.#tellsSizes = sizeClasses > 1;
  }

  get ack1sMs(): number {
    return this.#ack1s.mean;
  }

  get ack30sMs(): number {
    return this.#ack30s.mean;
  }

  get floorMs(): number {
    return this.#floor.value === Number.POSITIVE_INFINITY ? Number.NaN : this.#floor.value;
  }

  get usualMs(): number {
    return this.#usual.value === Number.POSITIVE_INFINITY ? Number.NaN : this.#usual.value;
  }

  get fastMs(): number {
    return this.#fast.mean;
  }

  get fastDepth(): number {
    return this.#fastDepth.mean;
  }

  excessMs(sizeClass: number): number {
    return this.#sizes.of(sizeClass);
  }

  get depthSd(): number {
    return this.#queueing.depthSd;
  }

  get latencySdMs(): number {
    return this.#queueing.latencySdMs;
  }

  get depthCorrelation(): number {
    return this.#queueing.correlation;
  }

  get depthSlopeMs(): number {
    return this.#queueing.slopeMs;
  }

  get failMs(): number {
    return this.#failed.mean;
  }

  get errors(): number {
    return this.#errors.towards(ERROR_PRIOR, ERROR_PRIOR_WEIGHT);
  }

  get maxAckRate(): number {
    return this.#peakRate.value === Number.POSITIVE_INFINITY ? 0 : -this.#peakRate.value;
  }

  sent(now: number): void {
    if (Number.isNaN(this.#startedAt)) this.#startedAt = now;
    if (this.inFlight === 0) this.oldestSentAt = now;
    this.inFlight += 1;
    this.lastSentAt = now;
    this.#sends.add(now, 1);
  }

  settled(now: number, status: SendStatus, latencyMs: number, oldestSentAt: number, depth = 0, sizeClass = 0): void {
    this.inFlight -= 1;
    this.oldestSentAt = oldestSentAt;
    if (status === 'recalled') return;
    this.#errors.add(now, status === 'ok' ? 0 : 1);
    if (status !== 'ok') {
      this.#failed.add(now, latencyMs);
      this.#failuresInARow += 1;
      if (this.#failuresInARow > SURE) this.suspicion = 1 - 1 / (this.#failuresInARow - 1);
      return;
    }
    this.#failuresInARow = 0;
    this.suspicion = 0;
    this.lastAckAt = now;
    if (this.#tellsSizes) this.#sizes.record(now, sizeClass, latencyMs, this.#fast.mean);
    this.#queueing.add(now, depth, latencyMs - this.#sizes.of(sizeClass));
    this.#fast.add(now, latencyMs);
    this.#fastDepth.add(now, depth);
    this.#ack1s.add(now, latencyMs);
    this.#ack30s.add(now, latencyMs);
    this.#recent.record(now, latencyMs);
    this.#long.record(now, latencyMs);
    this.#floor.record(now, latencyMs);
  }

  polled(now: number, depth: number, ageMs: number): void {
    const at = now - ageMs;
    const elapsed = at - this.backlogAt;
    if (elapsed > 0) this.backlogSlope = ((depth - this.backlog) / elapsed) * 1_000;
    else if (Number.isNaN(this.backlogAt)) this.backlogSlope = 0;
    this.backlog = depth;
    this.backlogAt = at;
  }

  recovered(now: number): void {
    this.recoveredAt = now;
  }

  seasonResidual(phase: number, ahead: number): number {
    return this.#season.residual(phase, ahead, this.#ack1s.mean);
  }

  roll(now: number, phase?: number): void {
    this.#ack1s.fade(now);
    this.#ack30s.fade(now);
    this.#errors.fade(now);
    this.#sends.fade(now);
    this.#depth.add(now, this.inFlight);
    this.meanInFlight = this.#depth.mean;
    // The time constant is 1 s, so that the faded count is the rate per second once the window has filled.
    const filled = Number.isNaN(this.#startedAt) ? 1 : 1 - Math.exp(-Math.max(50, now - this.#startedAt) / 1_000);
    this.ackRate = this.#ack1s.weight / filled;
    this.sendRate = this.#sends.weight / filled;
    this.#recent.roll(now);
    this.#long.roll(now);
    this.#floor.roll(now);
    if (this.#recent.count > 0) this.p95Ms = this.#recent.quantile(0.95);
    if (this.#long.count > 0) this.baseMs = this.#long.quantile(0.1);
    if (phase !== undefined && this.#ack1s.weight > 1) this.#season.record(phase, this.#ack1s.mean);
    if (this.ackRate > 1e-9 && filled > 0.3) this.#peakRate.record(now, -this.ackRate);
    else this.#peakRate.roll(now);
    this.#follow(now, filled);
  }

  /** What was seen of the capacity since the last roll. */
  #follow(now: number, filled: number): void {
    const elapsed = Number.isNaN(this.#rolledAt) ? 0 : now - this.#rolledAt;
    this.#rolledAt = now;
    this.suspicion *= Math.exp(-elapsed / SUSPECT_MS);
    this.#fast.fade(now);
    this.#fastDepth.fade(now);
    this.#failed.fade(now);
    this.#queueing.fade(now);
    if (this.#ack1s.weight >= ENOUGH) this.#usual.record(now, this.#ack1s.mean);
    else this.#usual.roll(now);
    if (filled <= 0.3) return;
    const full = this.#fast.weight > 1 && this.#fast.mean > FULL * this.usualMs;
    if (full) this.capacity += (this.ackRate - this.capacity) * (1 - Math.exp(-elapsed / FOLLOW_MS));
    else this.capacity = Math.max(this.capacity * (1 + (GROWTH * elapsed) / 1_000), this.ackRate);
    const peak = this.maxAckRate;
    this.capacity = Math.max(LEAST_OF_PEAK * peak, Math.min(this.capacity, MOST_OF_PEAK * peak + 1));
  }
}
