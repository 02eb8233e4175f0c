import { type StagedTransform, type Transformed, TransformFailure } from '../core/transform.ts';
import type { LegLane, PendingLeg } from './leg.ts';
import { Deque } from './queue.ts';

/** The legs of one delivery on one route: they share what is made of their event. */
export type Siblings = readonly PendingLeg[];

interface Batch {
  readonly items: readonly Siblings[];
  results: readonly Transformed[] | undefined;
}

/** Batches of one route that its transform has at once, so that it need not wait for the pipeline. */
const MAX_BATCHES = 2;
const MAX_BATCH_BYTES = 2 ** 20;

/**
 * Legs on their way through a transform that takes its time: first in, first out, so that every order that held before
 * it holds behind it. It starts nothing while one of its lanes is full; what waits is unsettled, so the windows of the
 * sources bound it.
 */
export class Stage {
  readonly #transform: StagedTransform;
  readonly #lanes: readonly LegLane[];
  readonly #release: (legs: Siblings, result: Transformed) => void;
  readonly #waiting = new Deque<Siblings>();
  readonly #batches: Batch[] = [];
  #scheduled = false;
  #stopped = false;

  constructor(
    transform: StagedTransform,
    lanes: readonly LegLane[],
    release: (legs: Siblings, result: Transformed) => void,
  ) {
    this.#transform = transform;
    this.#lanes = lanes;
    this.#release = release;
  }

  add(legs: Siblings): void {
    this.#waiting.push(legs);
    if (this.#scheduled) return;
    // Behind the batch of the source, so that its deliveries share batches here.
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.go();
    });
  }

  go(): void {
    while (!this.#stopped && this.#waiting.size > 0 && this.#batches.length < MAX_BATCHES) {
      if (this.#lanes.some(({ full }) => full)) return;
      const items = this.#next();
      const batch: Batch = { items, results: undefined };
      this.#batches.push(batch);
      const take = (results: readonly Transformed[]): void => {
        batch.results = results;
        this.#settle();
      };
      this.#transform.apply(items.map((legs) => (legs[0] as PendingLeg).event)).then(take, (error: unknown) => {
        // A transform that rejects breaks its contract; nothing is known about any of its events.
        const failure = TransformFailure.of(error);
        take(items.map(() => failure));
      });
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  #next(): Siblings[] {
    const items: Siblings[] = [];
    let bytes = 0;
    while (items.length < this.#transform.maxEvents && bytes < MAX_BATCH_BYTES) {
      const legs = this.#waiting.shift();
      if (legs === undefined) break;
      items.push(legs);
      bytes += (legs[0] as PendingLeg).bytes;
    }
    return items;
  }

  #settle(): void {
    for (let head = this.#batches[0]; head?.results !== undefined; head = this.#batches[0]) {
      this.#batches.shift();
      if (this.#stopped) continue;
      const { items, results } = head;
      items.forEach((legs, index) => {
        this.#release(legs, results[index] ?? NO_RESULT);
      });
      for (const lane of this.#lanes) lane.kick();
    }
    this.go();
  }
}

const NO_RESULT = new TransformFailure('E_TRANSFORM_CONTRACT', 'the transform gave no result');
