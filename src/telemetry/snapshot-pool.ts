import { SCORE_COLUMNS } from '../core/scorer.ts';
import type { FeatureSnapshot } from '../core/selector.ts';

/** A copy of the features of a tick, kept while decisions refer to it. */
export interface KeptSnapshot {
  readonly id: number;
  readonly tick: number;
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly classes: number;
  readonly rows: number;
  readonly features: Float32Array;
  /** Undefined where there were none. */
  readonly scores: Float32Array | undefined;
  readonly model: string | undefined;
  readonly lambda: number | undefined;
}

interface Entry extends KeptSnapshot {
  id: number;
  tick: number;
  at: number;
  classes: number;
  rows: number;
  features: Float32Array;
  scores: Float32Array | undefined;
  model: string | undefined;
  lambda: number | undefined;
  /** What `scores` was copied from: an answer may come after the first decision of a tick. */
  from: Float32Array | undefined;
  room: Float32Array;
  uses: number;
}

const NONE = -1;

/**
 * Copies of features, one per tick in which something was decided, each kept until the last decision that refers to it is gone.
 * The copies are used again.
 */
export class SnapshotPool {
  readonly #most: number;
  readonly #nextId: () => number;
  readonly #entries: Entry[] = [];
  readonly #free: number[] = [];
  #current = NONE;

  constructor(most: number, nextId: () => number) {
    this.#most = most;
    this.#nextId = nextId;
  }

  /** The place of a snapshot's copy, which counts as used once more; -1 where there is no room. */
  use(snapshot: FeatureSnapshot): number {
    const current = this.#entries[this.#current];
    if (current !== undefined && current.tick === snapshot.tick && current.uses > 0) {
      if (snapshot.scores !== current.from) copyScores(current, snapshot);
      current.uses += 1;
      return this.#current;
    }
    const place = this.#free.pop() ?? this.#entries.length;
    if (place >= this.#most) return NONE;
    const { features } = snapshot;
    const length = snapshot.rows * snapshot.columns;
    const entry = this.#entries[place] ?? newEntry(length, snapshot.rows);
    this.#entries[place] = entry;
    entry.id = this.#nextId();
    entry.tick = snapshot.tick;
    entry.at = snapshot.at;
    entry.classes = snapshot.classes;
    entry.rows = snapshot.rows;
    entry.features.set(features.length === length ? features : features.subarray(0, length));
    copyScores(entry, snapshot);
    entry.uses = 1;
    this.#current = place;
    return place;
  }

  at(place: number): KeptSnapshot | undefined {
    return this.#entries[place];
  }

  release(place: number): void {
    const entry = this.#entries[place];
    if (entry === undefined) return;
    entry.uses -= 1;
    if (entry.uses === 0) this.#free.push(place);
  }
}

function newEntry(length: number, rows: number): Entry {
  return {
    id: 0,
    tick: 0,
    at: 0,
    classes: 0,
    rows: 0,
    features: new Float32Array(length),
    scores: undefined,
    model: undefined,
    lambda: undefined,
    from: undefined,
    room: new Float32Array(rows * SCORE_COLUMNS),
    uses: 0,
  };
}

function copyScores(entry: Entry, { scores, model, lambda }: FeatureSnapshot): void {
  entry.from = scores;
  entry.model = model;
  entry.lambda = lambda;
  entry.scores = undefined;
  if (scores === undefined) return;
  entry.room.set(scores);
  entry.scores = entry.room;
}
