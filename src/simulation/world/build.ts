import { type Draft, SIZE_BYTES, SIZE_SHARES } from './draft.ts';
import { Draw, hashed, normal, stream } from './random.ts';
import { type SimTarget, STEP_MS, type World } from './world.ts';

const KEYS = 400;
const KEYED = 0.25;
/** Share of events that may go anywhere; the others draw one of a few sets. */
const ANYWHERE = 0.6;
const NARROW_SETS = 4;
/** Each narrow set has at least so much of the capacity, so that its own events cannot overload it. */
const NARROW_SHARE = 0.4;

/** Fixes capacities by load and rate, and draws the events. */
export function build(family: string, seed: number, draft: Draft): World {
  const draw = new Draw(stream(seed, 8));
  // An operator lists the cheap and the near ones first, which is what `priority` goes by.
  draft.targets.sort((a, b) => a.cost - b.cost || a.rttMs - b.rttMs);
  const { warmUpMs, horizonMs, dayMs, costWeight } = draft;
  const meanCross = draft.targets.map(({ cross }) => cross.reduce((sum, share) => sum + share, 0) / cross.length);
  const free = draft.targets.reduce(
    (sum, { share, joinsAtMs }, index) => sum + (joinsAtMs > 0 ? 0 : share * (1 - (meanCross[index] as number))),
    0,
  );
  const capacity = draft.rate / draft.load / free;
  const targets = draft.targets.map((target, index): SimTarget => {
    const perSecond = capacity * target.share;
    const servers = Math.max(1, Math.round((perSecond * target.meanServiceMs) / 1_000));
    const meanMs = (servers * 1_000) / perSecond;
    const { pollMs, pollDelayMs, lie, boast, rttMs, sigma, cost, protocol, joinsAtMs } = target;
    return {
      name: `t${index}-${protocol}`,
      protocol,
      rttMs,
      servers,
      serviceMs: target.sizeFactors.map((factor) => factor * meanMs),
      sigma,
      cost,
      perSecond,
      declared: { perSecond: perSecond * boast, concurrent: Math.max(1, Math.round(servers * boast)) },
      weight: perSecond * target.weightNoise,
      poll: pollMs === undefined ? undefined : { everyMs: pollMs, delayMs: pollDelayMs, lie },
      queueLimit: Math.ceil(perSecond * 3) + 10,
      joinsAtMs,
      faults: [...target.faults].sort((a, b) => a.startMs - b.startMs),
      slow: target.slow,
      cross: target.cross,
      error: target.error,
      extraRttMs: target.extraRttMs,
    };
  });
  const at = arrivals(draft, draw);
  const { sets, masks, setOf } = eligibleSets(draw, targets);
  const events = at.length;
  const size = new Uint8Array(events);
  const key = new Int32Array(events);
  const set = new Uint16Array(events);
  const z = new Float32Array(events);
  for (let event = 0; event < events; event += 1) {
    const u = hashed(seed, event, 1);
    size[event] = u < (SIZE_SHARES[0] as number) ? 0 : u < 1 - (SIZE_SHARES[2] as number) ? 1 : 2;
    key[event] = hashed(seed, event, 2) < KEYED ? Math.floor(hashed(seed, event, 3) * KEYS) : -1;
    z[event] = normal(hashed(seed, event, 4), hashed(seed, event, 5));
    // All events of a key may go to the same targets.
    const keyed = key[event] as number;
    const kind = keyed < 0 ? hashed(seed, event, 6) : hashed(seed, keyed, 7);
    const narrow = Math.floor(((kind - ANYWHERE) / (1 - ANYWHERE)) * NARROW_SETS);
    const mask = masks[kind < ANYWHERE ? 0 : 1 + narrow] as number;
    set[event] = setOf(mask & joined(targets, at[event] as number));
  }
  const shape = { family, seed, warmUpMs, horizonMs, dayMs, sloMs: 100, costWeight };
  return { ...shape, targets, bytes: SIZE_BYTES, keys: KEYS, sets, at, size, key, set, z };
}

/** A Poisson process whose rate changes by step. */
function arrivals({ rate, surge, horizonMs }: Draft, draw: Draw): Float64Array {
  const at: number[] = [];
  let left = -Math.log(1 - draw.random());
  for (let step = 0; step * STEP_MS < horizonMs; step += 1) {
    const perMs = (rate * (surge[step] as number)) / 1_000;
    let from = 0;
    while (perMs > 0 && (STEP_MS - from) * perMs >= left) {
      from += left / perMs;
      at.push(step * STEP_MS + from);
      left = -Math.log(1 - draw.random());
    }
    left -= (STEP_MS - from) * perMs;
  }
  return Float64Array.from(at);
}

function joined(targets: readonly SimTarget[], atMs: number): number {
  return targets.reduce((mask, { joinsAtMs }, index) => (joinsAtMs <= atMs ? mask | (1 << index) : mask), 0);
}

function eligibleSets(draw: Draw, targets: readonly SimTarget[]) {
  const all = 2 ** targets.length - 1;
  const total = targets.reduce((sum, { perSecond, joinsAtMs }) => sum + (joinsAtMs > 0 ? 0 : perSecond), 0);
  const masks = [all];
  while (masks.length < 1 + NARROW_SETS) {
    const members = draw.some(targets.length, draw.whole(2, targets.length - 1));
    const early = members.filter((index) => (targets[index] as SimTarget).joinsAtMs === 0);
    const capacity = early.reduce((sum, index) => sum + (targets[index] as SimTarget).perSecond, 0);
    if (early.length < 2 || capacity < NARROW_SHARE * total) continue;
    masks.push(members.reduce((mask, index) => mask | (1 << index), 0));
  }
  const sets: number[][] = [];
  const known = new Map<number, number>();
  const setOf = (mask: number): number => {
    const old = known.get(mask);
    if (old !== undefined) return old;
    known.set(mask, sets.length);
    sets.push(targets.flatMap((_, index) => ((mask >> index) & 1 ? [index] : [])));
    return sets.length - 1;
  };
  return { sets, masks, setOf };
}
