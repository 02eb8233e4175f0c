import type { SourceCounters } from '../core/counters.ts';
import { ACK, type DeliveryBatch, type Outcome } from '../core/delivery.ts';
import type { EventTrace } from '../core/tracer.ts';

/** Told when deliveries have been settled, to let a held source go on. */
export interface SettleListener {
  readonly name: string;
  readonly counters: SourceCounters;
  /** True once its unsettled deliveries went back to the broker: what becomes of them here counts no more. */
  readonly detached: boolean;
  settled(): void;
}

/** Counts the open legs of every delivery of one batch and settles each when its last leg has ended. */
export class BatchTracker {
  readonly #batch: DeliveryBatch;
  readonly #source: SettleListener;
  readonly #open: Uint16Array;
  readonly #bytes: Uint32Array;
  #rejected: Map<number, string> | undefined;
  /** Of the deliveries that are traced, if any is. */
  #traces: Map<number, EventTrace> | undefined;

  constructor(batch: DeliveryBatch, source: SettleListener) {
    this.#batch = batch;
    this.#source = source;
    this.#open = new Uint16Array(batch.deliveries.length);
    this.#bytes = new Uint32Array(batch.deliveries.length);
    source.counters.received += batch.deliveries.length;
    source.counters.inFlight += batch.deliveries.length;
  }

  /** The source's name. */
  get source(): string {
    return this.#source.name;
  }

  /** True once the source has given its unsettled deliveries back: its legs need not be sent any more. */
  get detached(): boolean {
    return this.#source.detached;
  }

  /** True where a delivery of the batch is traced. */
  get traced(): boolean {
    return this.#traces !== undefined;
  }

  trace(index: number): EventTrace | undefined {
    return this.#traces?.get(index);
  }

  /** Before anything becomes of the delivery. */
  follow(index: number, trace: EventTrace | undefined): void {
    if (trace === undefined) return;
    this.#traces ??= new Map();
    this.#traces.set(index, trace);
  }

  /** Says how many legs a delivery has, before any of them may end. None: it is settled at once. */
  expect(index: number, legs: number, bytes: number): void {
    this.#open[index] = legs;
    this.#bytes[index] = bytes;
    this.#source.counters.inFlightBytes += bytes;
    if (legs === 0) this.#settle(index, ACK);
  }

  /** Legs of the delivery that have not ended. */
  openLegs(index: number): number {
    return this.#open[index] as number;
  }

  /** One leg of the delivery has ended. */
  ended(index: number): void {
    const open = (this.#open[index] as number) - 1;
    this.#open[index] = open;
    if (open !== 0) return;
    const reason = this.#rejected?.get(index);
    this.#settle(index, reason === undefined ? ACK : { verdict: 'reject', reason });
  }

  /** The delivery will be rejected, with this reason, once all its legs have ended. */
  reject(index: number, reason: string): void {
    this.#rejected ??= new Map();
    this.#rejected.set(index, reason);
  }

  #settle(index: number, outcome: Outcome): void {
    const { detached } = this.#source;
    if (this.#traces !== undefined) this.#traces.get(index)?.settled(detached ? undefined : outcome);
    if (detached) return;
    const { counters } = this.#source;
    const bytes = this.#bytes[index] as number;
    counters.inFlight -= 1;
    counters.inFlightBytes -= bytes;
    if (outcome.verdict === 'ack') counters.acknowledged += 1;
    else if (outcome.verdict === 'retry') counters.returned += 1;
    else counters.rejected += 1;
    this.#batch.settle(index, outcome);
    this.#source.settled();
  }
}
