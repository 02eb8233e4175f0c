import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CircuitBreakerSettings } from '../../src/core/policy.ts';
import { CONFIRMED, type SendResult } from '../../src/core/target.ts';
import type { Failure } from '../../src/pipeline/leg.ts';
import { CircuitBreaker } from '../../src/policies/circuit-breaker.ts';
import { seeded } from '../setup/seeded.ts';
import { delivery, type RigOptions, rig } from './rig.ts';

const SETTINGS: CircuitBreakerSettings = {
  failureRate: 0.5,
  windowMs: 10_000,
  minimum: 8,
  halfOpenAfterMs: 5_000,
  halfOpenAfterMaxMs: 20_000,
  probes: 3,
};

const FAILED: Failure = { status: 'failed', code: 'E_X', message: 'x', retryable: true };

function guarded(options: RigOptions = {}, over: Partial<CircuitBreakerSettings> = {}) {
  const random = options.random ?? (() => 0.5);
  const breaker = new CircuitBreaker({ settings: { ...SETTINGS, ...over }, random, now: 0 });
  return { breaker, ...rig({ ...options, policies: [breaker] }) };
}

const events = (count: number, keys = 0, from = 0) =>
  Array.from({ length: count }, (_, n) => delivery(from + n, keys === 0 ? undefined : `k${n % keys}`));

