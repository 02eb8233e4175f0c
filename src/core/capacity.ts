import type { SelectorTarget } from './selector.ts';
import type { TargetWindow } from './target-window.ts';

/** Taken for the latency of a target of which nothing is known, in ms. */
export const UNKNOWN_LATENCY_MS = 20;

/** Latency without load, in ms: declared, or seen of late. Never below 0.05. */
export function floorMs(target: SelectorTarget, window: TargetWindow): number {
  const known = target.floorMs ?? (window.baseMs > 0 ? window.baseMs : window.floorMs);
  return known > 0.05 ? known : known <= 0.05 ? 0.05 : UNKNOWN_LATENCY_MS;
}

/**
 * Events that fit into the target at once before they queue (bandwidth × delay): this gateway's share of what is declared,
 * or the highest rate of acknowledgements of late × the latency without load. Never below 1.
 */
export function bandwidthDelay(target: SelectorTarget, window: TargetWindow, gateways: number): number {
  const { concurrent, perSecond } = target.capacity ?? {};
  if (concurrent !== undefined) return Math.max(1, concurrent / gateways);
  const rate = perSecond === undefined ? window.maxAckRate : perSecond / gateways;
  return Math.max(1, (rate * floorMs(target, window)) / 1_000);
}
