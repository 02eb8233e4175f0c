import type { Delivery, DeliveryBatch, Outcome } from '../../core/delivery.ts';
import type { PartitionWindow } from './partition.ts';

/** What a batch tells its source. */
export interface BatchOwner {
  /** The watermark of the window moved, or memory was freed. */
  settled(window: PartitionWindow, moved: boolean): void;
  rejected(): void;
  /** A delivery was given back: Kafka cannot take back one record, so the source hands it over again by itself. */
  returned(batch: RecordBatch, index: number, delayMs: number | undefined): void;
}

/** Deliveries of one fetched partition batch, in consecutive slots of its window. */
export class RecordBatch implements DeliveryBatch {
  readonly deliveries: readonly Delivery[];
  readonly window: PartitionWindow;
  readonly firstSlot: number;
  /** How often a delivery of this batch was given back. */
  returns = 0;
  readonly #owner: BatchOwner;
  readonly #bytes: number;
  #remaining: number;

  constructor(
    deliveries: readonly Delivery[],
    window: PartitionWindow,
    firstSlot: number,
    bytes: number,
    owner: BatchOwner,
  ) {
    this.deliveries = deliveries;
    this.window = window;
    this.firstSlot = firstSlot;
    this.#bytes = bytes;
    this.#remaining = deliveries.length;
    this.#owner = owner;
  }

  settle(index: number, outcome: Outcome): void {
    const { window } = this;
    if (!window.live) return; // the partition has left: whoever has it now begins at the commit
    if (outcome.verdict === 'retry') {
      this.returns += 1;
      this.#owner.returned(this, index, outcome.delayMs);
      return;
    }
    if (outcome.verdict === 'reject') this.#owner.rejected();
    this.#remaining -= 1;
    // The batch holds its deliveries until the last of them is settled, so its bytes are freed at once.
    if (this.#remaining === 0) window.release(this.#bytes);
    const moved = window.settle(this.firstSlot + index);
    if (moved || this.#remaining === 0) this.#owner.settled(window, moved);
  }
}

/** One delivery of a batch, handed over once more with a higher attempt. */
export class ReturnedBatch implements DeliveryBatch {
  readonly deliveries: readonly Delivery[];
  readonly #batch: RecordBatch;
  readonly #index: number;

  constructor(batch: RecordBatch, index: number, attempt: number) {
    const delivery = batch.deliveries[index] as Delivery;
    this.deliveries = [{ ...delivery, attempt }];
    this.#batch = batch;
    this.#index = index;
  }

  settle(_index: number, outcome: Outcome): void {
    this.#batch.settle(this.#index, outcome);
  }
}
