import type { Delivery } from '../../core/delivery.ts';

/** One received message until SQS has been told how it ends. */
export interface Entry {
  readonly handle: string;
  /** FIFO only. */
  readonly group: string | undefined;
  /** ApproximateReceiveCount. */
  readonly attempt: number;
  readonly lease: Lease;
  /** Until it is handed over. */
  delivery: Delivery | undefined;
  /** How it was settled; undefined: it was not yet. */
  end: 'delete' | 'return' | undefined;
  /** Its receipt handle no longer holds, or it was let go: nothing keeps it invisible any more. */
  lapsed: boolean;
  /** An extension is queued or under way; a return waits for it, so that the return wins. */
  extending: boolean;
  /** Seconds of the return that waits. */
  returnIn: number | undefined;
}

/** What one receive brought; its entries are kept invisible together. */
export interface Lease {
  /** Monotonic, when the answer arrived. */
  readonly receivedAt: number;
  readonly entries: Entry[];
  /** Monotonic, when to extend next. */
  dueAt: number;
  /** Entries not settled yet. */
  open: number;
}
