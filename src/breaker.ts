import type { Environment } from './components.ts';
import type { BreakerSnapshot, BreakerState, CircuitBreakerSettings } from './core/policy.ts';
import { CircuitBreaker } from './policies/circuit-breaker.ts';

/** A circuit breaker as status and metrics show it. */
export interface BreakerStatus extends Omit<BreakerSnapshot, 'since'> {
  /** When this state began, as an ISO 8601 time. */
  readonly since: string;
}

/** The circuit breaker of a target, which logs what becomes of it. */
export function createBreaker(
  target: string,
  settings: CircuitBreakerSettings,
  { clock, random, log }: Environment,
): CircuitBreaker {
  const onChange = ({ state, halfOpenInMs, openings, ...rates }: BreakerSnapshot, from: BreakerState): void => {
    const { results, failureRate, slowRate } = rates;
    if (state === 'open') {
      const why = from === 'closed' ? { results, failureRate, slowRate } : {};
      const fields = { target, openings, ...why, probesInMs: Math.round(halfOpenInMs ?? 0) };
      log.warn(
        fields,
        from === 'closed' ? 'the circuit breaker opened' : 'probes failed: the circuit breaker stays open',
      );
    } else if (state === 'half-open') log.debug({ target }, 'the circuit breaker lets probes through');
    else log.info({ target }, 'probes were confirmed: the circuit breaker closed');
  };
  return new CircuitBreaker({ settings, random, now: clock.now(), onChange });
}

export function breakerStatus(breaker: CircuitBreaker, { clock }: Pick<Environment, 'clock'>): BreakerStatus {
  const now = clock.now();
  const { since, ...snapshot } = breaker.snapshot(now);
  return { ...snapshot, since: new Date(clock.wall() - (now - since)).toISOString() };
}
