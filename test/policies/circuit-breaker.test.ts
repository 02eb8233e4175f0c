import { describe, expect, test } from 'vitest';
import type { BreakerSnapshot, CircuitBreakerSettings } from '../../src/core/policy.ts';
import { CONFIRMED, type SendResult } from '../../src/core/target.ts';
import { CircuitBreaker } from '../../src/policies/circuit-breaker.ts';

const SETTINGS: CircuitBreakerSettings = {
  failureRate: 0.5,
  windowMs: 10_000,
  minimum: 20,
  halfOpenAfterMs: 5_000,
  halfOpenAfterMaxMs: 60_000,
  probes: 5,
};

const FAILED: SendResult = { status: 'failed', code: 'E_X', message: 'x', retryable: true };
const UNKNOWN: SendResult = { ...FAILED, status: 'unknown' };
const UNAVAILABLE: SendResult = { ...FAILED, unavailable: true };
const REFUSED: SendResult = { ...FAILED, retryable: false };

const many = (count: number, result: SendResult): SendResult[] => new Array<SendResult>(count).fill(result);

/** A breaker and the changes it told of. */
function breaker(over: Partial<CircuitBreakerSettings> = {}, random: () => number = () => 0) {
  const changes: string[] = [];
  const onChange = ({ state }: BreakerSnapshot, from: string): void => {
    changes.push(`${from} → ${state}`);
  };
  return { it: new CircuitBreaker({ settings: { ...SETTINGS, ...over }, random, now: 0, onChange }), changes };
}

/** Opens it at `now` from a closed state. */
function open(it: CircuitBreaker, now = 0): void {
  it.settled(many(20, FAILED), now, now);
  expect(it.snapshot(now).state).toBe('open');
}

/** One probe send that takes `tookMs`. */
function probe(it: CircuitBreaker, results: readonly SendResult[], now: number, tookMs = 0): void {
  expect(it.admit(now)).toBe(0);
  expect(it.limit()).toBeGreaterThanOrEqual(results.length);
  it.began();
  it.settled(results, now + tookMs, now);
}

describe('closed', () => {
  test('opens at the failure rate, not below the minimum, not below the rate', () => {
    const { it, changes } = breaker();
    it.settled(many(19, FAILED), 0, 0);
    expect([it.admit(0), it.down]).toEqual([0, false]);
    it.settled([CONFIRMED], 0, 0);
    expect([it.admit(0), it.down, it.snapshot(0).state]).toEqual([0, false, 'closed']);
    it.settled(many(21, CONFIRMED), 0, 0);
    it.settled(many(2, FAILED), 0, 0);
    expect(it.snapshot(0).failureRate).toBeCloseTo(21 / 43);
    it.settled([FAILED], 0, 0);
    expect(changes).toEqual(['closed → open']);
    expect([it.admit(0), it.down]).toEqual([5_000, true]);
  });

  test('a confirmation does not open it, however bad the past', () => {
    const { it } = breaker({ minimum: 20 });
    it.settled(many(19, FAILED), 0, 0);
    it.settled([CONFIRMED], 0, 0);
    expect(it.down).toBe(false);
  });

  test.each([
    ['failed', FAILED, true],
    ['unknown', UNKNOWN, true],
    ['unavailable', UNAVAILABLE, true],
    ['refused for good', REFUSED, false],
    ['confirmed', CONFIRMED, false],
  ])('%s counts against the target: %s', (_, result, opens) => {
    const { it } = breaker();
    it.settled(many(100, result), 0, 0);
    expect(it.down).toBe(opens);
  });

  test('refusals for good count neither way', () => {
    const { it } = breaker();
    it.settled([...many(10, FAILED), ...many(1_000, REFUSED)], 0, 0);
    expect(it.snapshot(0)).toMatchObject({ results: 10, failureRate: 1, state: 'closed' });
    it.settled(many(10, FAILED), 0, 0);
    expect(it.down).toBe(true);
  });

  test('what is older than the window is forgotten', () => {
    const { it } = breaker();
    it.settled(many(15, FAILED), 0, 0);
    it.settled(many(15, FAILED), 10_000, 10_000);
    expect([it.down, it.snapshot(10_000).results]).toEqual([false, 15]);
    expect(it.snapshot(1e9)).toMatchObject({ results: 0, failureRate: undefined });
  });

  test('slow answers open it, confirmed or not', () => {
    const { it } = breaker({ slowCall: { overMs: 1_000, rate: 0.8 } });
    it.settled(many(20, CONFIRMED), 1_000, 0);
    expect(it.snapshot(1_000)).toMatchObject({ slowRate: 0, failureRate: 0 });
    it.settled(many(79, CONFIRMED), 1_002, 1);
    expect(it.snapshot(1_002).slowRate).toBeCloseTo(0.798);
    it.settled([CONFIRMED], 1_003, 1);
    expect(it.down).toBe(true);
  });

  test('rates that have no exact binary form are exact', () => {
    const { it } = breaker({ failureRate: 0.07, minimum: 100 });
    it.settled([...many(93, CONFIRMED), ...many(7, FAILED)], 0, 0);
    expect(it.down).toBe(true);
  });
});

