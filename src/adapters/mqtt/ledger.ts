import type { IPublishPacket } from 'mqtt';

const OPEN = 0;
const DONE = 1;
/** Given back: no PUBACK on this connection, so that the broker sends it again on the next. */
const SKIPPED = 2;

/** A packet that an earlier connection delivered and never acknowledged. */
export interface Carried {
  readonly ledger: Ledger;
  readonly slot: number;
}

/**
 * What one connection delivered and has not acknowledged yet, in order of receipt. PUBACKs must leave in that order
 * ([MQTT-4.6.0-2]), so a settled event waits for those before it. QoS 0 takes a slot with packet id 0 and needs no PUBACK.
 *
 * When the connection ends its packet ids mean nothing any more: a ledger is never asked for acknowledgements again, but late
 * settlements still arrive. In a resumed session the broker repeats exactly the unacknowledged packets under their old ids
 * ([MQTT-4.4.0-1]), which {@link handOver} joins to the delivery that is still under way.
 */
export class Ledger {
  readonly #mask: number;
  readonly #packets: (IPublishPacket | undefined)[];
  readonly #states: Uint8Array;
  #head = 0;
  #tail = 0;
  #heirs: Map<number, Carried> | undefined;

  /** `capacity`: the most slots between the oldest unacknowledged and the newest. */
  constructor(capacity: number) {
    const size = 2 ** Math.ceil(Math.log2(capacity + 1));
    this.#mask = size - 1;
    this.#packets = new Array(size);
    this.#states = new Uint8Array(size);
  }

  /** Slots from the oldest unacknowledged on. */
  get window(): number {
    return this.#tail - this.#head;
  }

  /** Notes a packet and returns its slot. The caller keeps {@link window} below the capacity. */
  deliver(packet: IPublishPacket): number {
    const slot = this.#tail;
    if (this.window > this.#mask) throw new Error('more deliveries than the ledger holds');
    this.#packets[slot & this.#mask] = packet;
    this.#states[slot & this.#mask] = OPEN;
    this.#tail += 1;
    return slot;
  }

  /** Ends a slot; `done: false` gives it back to the broker. A second settlement of a slot changes nothing. */
  settle(slot: number, done: boolean): void {
    const index = slot & this.#mask;
    if (slot < this.#head || this.#states[index] !== OPEN) return;
    this.#states[index] = done ? DONE : SKIPPED;
    const heir = this.#heirs?.get(slot);
    if (heir === undefined) return;
    this.#heirs?.delete(slot);
    heir.ledger.settle(heir.slot, done);
  }

  /** Takes out the settled prefix and returns its packet ids, in order of receipt. */
  collect(): number[] {
    const ids: number[] = [];
    while (this.#head < this.#tail && this.#states[this.#head & this.#mask] !== OPEN) {
      this.#take(this.#head, ids);
      this.#head += 1;
    }
    return ids;
  }

  /**
   * The packet ids of everything settled, beyond unsettled ones too: for the end of a connection. Order of receipt still holds,
   * since what is left out is not acknowledged on this connection at all.
   */
  collectAll(): number[] {
    const ids = this.collect();
    for (let slot = this.#head; slot < this.#tail; slot += 1) {
      if (this.#states[slot & this.#mask] === DONE) this.#take(slot, ids);
    }
    return ids;
  }

  /** Adds the unacknowledged packets by packet id to `into`, when the connection is over. */
  carry(into: Map<number, Carried>): void {
    for (let slot = this.#head; slot < this.#tail; slot += 1) {
      const index = slot & this.#mask;
      const id = this.#packets[index]?.messageId;
      if (id === undefined) continue;
      if (this.#states[index] === SKIPPED) into.delete(id);
      else into.set(id, { ledger: this, slot });
    }
  }

  /**
   * Joins a repeated packet, now in `slot` of `heir`, to the delivery in `before`: whatever settles that one settles this one.
   * False where it is not the same packet, which then is a delivery of its own.
   */
  static handOver(before: Carried, packet: IPublishPacket, heir: Ledger, slot: number): boolean {
    const { ledger } = before;
    const index = before.slot & ledger.#mask;
    const state = ledger.#states[index];
    if (state === SKIPPED || !packet.dup || !isSame(ledger.#packets[index], packet)) return false;
    if (state === DONE) {
      heir.settle(slot, true);
      return true;
    }
    ledger.#heirs ??= new Map();
    ledger.#heirs.set(before.slot, { ledger: heir, slot });
    return true;
  }

  #take(slot: number, ids: number[]): void {
    const index = slot & this.#mask;
    const id = this.#packets[index]?.messageId;
    if (id !== undefined && this.#states[index] === DONE) ids.push(id);
    this.#states[index] = SKIPPED;
    this.#packets[index] = undefined;
  }
}

function isSame(a: IPublishPacket | undefined, b: IPublishPacket): boolean {
  if (a === undefined || a.topic !== b.topic) return false;
  return Buffer.isBuffer(a.payload) && Buffer.isBuffer(b.payload) && a.payload.equals(b.payload);
}
