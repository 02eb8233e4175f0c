const TAU_MS = 5_000;
/** Answers that figures must stand for. */
const ENOUGH = 5;
/** Keeps the slope finite where what was in flight hardly changed. */
const LEAST_VARIANCE = 0.3;

/** How latency goes with what was in flight to a target, by moments that fade with time. NaN while too little is known. */
export class DepthLatency {
  #at = 0;
  #count = 0;
  #depth = 0;
  #latency = 0;
  #depthDepth = 0;
  #depthLatency = 0;
  #latencyLatency = 0;

  add(now: number, depth: number, latencyMs: number): void {
    this.fade(now);
    this.#count += 1;
    this.#depth += depth;
    this.#latency += latencyMs;
    this.#depthDepth += depth * depth;
    this.#depthLatency += depth * latencyMs;
    this.#latencyLatency += latencyMs * latencyMs;
  }

  fade(now: number): void {
    if (now <= this.#at) return;
    const factor = Math.exp((this.#at - now) / TAU_MS);
    this.#at = now;
    this.#count *= factor;
    this.#depth *= factor;
    this.#latency *= factor;
    this.#depthDepth *= factor;
    this.#depthLatency *= factor;
    this.#latencyLatency *= factor;
  }

  /** Standard deviation of what was in flight. */
  get depthSd(): number {
    return Math.sqrt(this.#variance(this.#depth, this.#depthDepth));
  }

  /** Standard deviation of latency, in ms. */
  get latencySdMs(): number {
    return Math.sqrt(this.#variance(this.#latency, this.#latencyLatency));
  }

  /** What one more in flight adds to latency, in ms: the slope of the regression. */
  get slopeMs(): number {
    return this.#covariance() / (this.#variance(this.#depth, this.#depthDepth) + LEAST_VARIANCE);
  }

  /** In [-1, 1]. */
  get correlation(): number {
    const scale = this.depthSd * this.latencySdMs;
    return scale > 0 ? Math.max(-1, Math.min(1, this.#covariance() / scale)) : scale;
  }

  #variance(sum: number, squares: number): number {
    if (this.#count < ENOUGH) return Number.NaN;
    const mean = sum / this.#count;
    return Math.max(0, squares / this.#count - mean * mean);
  }

  #covariance(): number {
    return this.#depthLatency / this.#count - (this.#depth / this.#count) * (this.#latency / this.#count);
  }
}