describe('a lane with an open breaker', () => {
  test('sends nothing, then a few probes in one send, and goes on when they are confirmed', async () => {
    const r = guarded({ limits: { maxEvents: 50, concurrency: 4 } });
    r.target.behaviour = () => FAILED;
    r.deliver(events(40));
    await r.clock.advance(1);
    expect([r.target.sends.length, r.breaker.snapshot(1).state]).toEqual([1, 'open']);
    r.deliver(events(1_000, 0, 40));
    await r.clock.advance(5_000);
    expect(r.target.sends).toHaveLength(1);
    r.target.behaviour = () => CONFIRMED;
    await r.clock.advance(625);
    // What failed waits behind; 3 probes, and no second send beside them.
    expect(r.target.sends[1]).toHaveLength(3);
    await r.clock.advance(0.5);
    expect(r.target.running).toBeLessThanOrEqual(1);
    await r.clock.advance(1_000);
    expect(r.target.sends[2]).toHaveLength(50);
    expect(r.target.accepted).toHaveLength(1_040);
    expect([r.letters, r.balanced()]).toEqual([[], true]);
  });

  test('consumes no retry, however long the outage: nothing is dead-lettered', async () => {
    const r = guarded({ settings: { retry: 1 } });
    r.target.behaviour = () => FAILED;
    r.deliver(events(20, 5));
    await r.clock.advance(3_600_000);
    expect(r.letters).toEqual([]);
    expect(r.breaker.snapshot(r.clock.now())).toMatchObject({ failureRate: 1 });
    expect(r.target.sends.slice(2).every(({ length }) => length <= 3)).toBe(true);
    // Every 20 to 25 s at the longest, at most three sends each time.
    expect(r.target.sends.length).toBeLessThan(3 * 181 + 10);
    const attempts = r.target.sends.flat().map(({ attempt }) => attempt);
    expect(Math.max(...attempts)).toBeLessThanOrEqual(2);
    r.target.behaviour = () => CONFIRMED;
    await r.clock.advance(60_000);
    expect(r.target.accepted).toHaveLength(20);
    expect([r.letters, r.balanced()]).toEqual([[], true]);
  });

  test('maxAge bounds the wait, to the second', async () => {
    const r = guarded({ settings: { maxAgeMs: 3_000 } }, { halfOpenAfterMs: 60_000, halfOpenAfterMaxMs: 60_000 });
    r.target.behaviour = () => FAILED;
    r.deliver(events(20, 3));
    await r.clock.advance(2_900);
    expect(r.letters).toEqual([]);
    await r.clock.advance(1_300);
    expect(r.letters.map(({ code }) => code)).toEqual(new Array(20).fill('E_MAX_AGE'));
    expect([r.lanes.get('a')?.depth, r.balanced()]).toEqual([0, true]);
  });

  test('probes are other events than those that failed last, so one that always fails blocks only its key', async () => {
    const r = guarded({ settings: { retry: 2 } }, { probes: 1 });
    let healed = false;
    r.target.behaviour = ({ key }) => (healed && key !== 'k0' ? CONFIRMED : FAILED);
    r.deliver(events(40, 4));
    await r.clock.advance(1_000);
    expect(r.breaker.snapshot(1_000).state).toBe('open');
    healed = true;
    await r.clock.advance(600_000);
    expect(r.target.accepted).toHaveLength(30);
  });

  test('the connection is back: probes at once', async () => {
    const r = guarded();
    r.target.behaviour = () => ({ ...FAILED, unavailable: true });
    r.deliver(events(30));
    await r.clock.advance(1_000);
    const sends = r.target.sends.length;
    expect(r.breaker.snapshot(1_000).state).toBe('open');
    r.target.behaviour = () => CONFIRMED;
    r.lanes.get('a')?.available();
    expect(r.target.sends[sends]).toHaveLength(3);
    await r.clock.advance(100);
    expect(r.target.accepted).toHaveLength(30);
  });

  test('admits what a choice may give it: all while closed, nothing while open, then probes', async () => {
    const r = guarded({ limits: { maxEvents: 50 } });
    const lane = r.lanes.get('a');
    const admits = (): boolean => (lane?.room(r.clock.now()) ?? 0) > 0;
    expect(admits()).toBe(true);
    r.target.behaviour = () => FAILED;
    r.deliver(events(10));
    await r.clock.advance(1);
    expect([r.breaker.snapshot(1).state, admits()]).toEqual(['open', false]);
    await r.clock.advance(5_624);
    expect(admits()).toBe(false);
    r.target.behaviour = () => CONFIRMED;
    await r.clock.advance(1_000);
    expect([r.breaker.snapshot(1).state, admits()]).toEqual(['closed', true]);
  });

  test('an empty lane that is half-open admits as many legs as probes are wanted', async () => {
    const r = guarded({ latencyMs: () => 10, settings: { maxAgeMs: 4_000 } });
    const lane = r.lanes.get('a');
    const admits = (): boolean => (lane?.room(r.clock.now()) ?? 0) > 0;
    r.target.behaviour = () => FAILED;
    r.deliver(events(10));
    await r.clock.advance(6_000);
    expect([lane?.depth, admits()]).toEqual([0, true]);
    r.deliver(events(2, 0, 10));
    expect([r.target.running, admits()]).toEqual([1, false]);
    r.target.behaviour = () => CONFIRMED;
    await r.clock.advance(10);
    expect([r.breaker.snapshot(0).state, admits()]).toEqual(['closed', true]);
  });

  test('a target that is down admits one leg at a time, a lane on its way out none', async () => {
    const r = rig({ latencyMs: () => 10 });
    const lane = r.lanes.get('a');
    const admits = (): boolean => (lane?.room(r.clock.now()) ?? 0) > 0;
    lane?.unavailable();
    expect(admits()).toBe(false);
    await r.clock.advance(1_000);
    expect(admits()).toBe(true);
    r.deliver(events(1));
    expect(admits()).toBe(false);
    await r.clock.advance(10);
    expect(admits()).toBe(true);
    lane?.leave();
    expect(admits()).toBe(false);
  });

  test('a target that did not answer has room for one leg until it does', async () => {
    const r = rig({ latencyMs: () => 10 });
    const lane = r.lanes.get('a');
    const room = (): number => lane?.room(r.clock.now()) ?? 0;
    expect(room()).toBeGreaterThan(10);
    r.target.behaviour = () => ({ ...FAILED, status: 'unknown', retryable: false });
    r.deliver(events(1));
    await r.clock.advance(10);
    expect(room()).toBe(1);
    r.target.behaviour = () => CONFIRMED;
    r.deliver(events(1, 0, 1));
    expect(room()).toBe(0);
    await r.clock.advance(10);
    expect(room()).toBeGreaterThan(10);
  });

  test('refusals for good go to the dead letters and leave it closed', async () => {
    const r = guarded();
    r.target.behaviour = () => ({ ...FAILED, retryable: false });
    r.deliver(events(100));
    await r.clock.advance(1_000);
    expect([r.letters.length, r.breaker.snapshot(1_000).state]).toEqual([100, 'closed']);
  });

  test('a lane that is replaced hands over what waits', async () => {
    const r = guarded();
    r.target.behaviour = () => FAILED;
    r.deliver(events(30, 3));
    await r.clock.advance(1_000);
    const lane = r.lanes.get('a');
    expect(lane?.down).toBe(true);
    lane?.leave();
    const rest = await lane?.retire('idle');
    expect(rest).toHaveLength(30);
    for (const key of ['k0', 'k1', 'k2']) {
      const ids = (rest ?? []).filter((leg) => leg.key === key).map(({ event }) => Number(event.id));
      expect(ids).toEqual([...ids].sort((a, b) => a - b));
    }
  });
});

