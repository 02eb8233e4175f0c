import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BreakerState, CircuitBreakerSettings } from '../../src/core/policy.ts';
import { CONFIRMED, type SendResult } from '../../src/core/target.ts';
import { CircuitBreaker } from '../../src/policies/circuit-breaker.ts';

const FAILED: SendResult = { status: 'failed', code: 'E_X', message: 'x', retryable: true };
const RESULTS: readonly SendResult[] = [
  CONFIRMED,
  FAILED,
  { ...FAILED, status: 'unknown' },
  { ...FAILED, retryable: false, unavailable: true },
  { ...FAILED, retryable: false },
];

/** The same thing, remembering everything and counting anew each time. */
class Reference {
  readonly settings: CircuitBreakerSettings;
  state: BreakerState = 'closed';
  since = 0;
  probesAt = 0;
  openings = 0;
  log: { at: number; bad: boolean; slow: boolean }[] = [];
  probes: boolean[] = [];
  probing = false;

  constructor(settings: CircuitBreakerSettings) {
    this.settings = settings;
  }

  admits(now: number): boolean {
    if (this.state === 'open' && now >= this.probesAt) {
      this.state = 'half-open';
      this.since = now;
      this.probes = [];
      this.probing = false;
    }
    return this.state === 'closed' || (this.state === 'half-open' && !this.probing);
  }

  settled(results: readonly SendResult[], now: number, beganAt: number): void {
    const { slowCall, failureRate, minimum, probes, windowMs } = this.settings;
    if (this.state === 'open' || beganAt < this.since) return;
    const slow = slowCall !== undefined && now - beganAt > slowCall.overMs;
    const told = results
      .filter((r) => r.status === 'confirmed' || r.retryable || r.unavailable === true)
      .map((r) => r.status !== 'confirmed');
    if (this.state === 'half-open') {
      this.probing = false;
      this.probes.push(...told.map((bad) => bad || slow));
      const worst = [...this.probes, ...new Array<boolean>(probes - this.probes.length).fill(true)];
      const best = [...this.probes, ...new Array<boolean>(probes - this.probes.length).fill(false)];
      if (share(best) >= failureRate) this.open(now);
      else if (share(worst) < failureRate) {
        this.state = 'closed';
        this.since = now;
        this.log = [];
      }
      return;
    }
    this.log.push(...told.map((bad) => ({ at: now, bad, slow })));
    const seen = this.seen(now);
    if (seen.length < minimum || !told.some((bad) => bad || slow)) return;
    const tooSlow = slowCall !== undefined && share(seen.map((one) => one.slow)) >= slowCall.rate;
    if (tooSlow || share(seen.map(({ bad }) => bad)) >= failureRate) {
      if (now - this.since >= windowMs) this.openings = 0;
      this.open(now);
    }
  }

  seen(now: number): readonly { bad: boolean; slow: boolean }[] {
    const tenth = this.settings.windowMs / 10;
    return this.log.filter(({ at }) => Math.floor(at / tenth) > Math.floor(now / tenth) - 10);
  }

  open(now: number): void {
    const { halfOpenAfterMs, halfOpenAfterMaxMs } = this.settings;
    this.openings += 1;
    let wait = halfOpenAfterMs;
    for (let n = 1; n < this.openings && wait < halfOpenAfterMaxMs; n += 1) wait *= 2;
    this.probesAt = now + Math.min(wait, halfOpenAfterMaxMs) * 1.125;
    this.state = 'open';
    this.since = now;
  }
}

function share(flags: readonly boolean[]): number {
  return flags.filter(Boolean).length / flags.length;
}

const settings: fc.Arbitrary<CircuitBreakerSettings> = fc.record({
  failureRate: fc.constantFrom(0.01, 0.07, 0.3, 0.5, 1),
  windowMs: fc.constantFrom(100, 1_000, 10_000),
  minimum: fc.integer({ min: 1, max: 15 }),
  halfOpenAfterMs: fc.integer({ min: 10, max: 500 }),
  halfOpenAfterMaxMs: fc.integer({ min: 500, max: 5_000 }),
  probes: fc.integer({ min: 1, max: 12 }),
  slowCall: fc.option(fc.record({ overMs: fc.integer({ min: 1, max: 60 }), rate: fc.constantFrom(0.2, 0.5, 1) }), {
    nil: undefined,
  }),
});

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('send' as const), legs: fc.integer({ min: 1, max: 20 }) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('settle' as const),
        which: fc.nat(9),
        // One mood per send, so that there are outages and calm.
        mood: fc.constantFrom([0], [0, 0, 0, 1], [1, 2, 3], [4], [0, 1, 2, 3, 4]),
        draws: fc.array(fc.nat(99), { minLength: 20, maxLength: 20, size: 'max' }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.oneof(fc.nat(60), fc.nat(800)) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('available' as const) }) },
  ),
  { minLength: 1, maxLength: 150, size: 'max' },
);

test('behaves as one that remembers everything', () => {
  const reached = new Set<string>();
  fc.assert(
    fc.property(settings, steps, (config, script) => {
      let now = 1;
      const breaker = new CircuitBreaker({ settings: config, random: () => 0.5, now });
      const reference = new Reference(config);
      reference.since = now;
      const running: { legs: number; beganAt: number }[] = [];
      for (const step of script) {
        if (step.kind === 'wait') now += step.ms;
        else if (step.kind === 'available') {
          breaker.available(now);
          if (reference.state === 'open') reference.probesAt = Math.min(reference.probesAt, now);
        } else if (step.kind === 'send') {
          const wait = breaker.admit(now);
          expect(wait === 0).toBe(reference.admits(now));
          if (wait > 0) continue;
          const half = reference.state === 'half-open';
          expect(breaker.limit()).toBe(half ? config.probes - reference.probes.length : Infinity);
          const legs = Math.min(step.legs, breaker.limit());
          expect(legs).toBeGreaterThan(0);
          breaker.began();
          if (half) reference.probing = true;
          running.push({ legs, beganAt: now });
          now += 1;
        } else {
          const [send] = running.splice(step.which % Math.max(1, running.length), 1);
          if (send === undefined) continue;
          const results = step.draws
            .slice(0, send.legs)
            .map((draw) => RESULTS[step.mood[draw % step.mood.length] as number] as SendResult);
          breaker.settled(results, now, send.beganAt);
          reference.settled(results, now, send.beganAt);
        }
        const shown = breaker.snapshot(now);
        reached.add(shown.state);
        expect(shown).toMatchObject({ state: reference.state, since: reference.since });
        expect(breaker.down).toBe(reference.state !== 'closed');
        if (reference.state === 'open') {
          expect(shown.halfOpenInMs).toBeCloseTo(Math.max(0, reference.probesAt - now), 6);
          expect(shown.openings).toBe(reference.openings);
        }
        if (reference.state === 'closed') {
          const seen = reference.seen(now);
          expect(shown.results).toBe(seen.length);
          if (seen.length > 0) expect(shown.failureRate).toBe(share(seen.map(({ bad }) => bad)));
        }
      }
    }),
    { numRuns: 1_000 },
  );
  expect([...reached].sort()).toEqual(['closed', 'half-open', 'open']);
});
