import type { Scorer } from '../../src/core/scorer.ts';
import type { Selector } from '../../src/core/selector.ts';
import { FEATURE_COUNT } from '../../src/models/features.ts';
import type { Dataset } from '../../src/models/training/dataset.ts';
import { type Observer, type SendView, TICK_MS } from '../../src/simulation/run.ts';
import { simulate } from '../../src/simulation/simulation.ts';
import type { Length } from '../../src/simulation/world/draft.ts';
import { type Family, worldOf } from '../../src/simulation/world/families.ts';
import { hashed } from '../../src/simulation/world/random.ts';
import { TIMEOUT_MS, type World } from '../../src/simulation/world/world.ts';
import { type Policy, selectorOf } from './policies.ts';
import { Rows } from './trace-rows.ts';

/** What is labelled: sends as of the last tick before them, and as of one that lies 1 to 2 s before them. */
const AHEAD_MS = [1_000, 2_000] as const;
/** Apart in time, so that runs are told apart: more than any lasts. */
const RUN_MS = 1_000_000;
/** Ticks that are kept: labels are closed after the timeout, and look back 2 s from the send. */
const KEPT_TICKS = Math.ceil((TIMEOUT_MS + AHEAD_MS[1]) / TICK_MS) + 8;

export interface TraceOptions {
  /** None of them held out. */
  readonly families: readonly Family[];
  /** The first seed, and how many. Those of the evaluation begin at 1: take others. */
  readonly firstSeed: number;
  readonly seeds: number;
  readonly length: Length;
  /** Whose decisions these are; several take turns. */
  readonly policies: readonly Policy[];
  /** For `predictive`, to train on what its own decisions lead to. */
  readonly scorer?: Scorer | undefined;
  /** Share of the successful sends that become rows, with a weight that makes up for it. Failed ones all do. */
  readonly sample: number;
  /** Whether there are rows for what holds in a second or two, too. */
  readonly lookAhead: boolean;
}

/**
 * Rows to train on: features of a target at a tick, with the latency or failure of a send to it. Every send that is taken
 * gives a row for what holds now, and with `lookAhead` one for what holds in a second or two. Runs follow one another in time. Sends are labelled when they are
 * settled, at the latest by their timeout, so slow ones are not missing.
 */
export function traces(options: TraceOptions): Dataset {
  const { families, firstSeed, seeds, length, policies, scorer } = options;
  const held = families.find(({ heldOut }) => heldOut);
  if (held !== undefined) throw new Error(`${held.name} is held out: nothing may be trained on it`);
  const rows = new Rows(FEATURE_COUNT);
  let turn = 0;
  for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) {
    for (const family of families) {
      const policy = policies[turn % policies.length] as Policy;
      turn += 1;
      const world = worldOf(family, seed, length);
      const observer = new Recorder(world, rows, options, policy.gateways, turn * RUN_MS);
      const { gateways } = policy;
      simulate({ world, gateways, observer, selectorOf: selectorOf(policy, { scorer, telemetry: true }) });
    }
  }
  return rows.finish();
}

/** Keeps the features of the last ticks and joins settled sends to them. */
class Recorder implements Observer {
  readonly #world: World;
  readonly #rows: Rows;
  readonly #sample: number;
  readonly #lookAhead: boolean;
  readonly #startMs: number;
  /** By gateway: features of the kept ticks, and when they were taken. */
  readonly #kept: readonly { readonly at: Float64Array; readonly features: Float32Array[]; ticks: number }[];
  readonly #targets: readonly number[];
  #classes = 1;
  #sizeClass: (bytes: number) => number = () => 0;

  constructor(
    world: World,
    rows: Rows,
    { sample, lookAhead }: Pick<TraceOptions, 'sample' | 'lookAhead'>,
    gateways: number,
    startMs: number,
  ) {
    this.#world = world;
    this.#rows = rows;
    this.#sample = sample;
    this.#lookAhead = lookAhead;
    this.#startMs = startMs;
    this.#targets = world.targets.map(({ name }) => rows.targetOf(`${world.family}/${world.seed}/${name}`));
    this.#kept = Array.from({ length: gateways }, () => ({
      at: new Float64Array(KEPT_TICKS).fill(Number.NEGATIVE_INFINITY),
      features: [],
      ticks: 0,
    }));
  }

  ticked(gateway: number, selector: Selector, atMs: number): void {
    const snapshot = selector.snapshot();
    const kept = this.#kept[gateway];
    if (snapshot === undefined || kept === undefined) return;
    const place = kept.ticks % KEPT_TICKS;
    kept.ticks += 1;
    kept.at[place] = atMs;
    kept.features[place] ??= new Float32Array(snapshot.features.length);
    kept.features[place].set(snapshot.features);
    this.#classes = snapshot.classes;
    this.#sizeClass = (bytes) => selector.sizeClass(bytes);
  }

  settled(send: SendView, status: string, atMs: number): void {
    if (send.atMs < this.#world.warmUpMs) return;
    const failed = status !== 'ok';
    const { seed } = this.#world;
    if (!failed && hashed(seed, send.event, 60) >= this.#sample) return;
    const weight = failed ? 1 : 1 / this.#sample;
    const [from, to] = AHEAD_MS;
    const ahead = from + (to - from) * hashed(seed, send.event, 61);
    for (const before of this.#lookAhead ? [0, ahead] : [0]) {
      const features = this.#featuresAt(send, send.atMs - before);
      if (features === undefined) continue;
      this.#rows.add({
        features,
        logMs: failed ? Number.NaN : Math.log(Math.max(1e-3, atMs - send.atMs)),
        failed: failed ? 1 : 0,
        weight: this.#lookAhead ? weight / 2 : weight,
        target: this.#targets[send.target] as number,
        at: this.#startMs + send.atMs - before,
        known: this.#startMs + atMs,
      });
    }
  }

  /** Of the send's target and size, as of the last tick at that time. */
  #featuresAt({ gateway, event, target }: SendView, atMs: number): Float32Array | undefined {
    const kept = this.#kept[gateway];
    if (kept === undefined) return undefined;
    // Ticks are regular, so the one sought is found by counting back from the last.
    const last = kept.at[(kept.ticks - 1) % KEPT_TICKS] ?? Number.NEGATIVE_INFINITY;
    const back = Math.max(0, Math.ceil((last - atMs) / TICK_MS));
    const tick = kept.ticks - 1 - back;
    const place = tick % KEPT_TICKS;
    if (tick < 0 || back >= KEPT_TICKS || (kept.at[place] as number) > atMs) return undefined;
    const bytes = this.#world.bytes[this.#world.size[event] as number] as number;
    const row = target * this.#classes + this.#sizeClass(bytes);
    return kept.features[place]?.subarray(row * FEATURE_COUNT, (row + 1) * FEATURE_COUNT);
  }
}
