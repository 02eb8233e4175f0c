import { leastStallMs } from '../../core/silence.ts';
import type { Changes } from './changes.ts';
import { type CostOptions, costAt, newCostParts, newStanding, type Standing, standingCost } from './expected-cost.ts';
import { standingFloor } from './exploration.ts';
import { type Forecast, newOutlook, type Outlook } from './outlook.ts';
import type { Candidate } from './strategy.ts';

const UNKNOWN = -1;

/**
 * The expected cost of each target that is not silent, by size class, until something changes it: a send, an answer, a tick,
 * new scores. So an event computes anew only the few targets that were touched since the one before, and after a send no
 * logarithm or power stands in its way. A row is one target in one class.
 */
export class StandingCosts {
  /** By row; NaN where the forecast has nothing on the target. */
  readonly cost: Float64Array;
  /** The part of the exploration floor that shrinks with what the target costs more than the best, and the other. */
  readonly scaledFloor: Float64Array;
  readonly fixedFloor: Float64Array;
  /** A row holds while its epoch is the present one, and nothing has changed since. */
  readonly epochs: Float64Array;
  epoch = 0;
  readonly changes: Changes;
  readonly changed: Int32Array;
  readonly #answered: Int32Array;
  /** By target: at what age the oldest in flight may mean something. */
  readonly dueMs: Float64Array;
  readonly #forecast: Forecast;
  readonly #options: CostOptions;
  readonly #share: number;
  readonly #targets: number;
  readonly #parts = newCostParts();
  readonly #outlook: Outlook = newOutlook();
  /** By row, as is the share of failed sends. */
  readonly #standing: readonly Standing[];
  readonly #errors: Float64Array;
  /** A size of each class that was asked for since the last tick. */
  readonly #bytes: Float64Array;
  #version = 0;

  constructor(forecast: Forecast, options: CostOptions, share: number, changes: Changes) {
    this.#forecast = forecast;
    this.#options = options;
    this.#share = share;
    const targets = changes.all.length;
    this.#targets = targets;
    this.changes = changes;
    const rows = forecast.classes * targets;
    this.cost = new Float64Array(rows);
    this.scaledFloor = new Float64Array(rows);
    this.fixedFloor = new Float64Array(rows);
    this.epochs = new Float64Array(rows).fill(UNKNOWN);
    this.changed = new Int32Array(rows);
    this.#answered = new Int32Array(rows);
    this.dueMs = new Float64Array(targets);
    this.#standing = Array.from({ length: rows }, newStanding);
    this.#errors = new Float64Array(rows);
    this.#bytes = new Float64Array(forecast.classes).fill(UNKNOWN);
  }

  /** Where the rows for events of that size begin; one per target. */
  rowsFor(bytes: number): number {
    const { version } = this.#forecast;
    if (version !== this.#version) {
      this.#version = version;
      this.epoch += 1;
    }
    const at = this.#forecast.classOf(bytes);
    this.#bytes[at] = bytes;
    return at * this.#targets;
  }

  /** Computes what does not hold. */
  update(row: number, candidate: Candidate, bytes: number, now: number): void {
    const sentOnly = this.epochs[row] === this.epoch && this.#answered[row] === this.changes.answers[candidate.index];
    if (sentOnly) this.#load(row, candidate, now);
    else this.#refresh(row, candidate, bytes, now);
  }

  #refresh(row: number, candidate: Candidate, bytes: number, now: number): void {
    const { window } = candidate;
    const standing = this.#standing[row] as Standing;
    if (this.#forecast.read(candidate.index, window, bytes, this.#outlook))
      standingCost(candidate, this.#outlook, undefined, this.#options, this.#parts, standing);
    else standing.base = Number.NaN;
    this.#errors[row] = window.errors;
    this.epochs[row] = this.epoch;
    this.#answered[row] = this.changes.answers[candidate.index] as number;
    this.#load(row, candidate, now);
  }

  /** What is in flight is all that has changed. */
  #load(row: number, { index, window }: Candidate, now: number): void {
    const { inFlight, lastSentAt, lastAckAt, failMs } = window;
    this.changed[row] = this.changes.all[index] as number;
    const standing = this.#standing[row] as Standing;
    this.cost[row] = costAt(standing, inFlight);
    const errors = this.#errors[row] as number;
    const load = (inFlight + 1) / standing.room;
    const failedMs = inFlight === 0 && lastSentAt > lastAckAt && failMs > 0 ? failMs : 0;
    const floor = standingFloor(this.#share, inFlight, now - lastSentAt, errors, load, failedMs);
    const fixed = floor > this.#share;
    this.fixedFloor[row] = fixed ? floor : 0;
    this.scaledFloor[row] = fixed ? 0 : floor;
  }

  /** Brings up to date what was asked for since the last tick, so that no event has to wait for it. */
  tick(candidates: readonly Candidate[], now: number): void {
    this.epoch += 1;
    const ready = this.#forecast.ready(now);
    this.#version = this.#forecast.version;
    for (const { index, window } of candidates) this.dueMs[index] = leastStallMs(window);
    for (let at = 0; at < this.#bytes.length; at += 1) {
      const bytes = this.#bytes[at] as number;
      this.#bytes[at] = UNKNOWN;
      if (bytes === UNKNOWN || !ready) continue;
      for (const candidate of candidates) this.#refresh(at * this.#targets + candidate.index, candidate, bytes, now);
    }
  }
}
