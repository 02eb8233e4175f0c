import { roomFor, usualMs } from '../core/capacity.ts';
import type { Scorer } from '../core/scorer.ts';
import type { FeatureSnapshot, SelectorConfig, SelectorTarget, SendStatus } from '../core/selector.ts';
import type { TargetWindow } from '../core/target-window.ts';
import { Blend, type BlendRules } from './blend.ts';
import { Conformal } from './conformal.ts';
import { ModelOutlooks } from './model-outlooks.ts';
import { PendingForecasts, type SendForecast } from './pending-forecasts.ts';
import type { Predictor } from './predictor.ts';
import { Latch, shareOutOfRange } from './rails.ts';

/** What a forecast says of one send: an `Outlook` of selectors. */
export interface Expected {
  meanMs: number;
  /** What was in flight, for which `meanMs` holds. */
  depth: number;
  q95Ms: number;
  failure: number;
  /** Events that fit into the target without a queue; NaN: not told. */
  room: number;
}

/** What is expected of a target without a model; the object is written over by the next. */
export type Averages = (target: number, window: TargetWindow, bytes: number) => Readonly<Expected>;

/** Forecasters of latency. */
const MODEL = 0;
const AVERAGE = 1;
const SEASON = 2;

/** Losses are |log ms − log forecast|, in nats. */
const LATENCY: BlendRules = { prior: [0.8, 0.15, 0.05], tauMs: 10_000, rate: 20, most: 3, pooled: 10 };
/** Losses are (forecast − outcome)². */
const FAILURE: BlendRules = { prior: [0.8, 0.2], tauMs: 10_000, rate: 50, most: 1, pooled: 10 };

/** Weights and rails are looked at every so many ms. */
const LOOK_MS = 100;
/** Sends of a target in that time whose forecasts are held against their outcomes; of more, every nth. */
const WATCHED = 20;
/** A target with less evidence, or with less than this share of what targets have on average, is not in use. */
const ENOUGH = 5;
const IN_USE = 0.25;
/** A model with less weight than this at a target has failed there. */
const FAILED = 0.1;
const AHEAD_MS = 1_000;
const LEAST_MS = 1e-3;

/**
 * Holds a model against what came of it. By target it weighs the model, the average and the season by their residuals of late, and
 * corrects the 0.95 quantile; where the model has failed at most targets, or cannot know states like these, it says
 * `fallback` until that has passed. The model is watched in that time, too. O(1) per send; nothing is allocated.
 */
export class Adaptation {
  readonly #targets: readonly SelectorTarget[];
  readonly #windows: readonly TargetWindow[];
  readonly #predictor: Predictor;
  readonly #averages: Averages;
  readonly #gateways: number;
  readonly #seasonMs: number;
  readonly #latency: Blend;
  readonly #failure: Blend;
  readonly #conformal: Conformal;
  readonly #outlooks: ModelOutlooks;
  readonly #pending = new PendingForecasts();
  readonly #forecast: SendForecast = { model: 0, average: 0, season: 0, q95: 0, modelFailure: 0, averageFailure: 0 };
  readonly #failed = new Latch();
  readonly #strange = new Latch();
  /**
   * By target, as of the last look: latency usual at this time (NaN: not known), room as it was seen (a model's word for it is no
   * better here, ADR 0032), and what each event beyond adds, in ms.
   */
  readonly #season: Float64Array;
  readonly #room: Float64Array;
  readonly #queueMs: Float64Array;
  /** By target: sends since the last look, and of how many one is watched. */
  readonly #sends: Int32Array;
  readonly #stride: Int32Array;
  #at: number = Number.NaN;
  #scorer: Scorer | undefined;
  #isNew = false;

  constructor(config: SelectorConfig, windows: readonly TargetWindow[], predictor: Predictor, averages: Averages) {
    const { length } = config.targets;
    this.#targets = config.targets;
    this.#windows = windows;
    this.#predictor = predictor;
    this.#averages = averages;
    this.#gateways = config.gateways ?? 1;
    this.#seasonMs = config.seasonMs ?? 86_400_000;
    this.#latency = new Blend(length, LATENCY);
    this.#failure = new Blend(length, FAILURE);
    this.#conformal = new Conformal(length);
    this.#outlooks = new ModelOutlooks(predictor);
    this.#season = new Float64Array(length).fill(Number.NaN);
    this.#room = new Float64Array(length).fill(1);
    this.#queueMs = new Float64Array(length);
    this.#sends = new Int32Array(length);
    this.#stride = new Int32Array(length).fill(1);
  }

