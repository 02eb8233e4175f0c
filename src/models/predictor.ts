import type { Scorer } from '../core/scorer.ts';
import { SCORE_COLUMNS } from '../core/scorer.ts';
import type { FeatureSnapshot, SelectorConfig, SelectorTarget } from '../core/selector.ts';
import type { TargetWindow } from '../core/target-window.ts';
import { copyForSize, FEATURE_COUNT, SCHEMA_HASH, writeFeatures } from './features.ts';
import { scoreFault } from './score-checks.ts';
import { type SizeClasses, sizeClassesOf } from './size-classes.ts';

const DAY_MS = 86_400_000;
/** Scores of more ticks ago are not used. */
const STALE_TICKS = 5;

interface Good {
  readonly scores: Float32Array;
  /** By row; undefined where the model does not tell. */
  readonly rooms: Float32Array | undefined;
  /** By target, what was in flight when the features were taken. */
  readonly depths: Float64Array;
  readonly tick: number;
}

/** When a scorer was asked, and of what. */
type Asked = Pick<Good, 'depths' | 'tick'>;

/** Computes features at each tick, has them scored, and keeps the scores while they are good. */
export class Predictor {
  readonly #targets: readonly SelectorTarget[];
  readonly #windows: readonly TargetWindow[];
  readonly #sizes: SizeClasses;
  readonly #seasonMs: number;
  readonly #gateways: number;
  readonly #telemetry: boolean;
  readonly #features: Float32Array;
  /** What the scorer is given, since it may answer after the next tick. */
  readonly #asked: Float32Array;
  readonly #rows: number;
  #scorer: Scorer | undefined;
  #next: { readonly scorer: Scorer | undefined } | undefined;
  #waiting = false;
  #tick = 0;
  #at: number = Number.NaN;
  #good: Good | undefined;
  #why: string | undefined;
  /** Counts what the scorer has answered. */
  answers = 0;
  /** Of the model in what is expected, for snapshots; told by who mixes. */
  lambda: number | undefined = undefined;

  constructor(config: SelectorConfig, windows: readonly TargetWindow[], scorer: Scorer | undefined) {
    this.#targets = config.targets;
    this.#windows = windows;
    this.#sizes = sizeClassesOf(config);
    this.#seasonMs = config.seasonMs ?? DAY_MS;
    this.#gateways = config.gateways ?? 1;
    this.#telemetry = config.telemetry ?? false;
    this.#rows = config.targets.length * this.#sizes.count;
    this.#features = new Float32Array(this.#rows * FEATURE_COUNT);
    this.#asked = new Float32Array(this.#rows * FEATURE_COUNT);
    this.#next = { scorer };
  }

  get sha(): string | undefined {
    return this.#scorer?.sha;
  }