describe('open', () => {
  test('admits nothing until its wait is over, then probes', () => {
    const { it, changes } = breaker();
    open(it);
    expect([it.admit(0), it.admit(4_999)]).toEqual([5_000, 1]);
    expect(it.snapshot(2_000)).toMatchObject({ state: 'open', halfOpenInMs: 3_000, failureRate: 1, results: 20 });
    expect([it.admit(5_000), it.limit()]).toEqual([0, 5]);
    expect(changes).toEqual(['closed → open', 'open → half-open']);
  });

  test('results of sends that began before change nothing', () => {
    const { it } = breaker();
    open(it, 100);
    it.settled(many(20, FAILED), 200, 50);
    it.settled(many(500, CONFIRMED), 201, 50);
    expect(it.snapshot(201)).toMatchObject({ state: 'open', openings: 1, halfOpenInMs: 4_899 });
  });

  test('probes at once when the target says that it can be reached', () => {
    const { it } = breaker();
    open(it, 100);
    it.available(150);
    expect([it.admit(150), it.limit()]).toEqual([0, 5]);
  });

  test('the wait has jitter upwards and doubles up to its bound', () => {
    const { it } = breaker({ halfOpenAfterMaxMs: 30_000 }, () => 0.999);
    const waits: number[] = [];
    let now = 0;
    open(it);
    for (let n = 0; n < 5; n += 1) {
      waits.push(it.admit(now));
      now += it.admit(now);
      probe(it, many(5, FAILED), now);
    }
    expect(waits.map((wait) => Math.round(wait / 10))).toEqual([625, 1_250, 2_500, 3_749, 3_749]);
    expect(it.snapshot(now).openings).toBe(6);
  });
});

describe('half-open', () => {
  test('sends one bounded probe at a time', () => {
    const { it } = breaker();
    open(it);
    expect([it.admit(5_000), it.limit()]).toEqual([0, 5]);
    it.began();
    expect(it.admit(5_000)).toBeGreaterThan(0);
    it.settled(many(2, CONFIRMED), 5_010, 5_000);
    expect([it.admit(5_010), it.limit(), it.down]).toEqual([0, 3, true]);
  });

  test.each([
    [[...many(3, CONFIRMED)], 'closed'],
    [[...many(2, CONFIRMED), ...many(2, FAILED)], 'half-open'],
    [[...many(2, CONFIRMED), ...many(3, FAILED)], 'open'],
    [[...many(3, UNKNOWN)], 'open'],
    [[...many(5, REFUSED)], 'half-open'],
    [[], 'half-open'],
  ])('%# decides as soon as the rest could not change it', (results, state) => {
    const { it } = breaker();
    open(it);
    probe(it, results, 5_000);
    expect(it.snapshot(5_000).state).toBe(state);
  });

  test('a slow probe is a bad one', () => {
    const { it } = breaker({ slowCall: { overMs: 1_000, rate: 1 } });
    open(it);
    probe(it, many(5, CONFIRMED), 5_000, 1_001);
    expect(it.snapshot(6_001).state).toBe('open');
  });

  test('late results of the time before do not pass for probes', () => {
    const { it } = breaker();
    open(it);
    it.admit(5_000);
    it.began();
    it.settled(many(100, CONFIRMED), 5_001, -10);
    expect([it.snapshot(5_001).state, it.admit(5_001) > 0]).toEqual(['half-open', true]);
  });

  test('closes with nothing remembered; late failures of the time before do not count', () => {
    const { it, changes } = breaker();
    open(it);
    probe(it, many(5, CONFIRMED), 5_000, 100);
    expect(it.snapshot(5_100)).toMatchObject({ state: 'closed', results: 0, openings: 1 });
    it.settled(many(100, UNKNOWN), 5_200, -10);
    expect([it.down, it.limit()]).toEqual([false, Number.POSITIVE_INFINITY]);
    expect(changes).toEqual(['closed → open', 'open → half-open', 'half-open → closed']);
  });

  test('opening again soon after it closed goes on with longer waits, later begins anew', () => {
    const { it } = breaker();
    open(it);
    probe(it, many(5, CONFIRMED), 5_000);
    open(it, 14_000);
    expect(it.admit(14_000)).toBe(10_000);
    probe(it, many(5, CONFIRMED), 24_000);
    expect(it.snapshot(34_000).openings).toBe(0);
    open(it, 34_000);
    expect(it.admit(34_000)).toBe(5_000);
  });
});
