import { describe, expect, it } from 'vitest';
import { figuresOf } from '../../src/simulation/figures.ts';
import type { SendView } from '../../src/simulation/run.ts';
import { simulate } from '../../src/simulation/simulation.ts';
import { FAMILIES, worldOf } from '../../src/simulation/world/families.ts';
import type { Fault, SimTarget, World } from '../../src/simulation/world/world.ts';
import { atRandom, choosing, plainWorld } from './worlds.ts';

const SHORT = { warmUpMs: 2_000, horizonMs: 12_000, rate: 300 };
const first = choosing((eligible) => eligible[0] as number);

describe.each(FAMILIES)('$name', (family) => {
  it('is the same for the same seed and another for another', () => {
    const run = (seed: number) =>
      figuresOf(simulate({ world: worldOf(family, seed, SHORT), selectorOf: atRandom, gateways: 1 }));
    expect(run(1)).toEqual(run(1));
    expect(run(1).j).not.toBe(run(2).j);
  });

  it.each([1, 3, 8])('loses no event with %i gateways', (gateways) => {
    const world = worldOf(family, 7, SHORT);
    const run = simulate({ world, selectorOf: atRandom, gateways });
    const confirmed = run.confirmedAt.filter((at) => !Number.isNaN(at)).length;
    expect(confirmed + run.deadLettered + run.expired + run.inFlight).toBe(world.at.length);
  });

  it('shows every policy the same arrivals and the same eligible sets', () => {
    const seen = (selectorOf: typeof atRandom): SendView[] => {
      const sends = new Map<number, SendView>();
      const observer = { sent: (send: SendView) => void (sends.has(send.event) || sends.set(send.event, send)) };
      simulate({ world: worldOf(family, 3, SHORT), selectorOf, gateways: 1, observer });
      return [...sends.values()].filter(({ event }) => keyless.has(event));
    };
    const world = worldOf(family, 3, SHORT);
    const keyless = new Set(Array.from(world.key.keys()).filter((event) => (world.key[event] as number) < 0));
    const times = (sends: SendView[]) => sends.map(({ event, atMs }) => [event, atMs]);
    expect(times(seen(first))).toEqual(times(seen(atRandom)));
  });
});

describe('a send', () => {
  const faulty = (fault: Fault, targets = 1): World =>
    plainWorld({
      seed: 6,
      events: 2_000,
      perSecond: 500,
      targets: Array.from({ length: targets }, (_, index) => (index === 0 ? { faults: [fault], sigma: 0.3 } : {})),
    });

  it('to a target that refuses goes elsewhere at once', () => {
    const world = faulty({ kind: 'refused', startMs: 1_000, endMs: 2_000 }, 2);
    const figures = figuresOf(simulate({ world, selectorOf: first, gateways: 1 }));
    expect(figures.failed).toBe(0);
    expect(figures.duplicates).toBe(0);
  });

  it('into a black hole is given up after the timeout', () => {
    const world = faulty({ kind: 'black-hole', startMs: 1_000, endMs: 2_000 }, 2);
    const statuses = new Map<string, number>();
    const latencies = new Set<number>();
    const observer = {
      settled: (send: SendView, status: string, atMs: number): void => {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status === 'timeout') latencies.add(Math.round(atMs - send.atMs));
      },
    };
    const run = simulate({ world, selectorOf: first, gateways: 1, observer });
    expect(statuses.get('timeout')).toBeGreaterThan(400);
    expect([...latencies]).toEqual([2_000]);
    expect(figuresOf(run).failed).toBe(statuses.get('timeout'));
    expect(run.inFlight).toBe(0);
  });

  it('that was processed though its answer was lost is a duplicate when it is repeated', () => {
    // Only answers are lost: what reaches the target just before the fault.
    const world = faulty({ kind: 'black-hole', startMs: 1_000, endMs: 2_000 }, 2);
    const slowWorld = {
      ...world,
      targets: world.targets.map((target) => ({ ...target, serviceMs: [100], servers: 200 })),
    };
    const { duplicates } = figuresOf(simulate({ world: slowWorld, selectorOf: first, gateways: 1 }));
    expect(duplicates).toBeGreaterThan(30);
    expect(duplicates).toBeLessThan(80);
  });

  it('keeps the order of its key when it fails, if the selector stays with one target', () => {
    const world = faulty({ kind: 'refused', startMs: 1_000, endMs: 1_040 });
    const keyed = { ...world, keys: 3, key: world.key.map((_, event) => event % 3) };
    const run = simulate({ world: keyed, selectorOf: first, gateways: 1 });
    expect(run.attempts.some((attempts) => attempts > 1)).toBe(true);
    expect(run.reorderings).toBe(0);
    const apart = {
      ...keyed,
      targets: [{ rttMs: 1 }, { rttMs: 40 }].map((own) => ({ ...keyed.targets[0], ...own }) as SimTarget),
      sets: [[0, 1]],
    };
    expect(simulate({ world: apart, selectorOf: atRandom, gateways: 1 }).reorderings).toBeGreaterThan(100);
  });
});
