import { type InlineTransform, type Transform, type Transformed, TransformFailure } from '../core/transform.ts';
import type { PendingLeg } from './leg.ts';
import { Deque } from './queue.ts';

/** The legs of one delivery on one route: they share what is made of their event. */
export type Siblings = readonly PendingLeg[];

interface Item {
  readonly legs: Siblings;
  readonly transform: Transform | undefined;
}

interface Batch {
  readonly items: readonly Item[];
  results: readonly Transformed[] | undefined;
}

export interface StageOptions {
  /** What an item that needs no waiting comes to. */
  readonly apply: (legs: Siblings, transform: InlineTransform | undefined) => Transformed;
  /** Called in the order in which items were added. */
  readonly release: (legs: Siblings, result: Transformed) => void;
  /** Nothing is left; the stage is used no more. */
  readonly idle: () => void;
}

/** Batches of one route that a transform has at once, so that it need not wait for the pipeline. */
const MAX_BATCHES = 2;
const MAX_BATCH_BYTES = 2 ** 20;
const NO_RESULT = new TransformFailure('E_TRANSFORM_CONTRACT', 'the transform gave no result');

/**
 * Legs of one route on their way through a transform that takes its time: first in, first out, so that every order that
 * held before it holds behind it. It starts nothing for a lane that is full; what waits is unsettled, so the windows of
 * the sources bound it.
 */
export class Stage {
  readonly #o: StageOptions;
  readonly #waiting = new Deque<Item>();
  readonly #batches: Batch[] = [];
  #scheduled = false;

  constructor(options: StageOptions) {
    this.#o = options;
  }

  add(item: Item): void {
    this.#waiting.push(item);
    if (this.#scheduled) return;
    // Behind the batch of the source, so that its deliveries share batches here.
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.go();
    });
  }

  /** Starts what may be started. */
  go(): void {
    while (this.#waiting.size > 0 && this.#batches.length < MAX_BATCHES) {
      const items = this.#next();
      if (items.length === 0) return;
      this.#start(items);
    }
  }

  #start(items: readonly Item[]): void {
    const batch: Batch = { items, results: undefined };
    this.#batches.push(batch);
    const take = (results: readonly Transformed[]): void => {
      batch.results = results;
      this.#settle();
    };
    const { transform } = items[0] as Item;
    if (transform?.kind !== 'staged') {
      take(items.map(({ legs }) => this.#o.apply(legs, transform)));
      return;
    }
    transform.apply(items.map(({ legs }) => (legs[0] as PendingLeg).event)).then(take, (error: unknown) => {
      // A transform that rejects breaks its contract; nothing is known about any of its events.
      const failure = TransformFailure.of(error);
      take(items.map(() => failure));
    });
  }

  /** What goes into one call: items with the same transform whose lanes have room. */
  #next(): Item[] {
    const items: Item[] = [];
    let bytes = 0;
    for (let head = this.#waiting.first; head !== undefined; head = this.#waiting.first) {
      const { legs, transform } = head;
      const first = items[0] ?? head;
      const most = transform?.kind === 'staged' ? transform.maxEvents : 1;
      if (transform !== first.transform || items.length >= most || bytes >= MAX_BATCH_BYTES) break;
      // What is on its way out does not count: another lane takes its place.
      if (legs.some(({ spec }) => spec.lane.full && !spec.lane.leaving)) break;
      this.#waiting.shift();
      items.push(head);
      bytes += (legs[0] as PendingLeg).bytes;
    }
    return items;
  }

  #settle(): void {
    for (let head = this.#batches[0]; head?.results !== undefined; head = this.#batches[0]) {
      this.#batches.shift();
      const { items, results } = head;
      items.forEach(({ legs }, index) => {
        this.#o.release(legs, results[index] ?? NO_RESULT);
      });
      for (const lane of new Set(items.flatMap(({ legs }) => legs.map(({ spec }) => spec.lane)))) lane.kick();
    }
    this.go();
    if (this.#waiting.size === 0 && this.#batches.length === 0) this.#o.idle();
  }
}
