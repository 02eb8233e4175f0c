import { FEATURE_COUNT, FEATURES, scaled } from './features.ts';

/** Share of the targets for which something must hold, for the model to be left, and to be taken up again. */
const MOST_OF_THEM = 0.5;
const FEW_OF_THEM = 0.25;
/** Share of its columns at which a row of features is out of range. */
const OUT_OF_RANGE = 0.25;

/** A change has to last for so long, in ms: what passes sooner is left to the weights. */
const LASTING_MS = 2_000;

/** A condition that begins when it holds for most targets for a while, and ends when it has held for few for as long. */
export class Latch {
  on = false;
  #since: number = Number.NaN;

  /** @param share Of the targets for which it holds; NaN (there are none) changes nothing. */
  set(now: number, share: number): void {
    const isOther = this.on ? share <= FEW_OF_THEM : share > MOST_OF_THEM;
    if (!isOther) this.#since = Number.NaN;
    else if (Number.isNaN(this.#since)) this.#since = now;
    else if (now - this.#since >= LASTING_MS) {
      this.on = !this.on;
      this.#since = Number.NaN;
    }
  }

  reset(): void {
    this.on = false;
    this.#since = Number.NaN;
  }
}

/** Column and bound, for columns whose values have no natural end there: to be at the bound is to have been cut. */
const BOUNDS: readonly (readonly [column: number, bound: number])[] = FEATURES.flatMap(
  ({ scale, clip, default: missing }, column) => {
    if (scale === 'linear') return [];
    const ends = scale === 'log1p' ? [clip[1]] : clip;
    return ends
      .map((end) => Math.fround(scaled(column, end)))
      .filter((bound) => bound !== Math.fround(missing))
      .map((bound) => [column, bound] as const);
  },
);
const COLUMNS = new Set(BOUNDS.map(([column]) => column)).size;

/** Whether so many values of the row at `offset` were cut at their bounds that a model cannot know such a state. */
export function outOfRange(features: Float32Array, offset: number): boolean {
  let cut = 0;
  for (const [column, bound] of BOUNDS) if (features[offset + column] === bound) cut += 1;
  return cut > OUT_OF_RANGE * COLUMNS;
}

/** Share of `targets` targets, of `classes` rows each, that are out of range; rows of a target differ in size only. */
export function shareOutOfRange(features: Float32Array, targets: number, classes: number): number {
  let out = 0;
  for (let target = 0; target < targets; target += 1) {
    if (outOfRange(features, target * classes * FEATURE_COUNT)) out += 1;
  }
  return out / targets;
}
