import type { TargetWindow } from './target-window.ts';

/** No target counts as silent sooner. */
export const LEAST_SILENCE_MS = 100;

/**
 * Whether a target has most likely stopped answering: what is in flight is far older than answers take, and nothing was
 * acknowledged since it was sent. At the latest after half the timeout.
 */
export function silent(window: TargetWindow, now: number, timeoutMs: number): boolean {
  const age = now - window.oldestSentAt;
  if (!(age > LEAST_SILENCE_MS) || window.lastAckAt > window.oldestSentAt) return false;
  return age > patienceMs(window, timeoutMs);
}

/** How long an answer may take before it means something. */
export function patienceMs(window: TargetWindow, timeoutMs: number): number {
  const most = timeoutMs / 2;
  const usual = 4 * Math.max(window.p95Ms, window.ack1sMs);
  return usual < most ? Math.max(LEAST_SILENCE_MS, usual) : most;
}
