import { build } from './build.ts';
import { bear, type Draft, type DraftTarget, draft, draftTarget, during, type Length } from './draft.ts';
import { Draw, stream } from './random.ts';
import type { FaultKind, World } from './world.ts';

/** Changes a draft into a scenario of the family. `span` is the time that is measured. */
type Shape = (draft: Draft, draw: Draw) => void;

export interface Family {
  readonly name: string;
  /** Never used to train or tune anything. */
  readonly heldOut: boolean;
  readonly summary: string;
  readonly shape: Shape;
}

const KINDS: readonly FaultKind[] = ['refused', 'black-hole'];

/** A share of the measured time as a moment. */
function moment({ warmUpMs, horizonMs }: Draft, share: number): number {
  return warmUpMs + share * (horizonMs - warmUpMs);
}

function victims({ targets }: Draft, draw: Draw, most: number): DraftTarget[] {
  return draw.some(targets.length, draw.whole(1, most)).map((index) => targets[index] as DraftTarget);
}

function shareOf(targets: readonly DraftTarget[]): number {
  return targets.reduce((sum, { share }) => sum + share, 0);
}

const steady: Shape = () => undefined;

const slow: Shape = (plan, draw) => {
  let left = 1;
  for (const target of victims(plan, draw, 2)) {
    const factor = draw.scale(3, 12);
    const from = moment(plan, draw.between(0.1, 0.35));
    const to = moment(plan, draw.between(0.55, 0.85));
    const rampMs = draw.chance(0.5) ? draw.between(500, 4_000) : 1;
    // The first step may begin before the span does.
    const ramp = (at: number): number => Math.min(1, Math.max(0, (at - from) / rampMs));
    during(target.slow, from, to, (value, at) => value * (1 + (factor - 1) * ramp(at)));
    left -= target.share * (1 - 1 / factor);
  }
  bear(plan, left);
};

const brownOut: Shape = (plan, draw) => {
  let left = 1;
  for (const target of victims(plan, draw, 2)) {
    const errors = draw.between(0.1, 0.6);
    const factor = draw.between(1.3, 3);
    const from = moment(plan, draw.between(0.1, 0.35));
    const to = moment(plan, draw.between(0.55, 0.85));
    during(target.error, from, to, () => errors);
    during(target.slow, from, to, (value) => value * factor);
    during(target.extraRttMs, from, to, () => draw.between(0, 20));
    left -= target.share * (1 - (1 - errors) / factor);
  }
  bear(plan, left);
};

/** Every target has a daily wave of its own, in speed and cross-traffic; so have the arrivals. */
function waves(plan: Draft, draw: Draw, fromMs: number, toMs: number, dayMs: number): void {
  const depth = draw.between(0.1, 0.35);
  const phase = draw.random();
  const wave = (at: number, shift: number): number => Math.sin(2 * Math.PI * (at / dayMs + shift));
  during(plan.surge, fromMs, toMs, (value, at) => value * (1 + depth * wave(at, phase)));
  for (const target of plan.targets) {
    const shift = draw.random();
    const most = draw.chance(0.7) ? draw.between(1, 4) : 0.2;
    const busy = draw.between(0, 0.4);
    const sharp = draw.of([1, 1, 4]);
    during(target.slow, fromMs, toMs, (value, at) => value * (1 + most * ((1 + wave(at, shift)) / 2) ** sharp));
    during(target.cross, fromMs, toMs, (value, at) => Math.min(0.8, value + (busy * (1 + wave(at, shift))) / 2));
  }
}

const periodic: Shape = (plan, draw) => {
  plan.dayMs = draw.between(0.12, 0.22) * plan.horizonMs;
  waves(plan, draw, 0, Number.POSITIVE_INFINITY, plan.dayMs);
  plan.load = draw.between(0.25, 0.4);
};

const seasonalityShift: Shape = (plan, draw) => {
  plan.dayMs = draw.between(0.12, 0.2) * plan.horizonMs;
  const shift = moment(plan, draw.between(0.4, 0.55));
  waves(plan, draw, 0, shift, plan.dayMs);
  waves(plan, draw, shift, Number.POSITIVE_INFINITY, plan.dayMs * draw.of([0.6, 0.8, 1, 1.5]));
  plan.load = draw.between(0.25, 0.4);
};

const flash: Shape = (plan, draw) => {
  plan.load = draw.between(0.35, 0.55);
  const crowds = draw.whole(2, 4);
  for (let crowd = 0; crowd < crowds; crowd += 1) {
    const from = moment(plan, (crowd + draw.between(0.1, 0.5)) / crowds);
    const peak = draw.between(0.85, 1.25) / plan.load;
    during(plan.surge, from, from + draw.between(1_000, 4_000), () => peak);
  }
};

const correlatedFailure: Shape = (plan, draw) => {
  const failing = draw.some(plan.targets.length, draw.whole(2, 3)).map((index) => plan.targets[index] as DraftTarget);
  const startMs = moment(plan, draw.between(0.15, 0.4));
  const endMs = startMs + draw.between(0.15, 0.4) * (plan.horizonMs - plan.warmUpMs);
  for (const target of failing) {
    const late = draw.between(0, 300);
    target.faults.push({ kind: draw.of(KINDS), startMs: startMs + late, endMs: endMs + draw.between(0, 1_500) });
  }
  bear(plan, 1 - shareOf(failing), 0.85);
};

