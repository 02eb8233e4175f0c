import type { Random } from './clock.ts';

export interface Backoff {
  readonly policy: 'linear' | 'exponential';
  readonly delayMs: number;
  readonly maxMs: number;
}

/** Upper bound of the wait before attempt `attempt + 1`, where `attempt` ≥ 1 have failed. */
function ceiling(backoff: Backoff, attempt: number): number {
  const factor = backoff.policy === 'linear' ? attempt : 2 ** Math.min(attempt - 1, 30);
  return Math.min(backoff.maxMs, backoff.delayMs * factor);
}

/** Full jitter: uniform in [0, ceiling). (Brooker, "Exponential Backoff And Jitter", AWS 2015.) */
export function fullJitter(backoff: Backoff, attempt: number, random: Random): number {
  return random() * ceiling(backoff, attempt);
}

/** Jitter in [ceiling/2, ceiling): for reconnects, where an immediate retry is rarely of use. */
export function equalJitter(backoff: Backoff, attempt: number, random: Random): number {
  const top = ceiling(backoff, attempt);
  return top / 2 + (random() * top) / 2;
}

/** Reconnecting to a broker: at once-ish, then up to half a minute, forever. */
export const RECONNECT: Backoff = { policy: 'exponential', delayMs: 200, maxMs: 15_000 };
