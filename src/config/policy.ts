import { z } from 'zod';
import { duration } from '../adapters/fields.ts';
import { type CircuitBreakerFields, circuitBreakerSchema } from './circuit-breaker.ts';
import { notYet } from './names.ts';
import type { DeliveryPolicy } from './types.ts';

/** What a target does that binds no policy. */
const DEFAULT_DELIVERY: DeliveryPolicy = Object.freeze({
  retry: 5,
  backoff: Object.freeze({ policy: 'exponential', delayMs: 200, maxMs: 30_000 }),
  retryAfterMaxMs: 60_000,
  timeoutMs: 30_000,
});

export interface PolicyFields {
  retry?: number | undefined;
  backoffPolicy?: 'exponential' | 'linear' | undefined;
  backoffDelay?: number | undefined;
  backoffMax?: number | undefined;
  retryAfterMax?: number | undefined;
  timeout?: number | undefined;
  maxAge?: number | undefined;
  circuitBreaker?: CircuitBreakerFields | undefined;
}

// The defaults are not filled in here, so that of several policies each overrides only what it says.
const said = (description: string, fallback: string | number): { description: string; default: string | number } => ({
  description,
  default: fallback,
});

/** One entry of `policies`. The field names are those of Knative's delivery specification where it has them. */
export const policySchema: z.ZodType<PolicyFields> = z.strictObject({
  retry: z
    .int()
    .min(0)
    .max(1_000)
    .optional()
    .meta(said('Attempts after the first. An unavailable target consumes none.', 5)),
  backoffPolicy: z
    .enum(['exponential', 'linear'])
    .optional()
    .meta(said('How the wait between attempts grows. The wait is drawn uniformly from 0 to its bound.', 'exponential')),
  backoffDelay: duration({ minMs: 1 }).optional().meta(said('Bound of the wait before the second attempt.', '200ms')),
  backoffMax: duration({ minMs: 1 }).optional().meta(said('Largest bound of the wait.', '30s')),
  retryAfterMax: duration()
    .optional()
    .meta(said('The longest wait that a target may ask for with `Retry-After`.', '60s')),
  timeout: duration({ minMs: 1 })
    .optional()
    .meta(said('Bound of one send; after it the outcome is unknown and is retried.', '30s')),
  maxAge: duration({ minMs: 1 })
    .optional()
    .describe(
      'Age since receipt at which an event is dead-lettered instead of sent; also bounds the wait for an unavailable target.',
    ),
  circuitBreaker: circuitBreakerSchema,
  rateLimit: notYet('rate limits are'),
});

/** The policies in order over the defaults: later ones override earlier ones field by field. */
export function mergePolicies(policies: readonly PolicyFields[]): DeliveryPolicy {
  const last = <K extends keyof PolicyFields>(key: K): PolicyFields[K] =>
    policies.findLast((p) => p[key] !== undefined)?.[key];
  const base = DEFAULT_DELIVERY;
  const maxAgeMs = last('maxAge');
  return {
    retry: last('retry') ?? base.retry,
    backoff: {
      policy: last('backoffPolicy') ?? base.backoff.policy,
      delayMs: last('backoffDelay') ?? base.backoff.delayMs,
      maxMs: last('backoffMax') ?? base.backoff.maxMs,
    },
    retryAfterMaxMs: last('retryAfterMax') ?? base.retryAfterMaxMs,
    timeoutMs: last('timeout') ?? base.timeoutMs,
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
  };
}