  get sha(): string | undefined {
    return this.#predictor.sha;
  }

  get fallback(): string | undefined {
    return this.#predictor.fallback ?? this.#unfit;
  }

  get #unfit(): string | undefined {
    if (this.#strange.on) return 'features are out of range';
    return this.#failed.on ? 'forecasts are worse than averages' : undefined;
  }

  use(scorer: Scorer | undefined): void {
    if (scorer !== this.#scorer) this.#isNew = true;
    this.#scorer = scorer;
    this.#predictor.use(scorer);
  }

  saw(bytes: number): number {
    return this.#predictor.saw(bytes);
  }

  sizeClass(bytes: number): number {
    return this.#predictor.sizeClass(bytes);
  }

  snapshot(): FeatureSnapshot | undefined {
    return this.#predictor.snapshot();
  }

  /** Weight of the model for latency, on average over targets by their evidence. */
  #share(): number {
    let sum = 0;
    let all = 0;
    for (let target = 0; target < this.#targets.length; target += 1) {
      const evidence = this.#latency.evidence(target) + 1e-3;
      sum += evidence * this.#latency.weight(target, MODEL);
      all += evidence;
    }
    return sum / all;
  }

  /** Whether `expect` can tell, and the model is fit for it. */
  ready(): boolean {
    return this.#unfit === undefined && this.#outlooks.ready();
  }