const flapping: Shape = (plan, draw) => {
  const flappers = victims(plan, draw, 2);
  for (const target of flappers) {
    const kind = draw.of(KINDS);
    const up = draw.scale(500, 5_000);
    const down = draw.scale(400, 4_000);
    let at = moment(plan, draw.between(0.1, 0.25));
    const until = moment(plan, 0.85);
    while (at < until) {
      const endMs = at + down * draw.between(0.5, 1.5);
      target.faults.push({ kind, startMs: at, endMs });
      at = endMs + up * draw.between(0.5, 1.5);
    }
  }
  bear(plan, 1 - shareOf(flappers), 0.85);
};

/** Others' bursts take most of one target after another. */
const antagonist: Shape = (plan, draw) => {
  let at = moment(plan, 0.05);
  let last = -1;
  while (at < plan.horizonMs) {
    const next = draw.whole(0, plan.targets.length - 1);
    if (next === last && plan.targets.length > 1) continue;
    last = next;
    const until = at + draw.scale(1_000, 6_000);
    const share = draw.between(0.6, 1.1);
    during((plan.targets[next] as DraftTarget).cross, at, until, (value) => Math.max(value, share));
    at = until + (draw.chance(0.3) ? draw.between(0, 2_000) : 0);
  }
  const largest = Math.max(...plan.targets.map(({ share }) => share));
  bear(plan, 1 - largest, 0.85);
};

/** Cheap targets are slow and too few for all; dear ones are fast. */
const costTiers: Shape = (plan, draw) => {
  plan.costWeight = 50;
  const tiers = [
    { cost: 0.1, share: draw.between(0.25, 0.4), rttMs: 15 },
    { cost: 0.4, share: draw.between(0.3, 0.4), rttMs: 6 },
    { cost: 1, share: 0.5, rttMs: 1.5 },
  ];
  const members = tiers.map((): DraftTarget[] => []);
  for (const [index, target] of plan.targets.entries()) members[index % tiers.length]?.push(target);
  for (const [index, { cost, share, rttMs }] of tiers.entries()) {
    const own = members[index] as DraftTarget[];
    const total = shareOf(own);
    for (const target of own) {
      target.cost = cost * draw.between(0.8, 1.2);
      target.share *= share / total;
      target.rttMs = rttMs * draw.scale(0.4, 2.5);
    }
  }
  plan.load = draw.between(0.35, 0.7);
};

/** A target of a kind that was not there before joins while the others are busy; later it may lose its speed. */
const unseenTarget: Shape = (plan, draw) => {
  const fresh = draftTarget(draw, plan.surge.length);
  fresh.protocol = 'unseen';
  fresh.pollMs = undefined;
  fresh.joinsAtMs = moment(plan, draw.between(0.2, 0.35));
  fresh.share = draw.between(0.3, 0.8);
  fresh.rttMs = draw.chance(0.5) ? draw.between(0.2, 0.5) : draw.between(50, 90);
  fresh.meanServiceMs = draw.chance(0.5) ? draw.between(0.5, 1.5) : draw.between(30, 50);
  if (draw.chance(0.5)) {
    const factor = draw.scale(3, 8);
    during(fresh.slow, moment(plan, 0.65), moment(plan, 0.9), (value) => value * factor);
  }
  plan.targets.push(fresh);
  plan.load = draw.between(0.7, 0.88);
};

const lyingTelemetry: Shape = (plan, draw) => {
  for (const target of plan.targets) {
    if (draw.chance(0.7)) target.lie = draw.of(['zero', 'stuck', 'twentyfold']);
    if (draw.chance(0.3)) target.boast = draw.of([0.5, 2]);
  }
  slow(plan, draw);
};

/** All families in the order of the tables. */
export const FAMILIES: readonly Family[] = [
  { name: 'steady', heldOut: false, summary: 'nothing but wandering cross-traffic', shape: steady },
  { name: 'slow', heldOut: false, summary: 'one or two targets become 3–12 times slower', shape: slow },
  { name: 'brown-out', heldOut: false, summary: 'one or two targets fail at times and slow down', shape: brownOut },
  { name: 'periodic', heldOut: false, summary: 'daily waves in speed, cross-traffic and arrivals', shape: periodic },
  { name: 'flash-crowd', heldOut: false, summary: 'arrivals go up to 0.85–1.25 of all capacity', shape: flash },
  {
    name: 'correlated-failure',
    heldOut: false,
    summary: 'two or three targets fail at once',
    shape: correlatedFailure,
  },
  { name: 'cost-tiers', heldOut: false, summary: 'cheap, slow and scarce against dear and fast', shape: costTiers },
  { name: 'lying-telemetry', heldOut: false, summary: 'backlogs and capacities are wrong', shape: lyingTelemetry },
  { name: 'antagonist', heldOut: true, summary: 'bursts of others on one target after another', shape: antagonist },
  { name: 'flapping', heldOut: true, summary: 'one or two targets fail and return all the time', shape: flapping },
  { name: 'seasonality-shift', heldOut: true, summary: 'the daily wave changes', shape: seasonalityShift },
  { name: 'unseen-target', heldOut: true, summary: 'a target of a new kind joins', shape: unseenTarget },
];

/** Of every scenario: 20 s are measured. */
export const LENGTH: Length = { warmUpMs: 6_000, horizonMs: 26_000, rate: 700 };

/** The scenario of a family for a seed: parameters, faults and events. */
export function worldOf(family: Family, seed: number, length: Length): World {
  // Families differ for the same seed also where their first draws are alike.
  const own = seed * 64 + FAMILIES.indexOf(family);
  const draw = new Draw(stream(own, 9));
  const plan = draft(draw, length);
  family.shape(plan, draw);
  return build(family.name, own, plan);
}
