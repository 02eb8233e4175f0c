import { fullJitter } from '../core/backoff.ts';
import type { Random } from '../core/clock.ts';
import type { DeliverySettings } from '../core/routing.ts';
import type { SendResult } from '../core/target.ts';

export type RetryDecision = { readonly retryInMs: number } | 'give-up';

/**
 * What to do about a failed or unknown send after `attempt` attempts (≥ 1): wait with full jitter, at least as long as
 * the target asked for (bounded by `retryAfterMaxMs`), or give the leg up to its dead letter.
 */
export function afterFailure(
  settings: DeliverySettings,
  attempt: number,
  failure: Exclude<SendResult, { status: 'confirmed' }>,
  random: Random,
): RetryDecision {
  if (!failure.retryable || attempt > settings.retry) return 'give-up';
  const asked = Math.min(failure.retryAfterMs ?? 0, settings.retryAfterMaxMs);
  return { retryInMs: Math.max(asked, fullJitter(settings.backoff, attempt, random)) };
}