  /** Writes what is expected of a send. Only while `ready`. */
  expect(target: number, window: TargetWindow, bytes: number, into: Expected): void {
    const average = this.#averages(target, window, bytes);
    const row = this.#outlooks.row(target, bytes);
    const byModel = this.#latency.weight(target, MODEL);
    const season = this.#season[target] as number;
    const isSeason = season > 0;
    const bySeason = isSeason ? this.#latency.weight(target, SEASON) : 0;
    const byAverage = 1 - byModel - bySeason;
    const model = this.#outlooks.meanMs[row] as number;
    into.meanMs = byModel * model + byAverage * average.meanMs + (isSeason ? bySeason * season : 0);
    into.depth = byModel * this.#predictor.depth(target) + byAverage * average.depth + bySeason * window.meanInFlight;
    into.q95Ms = this.#q95(target, row, byModel, average);
    const failing = this.#failure.weight(target, MODEL);
    into.failure = failing * (this.#outlooks.failure[row] as number) + (1 - failing) * average.failure;
    into.room = byModel < FAILED ? Number.NaN : this.#predictor.room(target);
  }

  #q95(target: number, row: number, byModel: number, average: Readonly<Expected>): number {
    const raw = byModel * (this.#outlooks.q95Ms[row] as number) + (1 - byModel) * average.q95Ms;
    return raw * this.#conformal.factor(target);
  }

  /** Told after the window. @param slot Names the send until it is settled. */
  sent(slot: number, target: number, bytes: number): void {
    const sends = (this.#sends[target] as number) + 1;
    this.#sends[target] = sends;
    if (sends % (this.#stride[target] as number) !== 0 || !this.#outlooks.ready()) return;
    const window = this.#windows[target] as TargetWindow;
    const average = this.#averages(target, window, bytes);
    const row = this.#outlooks.row(target, bytes);
    const forecast = this.#forecast;
    const waiting = Math.max(0, window.inFlight - (this.#room[target] as number));
    forecast.model = this.#moved(target, this.#outlooks.meanMs[row] as number, this.#predictor.depth(target), waiting);
    forecast.average = this.#moved(target, average.meanMs, average.depth, waiting);
    const season = this.#season[target] as number;
    forecast.season = season > 0 ? this.#moved(target, season, window.meanInFlight, waiting) : forecast.average;
    forecast.q95 = this.#q95(target, row, this.#latency.weight(target, MODEL), average);
    forecast.modelFailure = this.#outlooks.failure[row] as number;
    forecast.averageFailure = average.failure;
    this.#pending.put(slot, forecast);
  }

  /** A forecast for so much in flight, with the queue as it is at present. */
  #moved(target: number, ms: number, depth: number, waiting: number): number {
    const waited = Math.max(0, depth + 1 - (this.#room[target] as number));
    return Math.max(LEAST_MS, 0.5 * ms, ms + (this.#queueMs[target] as number) * (waiting - waited));
  }

  settled(slot: number, target: number, status: SendStatus, latencyMs: number): void {
    const forecast = this.#forecast;
    // What was taken back says nothing.
    if (!this.#pending.take(slot, forecast) || status === 'recalled') return;
    const failed = status === 'ok' ? 0 : 1;
    this.#failure.counted(target);
    this.#failure.lost(target, MODEL, (forecast.modelFailure - failed) ** 2);
    this.#failure.lost(target, AVERAGE, (forecast.averageFailure - failed) ** 2);
    if (failed === 1) return;
    const ms = Math.max(LEAST_MS, latencyMs);
    this.#latency.counted(target);
    this.#latency.lost(target, MODEL, Math.abs(Math.log(ms / forecast.model)));
    this.#latency.lost(target, AVERAGE, Math.abs(Math.log(ms / forecast.average)));
    this.#latency.lost(target, SEASON, Math.abs(Math.log(ms / forecast.season)));
    this.#conformal.saw(target, ms > forecast.q95);
  }

  tick(now: number, phase: number | undefined): void {
    if (this.#isNew) this.#reset();
    this.#predictor.tick(now, phase);
    if (this.#scorer === undefined || now - this.#at < LOOK_MS) return;
    const elapsedMs = Number.isNaN(this.#at) ? 0 : now - this.#at;
    this.#at = now;
    this.#latency.roll(elapsedMs);
    this.#failure.roll(elapsedMs);
    this.#conformal.roll();
    for (let target = 0; target < this.#targets.length; target += 1) this.#look(target, phase);
    this.#failed.set(now, this.#shareFailed());
    this.#strange.set(now, this.#shareStrange());
    this.#predictor.lambda = this.#unfit === undefined ? this.#share() : 0;
  }

  #look(target: number, phase: number | undefined): void {
    const spec = this.#targets[target] as SelectorTarget;
    const window = this.#windows[target] as TargetWindow;
    const room = roomFor(spec, window, this.#gateways);
    this.#room[target] = room;
    this.#queueMs[target] = usualMs(spec, window) / room;
    this.#stride[target] = Math.max(1, Math.floor((this.#sends[target] as number) / WATCHED));
    this.#sends[target] = 0;
    const residual = phase === undefined ? 0 : window.seasonResidual(phase, AHEAD_MS / this.#seasonMs);
    // Exactly 0: nothing is known of that time.
    this.#season[target] = residual === 0 ? Number.NaN : window.ack1sMs * Math.exp(residual);
  }

  /** Of the targets in use, at how many the model has failed. NaN where none is in use. */
  #shareFailed(): number {
    const { length } = this.#targets;
    let evidence = 0;
    for (let target = 0; target < length; target += 1) evidence += this.#latency.evidence(target);
    const least = Math.max(ENOUGH, (IN_USE * evidence) / length);
    let failed = 0;
    let all = 0;
    for (let target = 0; target < length; target += 1) {
      if (this.#latency.evidence(target) < least) continue;
      all += 1;
      if (Math.min(this.#latency.weight(target, MODEL), this.#failure.weight(target, MODEL)) < FAILED) failed += 1;
    }
    return failed / all;
  }

  #shareStrange(): number {
    const { features, classes } = this.#predictor;
    return shareOutOfRange(features, this.#targets.length, classes);
  }

  #reset(): void {
    this.#isNew = false;
    this.#latency.reset();
    this.#failure.reset();
    this.#conformal.reset();
    this.#pending.clear();
    this.#failed.reset();
    this.#strange.reset();
    this.#predictor.lambda = this.#share();
  }
}
