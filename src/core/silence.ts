import type { TargetWindow } from './target-window.ts';

/** No target counts as silent sooner. */
const LEAST_SILENCE_MS = 100;

/**
 * Whether a target has most likely stopped answering: what is in flight is far older than answers take, and nothing was
 * acknowledged since it was sent. At the latest after half the timeout.
 */
export function silent(window: TargetWindow, now: number, timeoutMs: number): boolean {
  const age = now - window.oldestSentAt;
  if (!(age > LEAST_SILENCE_MS) || window.lastAckAt > window.oldestSentAt) return false;
  return age > patienceMs(window, timeoutMs);
}

/** Gaps between answers that mean something, of their usual length. */
const MOST_GAPS = 5;
const LEAST_STALL_MS = 15;

/**
 * Whether a target has stopped answering, as far as can be told at the earliest: nothing came for a multiple of what lies
 * between its answers, though several sends are under way and the oldest is due. Wrong at times, so it is fit for choosing
 * another target and for nothing else.
 */
export function stalled(window: TargetWindow, now: number, timeoutMs: number): boolean {
  if (silent(window, now, timeoutMs)) return true;
  if (window.inFlight < 2) return false;
  const age = now - window.oldestSentAt;
  const gap = Math.min(age, now - window.lastAckAt);
  const usualGap = 1_000 / Math.max(1e-9, window.ackRate);
  return gap > Math.max(LEAST_STALL_MS, MOST_GAPS * usualGap) && age > 1.5 * window.p95Ms;
}

/** The least age of the oldest send in flight at which {@link stalled} may hold. */
export function leastStallMs({ p95Ms }: TargetWindow): number {
  return p95Ms > 0 ? Math.max(LEAST_STALL_MS, Math.min(LEAST_SILENCE_MS, 1.5 * p95Ms)) : LEAST_SILENCE_MS;
}

/** How long an answer may take before it means something. */
export function patienceMs(window: TargetWindow, timeoutMs: number): number {
  const most = timeoutMs / 2;
  const usual = 4 * Math.max(window.p95Ms, window.ack1sMs);
  return usual < most ? Math.max(LEAST_SILENCE_MS, usual) : most;
}
