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

/** What an event of a size class takes without load is no less than this share of the usual. */
const LEAST_OF_USUAL = 0.2;

/** Latency without load of an event of that size class, in ms. */
export function usualOfSizeMs(target: SelectorTarget, window: TargetWindow, sizeClass: number): number {
  const usual = usualMs(target, window);
  return Math.max(LEAST_OF_USUAL * usual, usual + window.excessMs(sizeClass));
}

/** Of the usual latency, what is work and not way at least; and how unlike sizes are thought to be at most. */
const LEAST_WORK = 0.25;
const MOST_UNLIKE = 6;

/**
 * Work that an event of a size class makes, over that of one of average size. What is seen is by how much larger ones take
 * longer; what the average one takes at work is about the usual latency less the least, which is the way and a small event.
 */
export function workOf(target: SelectorTarget, window: TargetWindow, sizeClass: number): number {
  const excess = window.excessMs(sizeClass);
  if (excess === 0) return 1;
  const usual = usualMs(target, window);
  const way = Number.isNaN(window.floorMs) ? 0 : window.floorMs;
  const mean = Math.max(LEAST_WORK * usual, usual - way);
  return Math.min(MOST_UNLIKE, Math.max(1 / MOST_UNLIKE, 1 + excess / mean));
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

/** A model is believed up to this factor from what was seen. */
const MOST_OFF = 8;

/** Where nothing is declared what a model tells (NaN: nothing), within bounds; otherwise {@link roomFor}. */
export function expectedRoom(target: SelectorTarget, window: TargetWindow, gateways: number, told: number): number {
  const { concurrent, perSecond } = target.capacity ?? {};
  const seen = roomFor(target, window, gateways);
  if (Number.isNaN(told) || concurrent !== undefined || perSecond !== undefined) return seen;
  return Math.max(1, seen / MOST_OFF, Math.min(told, seen * MOST_OFF));
}

/**
 * Latency that another event of that size class would see if all went on as in the last moments, in ms: theirs, corrected by
 * how the queue has changed since they were sent. NaN where nothing is known.
 */
export function liveMs(target: SelectorTarget, window: TargetWindow, gateways: number, sizeClass: number): number {
  const room = roomFor(target, window, gateways);
  const usual = usualMs(target, window);
  const waiting = (depth: number): number => Math.max(0, depth + 1 - room);
  const queued = ((waiting(window.inFlight) - waiting(window.fastDepth)) * usual) / room;
  const least = 0.8 * usualOfSizeMs(target, window, sizeClass);
  return Math.max(window.fastMs + queued + window.excessMs(sizeClass), least);
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
