import { UNKNOWN_LATENCY_MS } from '../../core/capacity.ts';
import type { TargetWindow } from '../../core/target-window.ts';

/** What one send to a target is expected to be like. */
export interface Outlook {
  /** The class that the event is of. */
  sizeClass: number;
  meanMs: number;
  /** What was in flight, for which `meanMs` holds. */
  depth: number;
  q95Ms: number;
  failure: number;
  /** Events that fit into the target without a queue; NaN: not told. */
  room: number;
}

/** Where outlooks come from: what was seen (`adaptive`), or a model (`predictive`). */
export interface Forecast {
  /** Size classes that it tells apart. */
  readonly classes: number;
  /** Another number once outlooks have changed for other reasons than a tick or an answer of the target. */
  readonly version: number;
  /** The class of events of that size. */
  classOf(bytes: number): number;
  /** Brings it up to date; false: it cannot tell at present. */
  ready(now: number): boolean;
  /** Writes the outlook for a send of that size; false: not for this target. */
  read(index: number, window: TargetWindow, bytes: number, into: Outlook): boolean;
}

/** An event is not expected to take less than this share of the mean, however small it is. */
const LEAST_OF_MEAN = 0.1;

/** An outlook to be written over. */
export function newOutlook(): Outlook {
  return { sizeClass: 0, meanMs: 0, depth: 0, q95Ms: 0, failure: 0, room: Number.NaN };
}

/** How sizes are told apart. */
export type Sizes = Pick<Forecast, 'classes' | 'classOf'>;

/** The forecast that things go on as they were in the last second, latency as in the last moments. */
export const persistence = ({ classes, classOf }: Sizes): Forecast => ({
  classes,
  version: 0,
  classOf,
  ready: () => true,
  read(_index, window, bytes, into) {
    const seen = window.fastMs > 0 ? window.fastMs : window.ack1sMs;
    into.sizeClass = classOf(bytes);
    const mean = seen > 0 ? seen : UNKNOWN_LATENCY_MS;
    into.meanMs = Math.max(LEAST_OF_MEAN * mean, mean + window.excessMs(into.sizeClass));
    into.depth = Number.isNaN(window.fastDepth) ? 0 : window.fastDepth;
    into.q95Ms = Math.max(into.meanMs, window.p95Ms > 0 ? window.p95Ms : 2 * into.meanMs);
    into.failure = window.errors;
    return true;
  },
});

/** Quantile of the normal distribution at 0.95. */
const Z95 = 1.645;

/** P(latency > limit) of a log-normal latency with that mean and 0.95 quantile; the normal tail as a logistic curve. */
export function exceeds(limitMs: number, meanMs: number, q95Ms: number): number {
  // The quantile of a log-normal is median × e^(z σ), its mean median × e^(σ²/2).
  const ratio = Math.log(Math.max(1.02, q95Ms / meanMs));
  const spread = Z95 * Z95 - 2 * ratio;
  const sigma = spread > 0 ? Z95 - Math.sqrt(spread) : Z95;
  const median = Math.log(meanMs) - (sigma * sigma) / 2;
  return 1 / (1 + Math.exp((1.702 * (Math.log(limitMs) - median)) / Math.max(0.05, sigma)));
}
