import { z } from 'zod';
import { duration, formatDuration } from '../adapters/fields.ts';
import type { CircuitBreakerSettings } from '../core/policy.ts';
import type { Located } from './finding.ts';
import type { GatewayConfig, TargetConfig } from './types.ts';

/** `circuitBreaker` of a policy, as it stands in the file. */
export interface CircuitBreakerFields {
  failureRate: number;
  window: number;
  minimum: number;
  halfOpenAfter: number;
  halfOpenAfterMax?: number | undefined;
  probes: number;
  slowCall?: { over: number; rate: number } | undefined;
}

/** A policy, as far as breakers are concerned. */
interface Policy {
  readonly retry?: number | undefined;
  readonly maxAge?: number | undefined;
  readonly circuitBreaker?: CircuitBreakerFields | undefined;
}

const HALF_OPEN_AFTER_MAX_MS = 60_000;

const rate = (): z.ZodNumber => z.number({ error: 'expected a number above 0, at most 1' }).gt(0).max(1);

const slowCall = z
  .strictObject(
    {
      over: duration({ minMs: 1 }).describe('A send that takes longer is slow, and all its results with it.'),
      rate: rate().default(0.5).describe('Opens when so large a part of the results in the window is slow.'),
    },
    { error: 'expected a bound, e.g. { over: 2s, rate: 0.5 }' },
  )
  .optional()
  .describe('Takes slow answers for failures of the target, confirmed or not.');

export const circuitBreakerSchema: z.ZodType<CircuitBreakerFields | undefined> = z
  .strictObject(
    {
      failureRate: rate()
        .default(0.5)
        .describe(
          'Opens when so large a part of the results in the window is failures that may be sent again. Refusals for good do not count.',
        ),
      window: duration({ minMs: 100, maxMs: 3_600_000 })
        .prefault('10s')
        .describe('Results older than this are forgotten.'),
      minimum: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(20)
        .describe('Results in the window, one per event, below which it does not open.'),
      halfOpenAfter: duration({ minMs: 10 })
        .prefault('5s')
        .describe(
          'Wait before probes, up to a quarter longer at random. It doubles with each opening on the heels of the last.',
        ),
      halfOpenAfterMax: duration({ minMs: 10 })
        .optional()
        .meta({ description: 'The longest such wait, never less than `halfOpenAfter`.', default: '60s' }),
      probes: z
        .int()
        .min(1)
        .max(1_000)
        .default(5)
        .describe('Events sent to find out whether the target is back; their failure rate decides.'),
      slowCall,
    },
    { error: 'expected a circuit breaker, e.g. { failureRate: 0.5, window: 10s, halfOpenAfter: 5s }' },
  )
  .refine(
    ({ halfOpenAfter, halfOpenAfterMax }) => halfOpenAfterMax === undefined || halfOpenAfterMax >= halfOpenAfter,
    {
      error: 'is less than halfOpenAfter',
      path: ['halfOpenAfterMax'],
    },
  )
  .optional()
  .describe(
    'Pauses a target that fails too often: nothing is sent for a while, then a few probes. Of several policies the last one with a breaker gives all of it.',
  );

/** The breaker of a target that binds these policies. */
export function mergeBreakers(policies: readonly Policy[]): CircuitBreakerSettings | undefined {
  const fields = policies.findLast(({ circuitBreaker }) => circuitBreaker !== undefined)?.circuitBreaker;
  if (fields === undefined) return undefined;
  const { failureRate, window, minimum, halfOpenAfter, halfOpenAfterMax, probes, slowCall: slow } = fields;
  return {
    failureRate,
    windowMs: window,
    minimum,
    halfOpenAfterMs: halfOpenAfter,
    halfOpenAfterMaxMs: halfOpenAfterMax ?? Math.max(halfOpenAfter, HALF_OPEN_AFTER_MAX_MS),
    probes,
    ...(slow === undefined ? {} : { slowCall: { overMs: slow.over, rate: slow.rate } }),
  };
}

/** Breakers that cannot do what they are there for, because of what stands beside them. */
export function lintBreakers(
  { targets, routes }: GatewayConfig,
  policies: Readonly<Record<string, Policy>>,
): readonly Located[] {
  const guarded = new Set(targets.filter(({ circuitBreaker }) => circuitBreaker !== undefined).map(({ name }) => name));
  const hint = 'give it some retries: an open breaker consumes none';
  const found = targets.flatMap((target) => lintTarget(target, policies, hint));
  for (const [index, { name, to, delivery }] of routes.entries()) {
    const behind = to.filter((target) => guarded.has(target));
    if (delivery.retry !== 0 || behind.length === 0) continue;
    const message = `route ${name} has retry: 0, so what fails before the circuit breaker of ${behind.join(', ')} opens is dead-lettered`;
    found.push(warning('W_BREAKER_RETRY', ['routes', index, 'delivery', 'retry'], message, hint));
  }
  return found;
}

function lintTarget(target: TargetConfig, policies: Readonly<Record<string, Policy>>, hint: string): Located[] {
  const { name, circuitBreaker, delivery } = target;
  if (circuitBreaker === undefined) return [];
  const found: Located[] = [];
  const said = (key: 'retry' | 'maxAge' | 'circuitBreaker'): readonly PropertyKey[] => {
    const policy = target.policies.findLast((one) => policies[one]?.[key] !== undefined) as string;
    return ['policies', policy, key];
  };
  if (delivery.retry === 0) {
    const message = `targets.${name} has retry: 0, so what fails before its circuit breaker opens is dead-lettered`;
    found.push(warning('W_BREAKER_RETRY', said('retry'), message, hint));
  }
  const { slowCall: slow, halfOpenAfterMs } = circuitBreaker;
  if (slow !== undefined && slow.overMs >= delivery.timeoutMs) {
    const message = `targets.${name}: no send takes ${formatDuration(slow.overMs)}, because its timeout is ${formatDuration(delivery.timeoutMs)}`;
    found.push(warning('W_BREAKER_SLOW_CALL', [...said('circuitBreaker'), 'slowCall', 'over'], message));
  }
  if (delivery.maxAgeMs !== undefined && delivery.maxAgeMs <= halfOpenAfterMs) {
    const message = `targets.${name}: what waits for its circuit breaker (halfOpenAfter ${formatDuration(halfOpenAfterMs)}) is over maxAge (${formatDuration(delivery.maxAgeMs)}) before a probe is sent`;
    found.push(warning('W_BREAKER_MAX_AGE', said('maxAge'), message));
  }
  return found;
}

function warning(code: string, path: readonly PropertyKey[], message: string, hint?: string): Located {
  return { severity: 'warning', code, path, at: 'value', message, hint };
}
