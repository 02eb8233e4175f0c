import type { Decision, Selector } from '../../src/core/selector.ts';
import type { SelectorOf } from '../../src/simulation/run.ts';
import { stream } from '../../src/simulation/world/random.ts';
import { type SimTarget, STEP_MS, type World } from '../../src/simulation/world/world.ts';

/** A selector that takes a target by a rule of the test. */
export function choosing(pick: (eligible: readonly number[], random: () => number) => number): SelectorOf {
  return ({ world, gateway }): Selector => {
    const random = stream(world.seed, 100 + gateway);
    const inFlight = world.targets.map(() => 0);
    const decision = { target: 0, by: 'rule', policy: 'random', propensity: 1, explored: false, reason: undefined };
    const all = world.targets.map((_, index) => index);
    return {
      targets: world.targets.map(({ name }) => ({ name })),
      by: 'random',
      choose(_event, eligible = all): Decision {
        decision.target = pick(eligible, random);
        return decision as Decision;
      },
      explain: () => ({
        by: 'rule',
        policy: 'random',
        lease: undefined,
        model: undefined,
        fallback: undefined,
        candidates: [],
      }),
      sent(target) {
        inFlight[target] = (inFlight[target] as number) + 1;
        return target;
      },
      settled(target) {
        inFlight[target] = (inFlight[target] as number) - 1;
      },
      available: () => undefined,
      backlog: () => undefined,
      tick: () => undefined,
      inFlight: (target) => inFlight[target] as number,
      sizeClass: () => 0,
      snapshot: () => undefined,
      use: () => undefined,
    };
  };
}

export const atRandom: SelectorOf = choosing(
  (eligible, random) => eligible[Math.floor(random() * eligible.length)] as number,
);

/** One class of sizes, no keys, targets that hold for all events. */
export function plainWorld(options: {
  readonly seed: number;
  readonly events: number;
  readonly perSecond: number;
  readonly targets: readonly Partial<SimTarget>[];
}): World {
  const { seed, events, perSecond } = options;
  const random = stream(seed, 50);
  const at = new Float64Array(events);
  const z = new Float64Array(events);
  let time = 0;
  for (let event = 0; event < events; event += 1) {
    time -= (Math.log(1 - random()) * 1_000) / perSecond;
    at[event] = time;
    z[event] = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  }
  const steps = Math.ceil((time + 6_000) / STEP_MS);
  const targets = options.targets.map((target, index): SimTarget => ({ ...plainTarget(index, steps), ...target }));
  return {
    family: 'plain',
    seed,
    warmUpMs: 0,
    horizonMs: time + 1,
    dayMs: 86_400_000,
    sloMs: 100,
    costWeight: 0,
    targets,
    bytes: [512],
    keys: 0,
    sets: [targets.map((_, index) => index)],
    at,
    size: new Uint8Array(events),
    key: new Int32Array(events).fill(-1),
    set: new Uint16Array(events),
    z: Float32Array.from(z),
  };
}

function plainTarget(index: number, steps: number): SimTarget {
  return {
    name: `plain-${index}`,
    protocol: 'http',
    rttMs: 1,
    servers: 1,
    serviceMs: [1],
    sigma: 1,
    cost: 0,
    perSecond: 1_000,
    declared: { perSecond: 1_000, concurrent: 1 },
    weight: 1,
    poll: undefined,
    queueLimit: 1e9,
    joinsAtMs: 0,
    faults: [],
    slow: new Float32Array(steps).fill(1),
    cross: new Float32Array(steps),
    error: new Float32Array(steps),
    extraRttMs: new Float32Array(steps),
  };
}
