import type { MeshEvent } from '../../core/event.ts';
import type { Leg, SendResult } from '../../core/target.ts';

/** One `send` under way: results by index, resolved when none is missing. */
export class Sending {
  readonly legs: readonly Leg[];
  /** The next leg to be written. */
  next = 0;
  readonly #results: (SendResult | undefined)[];
  readonly #resolve: (results: readonly SendResult[]) => void;
  #missing: number;

  constructor(legs: readonly Leg[], resolve: (results: readonly SendResult[]) => void) {
    this.legs = legs;
    this.#results = new Array(legs.length);
    this.#missing = legs.length;
    this.#resolve = resolve;
  }

  get done(): boolean {
    return this.#missing === 0;
  }

  /** Notes the result of a leg that has none yet. */
  result(index: number, result: SendResult): void {
    if (this.#results[index] !== undefined) return;
    this.#results[index] = result;
    this.#missing -= 1;
    if (this.#missing === 0) this.#resolve(this.#results as SendResult[]);
  }

  /** Gives every leg without a result one: what was written, and what was not. */
  finish(written: SendResult, unwritten: SendResult): void {
    const { next } = this;
    this.next = this.legs.length;
    for (let index = 0; index < this.legs.length; index += 1) this.result(index, index < next ? written : unwritten);
  }
}

/**
 * Packet ids of one connection and the leg each stands for. An id is free again only when its PUBACK came: that of a send given up
 * stays taken, or a late PUBACK would confirm another event.
 */
export class InFlight {
  readonly capacity: number;
  readonly #free: number[] = [];
  readonly #sendings: (Sending | undefined)[];
  readonly #indices: Uint32Array;

  constructor(capacity: number) {
    this.capacity = capacity;
    for (let id = capacity; id > 0; id -= 1) this.#free.push(id);
    this.#sendings = new Array(capacity + 1);
    this.#indices = new Uint32Array(capacity + 1);
  }

  /** Events written and not confirmed. */
  get count(): number {
    return this.capacity - this.#free.length;
  }

  get isFull(): boolean {
    return this.#free.length === 0;
  }

  /** A packet id for a leg. Only while not {@link isFull}. */
  take(sending: Sending, index: number): number {
    const id = this.#free.pop();
    if (id === undefined) throw new Error('no packet id is free');
    this.#sendings[id] = sending;
    this.#indices[id] = index;
    return id;
  }

  /** PUBACK came; false where nothing was in flight under that id. */
  answered(id: number, result: SendResult): boolean {
    const sending = this.#sendings[id];
    if (sending === undefined) return false;
    this.#sendings[id] = undefined;
    this.#free.push(id);
    sending.result(this.#indices[id] as number, result);
    return true;
  }

  /** Ids whose send was given up and whose PUBACK never came. */
  abandoned(): number {
    return this.#sendings.reduce((count, sending) => (sending?.done === true ? count + 1 : count), 0);
  }

  /** What waits for an answer. */
  pending(): { sending: Sending; index: number; event: MeshEvent }[] {
    return this.#sendings.flatMap((sending, id) => {
      if (sending === undefined || sending.done) return [];
      const index = this.#indices[id] as number;
      return [{ sending, index, event: (sending.legs[index] as Leg).event }];
    });
  }
}
