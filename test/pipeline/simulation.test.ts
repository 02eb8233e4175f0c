import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SELECTORS } from '../../src/core/selector.ts';
import { CONFIRMED, type SendResult } from '../../src/core/target.ts';
import { seeded } from '../setup/seeded.ts';
import { delivery, type RigOptions, rig } from './rig.ts';

const RUNS = 300;

/**
 * Random targets that confirm, fail, lose answers and go away, under a virtual clock: whatever happens, every delivery is
 * settled exactly once, first deliveries of a key keep their order, and both accounting identities hold.
 */
test(`${RUNS} seeded runs of a faulty target lose nothing and keep order per key`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.boolean(), fc.integer({ min: 1, max: 12 }), async (seed, orderedBatch, keys) => {
      const random = seeded(seed);
      await lossless({ orderedBatch, random, latencyMs: () => 1 + random() * 50, settings: { retry: 4 } }, keys);
    }),
    { numRuns: RUNS },
  );
});

test(`${RUNS} seeded runs of a choice among faulty targets lose nothing and keep order per key`, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.boolean(),
      fc.integer({ min: 1, max: 12 }),
      fc.constantFrom(...SELECTORS),
      fc.constantFrom('wait', 'reselect'),
      async (seed, orderedBatch, keys, by, onUnknown) => {
        const random = seeded(seed);
        const choice = { by, onUnknown };
        const targets = ['a', 'b', 'd'];
        // Some answers come after the 250 ms at which a lane counts as stalled.
        const latencyMs = (): number => 1 + random() * (random() < 0.1 ? 600 : 50);
        await lossless({ orderedBatch, random, latencyMs, settings: { retry: 4 }, choice, targets }, keys);
      },
    ),
    { numRuns: RUNS },
  );
});

/** Delivers 120 events and holds what became of them against what must. */
async function lossless(options: RigOptions & { random: () => number }, keys: number): Promise<void> {
  const { random, orderedBatch } = options;
  const r = rig(options);
  const reached: { id: string; key: string | undefined }[] = [];
  for (const target of r.targets.values()) {
    const blocked = new Set<string>();
    let send = -1;
    target.behaviour = (leg, number) => {
      if (number !== send) blocked.clear();
      send = number;
      const behind = orderedBatch === true && leg.key !== undefined && blocked.has(leg.key);
      const answer = behind ? refuse(random) : draw(random);
      // `unknown` may have arrived: the simulated broker takes half of them, but nothing of a key behind a failure.
      const arrives = answer.status === 'confirmed' || (answer.status === 'unknown' && !behind && random() < 0.5);
      if (arrives) reached.push({ id: leg.event.id, key: leg.key });
      if (answer.status !== 'confirmed' && leg.key !== undefined) blocked.add(leg.key);
      return answer;
    };
  }
  const all = Array.from({ length: 120 }, (_, n) =>
    delivery(n, n % 5 === 4 ? undefined : `k${Math.floor(random() * keys)}`),
  );
  for (let at = 0; at < all.length; at += 30) {
    r.deliver(all.slice(at, at + 30));
    await r.clock.advance(random() * 100);
    expect(r.balanced()).toBe(true);
  }
  await r.clock.advance(options.choice === undefined ? 600_000 : 60_000);
  expect(r.balanced()).toBe(true);
  for (const { event } of all) expect(r.outcomes.get(event.id)).toEqual([{ verdict: 'ack' }]);
  const kept = new Set(r.letters.map(({ event }) => event?.id));
  const arrived = new Set(reached.map(({ id }) => id));
  for (const { event } of all) expect(kept.has(event.id) || arrived.has(event.id)).toBe(true);
  for (let k = 0; k < keys; k += 1) {
    const seen = new Set<string>();
    const firsts = reached
      .filter(({ id, key }) => key === `k${k}` && !seen.has(id) && seen.add(id))
      .map(({ id }) => Number(id));
    expect(firsts).toEqual([...firsts].sort((a, b) => a - b));
  }
  for (const lane of [...r.lanes.values(), ...(r.choice === undefined ? [] : [r.choice])]) {
    expect([lane.depth, lane.bytes]).toEqual([0, 0]);
  }
  for (let index = 0; index < r.lanes.size; index += 1) expect(r.choice?.setup.selector.inFlight(index) ?? 0).toBe(0);
}

function draw(random: () => number): SendResult {
  return random() < 0.7 ? CONFIRMED : refuse(random);
}

function refuse(random: () => number): SendResult {
  const roll = random();
  const failure = { code: 'E_SIM', message: 'simulated' };
  if (roll < 0.3) return { ...failure, status: 'failed', retryable: true };
  if (roll < 0.6) return { ...failure, status: 'unknown', retryable: true };
  if (roll < 0.8) return { ...failure, status: 'failed', retryable: true, unavailable: true };
  if (roll < 0.9) return { ...failure, status: 'failed', retryable: true, retryAfterMs: 500 };
  return { ...failure, status: 'failed', retryable: false };
}
