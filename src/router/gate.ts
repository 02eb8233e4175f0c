import type { Predicate } from './filter.ts';
import { samplePoint } from './sample.ts';

/** When a route takes events, by the gateway's wall clock in milliseconds since 1970: `from` is inside, `to` is not. */
export interface ActiveWindow {
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
}

/** What a route says besides its conditions on the event itself. */
export interface Gated {
  readonly active?: ActiveWindow | undefined;
  /** The part of all events that it takes, above 0 and up to 1. */
  readonly sample?: number | undefined;
}

/** Whether a route takes an event now: looked at last, since conditions are cheaper. Undefined: it always does. */
export function compileGate({ active, sample = 1 }: Gated, wall: () => number): Predicate | undefined {
  const sampled: Predicate | undefined = sample < 1 ? (event) => samplePoint(event) < sample : undefined;
  if (active === undefined) return sampled;
  if (sampled === undefined) return () => isOpen(active, wall());
  return (event) => isOpen(active, wall()) && sampled(event);
}

/** Whether a moment is inside a window. */
export function isOpen({ fromMs, toMs }: ActiveWindow, nowMs: number): boolean {
  return (fromMs === undefined || nowMs >= fromMs) && (toMs === undefined || nowMs < toMs);
}