/** Outages of every kind under a virtual clock: the same promises as without a breaker. */
test('300 seeded runs lose nothing, keep order per key, and probe within bounds', async () => {
  const opened = { runs: 0 };
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.boolean(), fc.integer({ min: 1, max: 12 }), async (seed, orderedBatch, keys) => {
      const random = seeded(seed);
      const probes = 1 + Math.floor(random() * 5);
      const r = guarded(
        { orderedBatch, random, latencyMs: () => 1 + random() * 50, settings: { retry: 4 } },
        { probes, minimum: 5, halfOpenAfterMs: 100 + random() * 1_000, slowCall: { overMs: 45, rate: 0.9 } },
      );
      const reached: { id: string; key: string | undefined }[] = [];
      const blocked = new Set<string>();
      let send = -1;
      let health = 1;
      let open = false;
      r.target.behaviour = (leg, number) => {
        if (number !== send) blocked.clear();
        send = number;
        const behind = orderedBatch && leg.key !== undefined && blocked.has(leg.key);
        const answer = !behind && random() < health ? CONFIRMED : fault(random);
        const arrives = answer.status === 'confirmed' || (answer.status === 'unknown' && !behind && random() < 0.5);
        if (arrives) reached.push({ id: leg.event.id, key: leg.key });
        if (answer.status !== 'confirmed' && leg.key !== undefined) blocked.add(leg.key);
        return answer;
      };
      const before = r.target.send.bind(r.target);
      r.target.send = (legs) => {
        const { state } = r.breaker.snapshot(r.clock.now());
        expect(state).not.toBe('open');
        if (state === 'half-open') expect(legs.length).toBeLessThanOrEqual(probes);
        return before(legs);
      };
      const all = Array.from({ length: 120 }, (_, n) =>
        delivery(n, n % 5 === 4 ? undefined : `k${Math.floor(random() * keys)}`),
      );
      for (let at = 0; at < all.length; at += 30) {
        r.deliver(all.slice(at, at + 30));
        health = random() < 0.4 ? 0 : random();
        await r.clock.advance(random() * 2_000);
        open ||= r.breaker.down;
        expect(r.balanced()).toBe(true);
      }
      health = 0.9;
      await r.clock.advance(3_600_000);
      if (open) opened.runs += 1;
      for (const { event } of all) expect(r.outcomes.get(event.id)).toEqual([{ verdict: 'ack' }]);
      const kept = new Set(r.letters.map(({ event }) => event?.id));
      const arrived = new Set(reached.map(({ id }) => id));
      for (const { event } of all) expect(kept.has(event.id) || arrived.has(event.id)).toBe(true);
      for (let k = 0; k < keys; k += 1) {
        const firsts = [...new Set(reached.filter(({ key }) => key === `k${k}`).map(({ id }) => Number(id)))];
        expect(firsts).toEqual([...firsts].sort((a, b) => a - b));
      }
      expect([r.balanced(), r.lanes.get('a')?.depth, r.lanes.get('a')?.bytes]).toEqual([true, 0, 0]);
    }),
    { numRuns: 300 },
  );
  expect(opened.runs).toBeGreaterThan(100);
});

function fault(random: () => number): SendResult {
  const roll = random();
  if (roll < 0.4) return FAILED;
  if (roll < 0.7) return { ...FAILED, status: 'unknown' };
  if (roll < 0.9) return { ...FAILED, unavailable: true };
  return { ...FAILED, retryable: false };
}
