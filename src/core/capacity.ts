import type { SelectorTarget } from './selector.ts';
import type { TargetWindow } from './target-window.ts';

/** Taken for the latency of a target of which nothing is known, in ms. */
export const UNKNOWN_LATENCY_MS = 20;

/** Latency without load, in ms: declared, or seen of late. Never below 0.05. */
export function floorMs(target: SelectorTarget, window: TargetWindow): number {
  const known = target.floorMs ?? (window.baseMs > 0 ? window.baseMs : window.floorMs);
  return known > 0.05 ? known : known <= 0.05 ? 0.05 : UNKNOWN_LATENCY_MS;
}

/** Mean latency without load, in ms: declared, or the least mean of late. */
export function usualMs(target: SelectorTarget, window: TargetWindow): number {
  return target.floorMs === undefined && window.usualMs > 0.05 ? window.usualMs : floorMs(target, window);
}

/** Latency over the usual one up to which a target is not full, so that what was in flight did fit in. */
const NOT_FULL = 1.5;

/**
 * What {@link bandwidthDelay} says, by the mean latency without load, and where nothing is declared by what the target
 * gave when it was full. Never below 1.
 */
export function roomFor(target: SelectorTarget, window: TargetWindow, gateways: number): number {
  const { concurrent, perSecond } = target.capacity ?? {};
  const usual = usualMs(target, window);
  if (perSecond !== undefined) return Math.max(1, ((perSecond / gateways) * usual) / 1_000);
  if (concurrent !== undefined) return Math.max(1, concurrent / gateways);
  const seen = window.fastMs < NOT_FULL * usual ? window.fastDepth : 0;
  return Math.max(1, (window.capacity * usual) / 1_000, seen);
}

/**
 * Latency that another event would see if all went on as in the last moments, in ms: theirs, corrected by how the queue has
 * changed since they were sent. NaN where nothing is known.
 */
export function liveMs(target: SelectorTarget, window: TargetWindow, gateways: number): number {
  const room = roomFor(target, window, gateways);
  const usual = usualMs(target, window);
  const waiting = (depth: number): number => Math.max(0, depth + 1 - room);
  const queued = ((waiting(window.inFlight) - waiting(window.fastDepth)) * usual) / room;
  return Math.max(window.fastMs + queued, 0.8 * usual);
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
