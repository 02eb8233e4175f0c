/** Time and chance are injected, so that simulation and production run the same files. */
export interface Clock {
  /** Monotonic milliseconds. Never the wall clock. */
  now(): number;
  /** Wall-clock milliseconds, for records only. */
  wall(): number;
  /** Runs `fn` once after `ms`; the returned function cancels. */
  after(ms: number, fn: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, Math.max(0, ms));
    return () => clearTimeout(timer);
  },
};

/** A number in [0, 1). */
export type Random = () => number;
