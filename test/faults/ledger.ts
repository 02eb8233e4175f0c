import type { MeshEvent } from '../../src/core/event.ts';
import { extensions, jsonEvent } from '../setup/events.ts';

const KEYS = 64;
const FILLER = 'x'.repeat(900);

/** A 1 KiB event over 64 keys with its sequence number. */
export function faultEvent(n: number): MeshEvent {
  return jsonEvent(n, {
    id: `e-${n}`,
    extensions: extensions({ partitionkey: `k-${n % KEYS}`, sequence: String(n) }),
    data: Buffer.from(JSON.stringify({ n, filler: FILLER })),
  });
}

export interface LedgerReport {
  readonly acknowledged: number;
  readonly delivered: number;
  readonly duplicates: number;
  readonly lost: number;
  /** Delivered, but never produced. */
  readonly foreign: number;
  /** First deliveries of a key that came before an earlier one. */
  readonly inversions: number;
}

/** What was acknowledged to the producer, and what came out at the other end. */
export class Ledger {
  readonly #produced = new Set<string>();
  readonly #acknowledged = new Set<string>();
  readonly #delivered = new Map<string, number>();
  readonly #last = new Map<string, number>();
  #inversions = 0;

  produced(events: readonly MeshEvent[]): void {
    for (const { id } of events) this.#produced.add(id);
  }

  acknowledged(events: readonly MeshEvent[]): void {
    for (const { id } of events) this.#acknowledged.add(id);
  }

  delivered(event: MeshEvent): void {
    const times = this.#delivered.get(event.id) ?? 0;
    this.#delivered.set(event.id, times + 1);
    if (times > 0) return;
    const key = String(event.extensions['partitionkey']);
    const sequence = Number(event.extensions['sequence']);
    if (sequence < (this.#last.get(key) ?? -1)) this.#inversions += 1;
    else this.#last.set(key, sequence);
  }

  /** Distinct events delivered so far. */
  get distinct(): number {
    return this.#delivered.size;
  }

  get missing(): number {
    let missing = 0;
    for (const id of this.#acknowledged) if (!this.#delivered.has(id)) missing += 1;
    return missing;
  }

  report(): LedgerReport {
    let duplicates = 0;
    let foreign = 0;
    for (const [id, times] of this.#delivered) {
      duplicates += times - 1;
      if (!this.#produced.has(id)) foreign += 1;
    }
    return {
      acknowledged: this.#acknowledged.size,
      delivered: this.#delivered.size,
      duplicates,
      lost: this.missing,
      foreign,
      inversions: this.#inversions,
    };
  }
}
