import { describe, expect, test } from 'vitest';
import type { SendResult } from '../../src/core/target.ts';
import { CONFIRMED } from '../../src/core/target.ts';
import { Availability } from '../../src/policies/availability.ts';
import { afterFailure } from '../../src/policies/retry.ts';
import { SETTINGS } from '../pipeline/rig.ts';

type Failure = Exclude<SendResult, { status: 'confirmed' }>;
const failure: Failure = { status: 'failed', code: 'E_X', message: 'x', retryable: true };

describe('retry', () => {
  test('waits within the exponential ceiling, with full jitter, then gives up', () => {
    const wait = (attempt: number, random: number): unknown => afterFailure(SETTINGS, attempt, failure, () => random);
    expect([1, 2, 3].map((attempt) => wait(attempt, 0.999))).toEqual([
      { retryInMs: 99.9 },
      { retryInMs: 199.8 },
      { retryInMs: 399.6 },
    ]);
    expect(wait(3, 0)).toEqual({ retryInMs: 0 });
    expect(wait(4, 0.5)).toBe('give-up');
  });

  test('linear backoff and the cap', () => {
    const settings = { ...SETTINGS, retry: 99, backoff: { policy: 'linear' as const, delayMs: 100, maxMs: 250 } };
    const wait = (attempt: number): unknown => afterFailure(settings, attempt, failure, () => 0.5);
    expect([wait(1), wait(2), wait(3), wait(50)]).toEqual([50, 100, 125, 125].map((retryInMs) => ({ retryInMs })));
  });

  test('what cannot succeed is given up at once', () => {
    expect(afterFailure(SETTINGS, 1, { ...failure, retryable: false }, () => 0)).toBe('give-up');
  });
});

describe('availability', () => {
  const down: SendResult = { ...failure, unavailable: true };

  test('closes with growing waits, one step per outage seen, and opens on the first confirmation', () => {
    const policy = new Availability(() => 0.5);
    expect(policy.admit(0)).toBe(0);
    policy.settled([down], 0);
    policy.settled([down], 1);
    expect(policy.admit(1)).toBe(74);
    policy.settled([down], 100);
    expect(policy.admit(100)).toBe(150);
    policy.settled([down, CONFIRMED], 300);
    expect([policy.admit(300), policy.down]).toEqual([0, false]);
  });

  test('ordinary failures do not close the lane', () => {
    const policy = new Availability(() => 0.5);
    policy.settled([failure], 0);
    expect(policy.admit(0)).toBe(0);
  });

  test('the wait is bounded', () => {
    const policy = new Availability(() => 0.999);
    let now = 0;
    for (let n = 0; n < 50; n += 1) {
      policy.settled([down], now);
      now += policy.admit(now);
    }
    policy.settled([down], now);
    expect(policy.admit(now)).toBeLessThanOrEqual(5_000);
  });
});