  get fallback(): string | undefined {
    if (this.#scorer === undefined) return this.#why;
    if (this.#good === undefined) return this.#why ?? 'no scores yet';
    if (this.#tick - this.#good.tick > STALE_TICKS) return this.#why ?? 'scores are stale';
    return undefined;
  }

  /** `[rows, 3]` while they are good. */
  get scores(): Float32Array | undefined {
    return this.fallback === undefined ? this.#good?.scores : undefined;
  }

  use(scorer: Scorer | undefined): void {
    const { scorer: last } = this.#next ?? { scorer: this.#scorer };
    if (scorer !== undefined && scorer === last) return; // what it has answered holds on
    this.#next = { scorer };
  }

  get classes(): number {
    return this.#sizes.count;
  }

  /** As of the last tick. */
  get features(): Float32Array {
    return this.#features;
  }

  sizeClass(bytes: number): number {
    return this.#sizes.of(bytes);
  }

  /** What was in flight to a target when the features were taken that the scores are of. */
  depth(index: number): number {
    return this.#good?.depths[index] ?? 0;
  }

  /** Events that fit into a target without a queue; NaN where the model does not tell. */
  room(index: number): number {
    const told = this.#good?.rooms?.[index * this.#sizes.count];
    return told === undefined ? Number.NaN : Math.exp(told);
  }

  /** Where the scores of a target for an event of that size begin. */
  row(index: number, bytes: number): number {
    return (index * this.#sizes.count + this.#sizes.of(bytes)) * SCORE_COLUMNS;
  }

  /** Told of each send's size; gives its class. */
  saw(bytes: number): number {
    return this.#sizes.saw(bytes);
  }

  snapshot(): FeatureSnapshot | undefined {
    if (Number.isNaN(this.#at)) return undefined;
    const { scores } = this;
    return {
      tick: this.#tick,
      at: this.#at,
      rows: this.#rows,
      classes: this.#sizes.count,
      columns: FEATURE_COUNT,
      features: this.#features,
      scores,
      model: this.#scorer?.sha,
      lambda: scores === undefined ? undefined : this.lambda,
    };
  }

  tick(now: number, phase: number | undefined): void {
    this.#tick += 1;
    this.#swap();
    if (this.#scorer === undefined && !this.#telemetry) return;
    this.#compute(now, phase);
    if (this.#scorer !== undefined && !this.#waiting) this.#ask(this.#scorer);
  }

  #swap(): void {
    if (this.#next === undefined) return;
    const { scorer } = this.#next;
    this.#next = undefined;
    this.#good = undefined;
    this.#why = undefined;
    this.#scorer = scorer;
    // An answer of the one before is not waited for.
    this.#waiting = false;
    if (scorer?.schemaHash !== undefined && scorer.schemaHash !== SCHEMA_HASH) {
      this.#scorer = undefined;
      this.#why = 'the model was made for other features';
    }
  }

  #compute(now: number, phase: number | undefined): void {
    const context = { now, phase, seasonMs: this.#seasonMs, gateways: this.#gateways };
    const classes = this.#sizes.count;
    for (let t = 0; t < this.#targets.length; t += 1) {
      const first = t * classes * FEATURE_COUNT;
      const target = this.#targets[t] as SelectorTarget;
      const window = this.#windows[t] as TargetWindow;
      writeFeatures(this.#features, first, target, window, this.#sizes.size(0), context);
      for (let c = 1; c < classes; c += 1) {
        const to = first + c * FEATURE_COUNT;
        copyForSize(this.#features, first, to, target, window, this.#sizes.size(c), context);
      }
    }
    this.#at = now;
  }

  #ask(scorer: Scorer): void {
    const tick = this.#tick;
    const depths = Float64Array.from(this.#windows, ({ inFlight }) => inFlight);
    this.#asked.set(this.#features);
    try {
      const answer = scorer.score(this.#asked, this.#rows);
      if (answer instanceof Float32Array) this.#take(answer, { tick, depths });
      else this.#wait(scorer, answer, { tick, depths });
    } catch (error) {
      this.#reject(error instanceof Error ? error.message : String(error));
    }
  }

  #wait(scorer: Scorer, answer: Promise<Float32Array>, of: Asked): void {
    this.#waiting = true;
    const current = (): boolean => this.#scorer === scorer;
    answer.then(
      (scores) => {
        if (!current()) return;
        this.#waiting = false;
        // A scorer may be anybody's: nothing must be thrown here, where nobody would catch it.
        if (scores instanceof Float32Array) this.#take(scores, of);
        else this.#reject('the scorer gave no Float32Array');
      },
      (error: unknown) => {
        if (!current()) return;
        this.#waiting = false;
        this.#reject(error instanceof Error ? error.message : String(error));
      },
    );
  }

  #take(answer: Float32Array, of: Asked): void {
    this.answers += 1;
    const rows = this.#rows;
    const fault = scoreFault(answer, rows);
    this.#why = fault;
    this.#good = undefined;
    if (fault !== undefined) return;
    const own = rows * SCORE_COLUMNS;
    const rooms = answer.length > own ? answer.subarray(own) : undefined;
    this.#good = { ...of, scores: answer.subarray(0, own), rooms };
  }

  #reject(why: string): void {
    this.#good = undefined;
    this.#why = why;
  }
}
