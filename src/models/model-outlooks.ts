import { SCORE_COLUMNS } from '../core/scorer.ts';
import { meanOf } from './log-normal.ts';
import type { Predictor } from './predictor.ts';

/** A model's scores in ms, by row: the exponentials are taken once per answer of the model, not per event. */
export class ModelOutlooks {
  meanMs = new Float64Array(0);
  q95Ms = new Float64Array(0);
  failure = new Float64Array(0);
  readonly #predictor: Predictor;
  #of: Float32Array | undefined;

  constructor(predictor: Predictor) {
    this.#predictor = predictor;
  }

  /** Brings them up to date; false: there are no good scores at present. */
  ready(): boolean {
    const { scores } = this.#predictor;
    if (scores === undefined) return false;
    if (scores !== this.#of) this.#take(scores);
    return true;
  }

  row(target: number, bytes: number): number {
    return this.#predictor.row(target, bytes) / SCORE_COLUMNS;
  }

  #take(scores: Float32Array): void {
    this.#of = scores;
    const rows = scores.length / SCORE_COLUMNS;
    if (this.meanMs.length !== rows) {
      this.meanMs = new Float64Array(rows);
      this.q95Ms = new Float64Array(rows);
      this.failure = new Float64Array(rows);
    }
    for (let row = 0; row < rows; row += 1) {
      const at = row * SCORE_COLUMNS;
      const meanLog = scores[at] as number;
      const q95Log = scores[at + 1] as number;
      this.meanMs[row] = meanOf(meanLog, q95Log);
      this.q95Ms[row] = Math.exp(q95Log);
      this.failure[row] = scores[at + 2] as number;
    }
  }
}
