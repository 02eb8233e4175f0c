import type { BrokerHandle } from '../spec.ts';
import type { MemoryRecord } from './codec.ts';

export interface StoredRecord {
  readonly offset: number;
  readonly record: MemoryRecord;
  attempt: number;
}

/** A bounded queue of records in the process; what is taken and not acknowledged goes back when its taker leaves. */
export class MemoryTopic {
  readonly name: string;
  readonly maxEvents: number;
  #queue: StoredRecord[] = [];
  #head = 0;
  #taken = 0;
  #nextOffset = 0;
  readonly #readers = new Set<() => void>();
  readonly #writers = new Set<() => void>();

  constructor(name: string, maxEvents: number) {
    this.name = name;
    this.maxEvents = maxEvents;
  }

  /** Records waiting to be taken. */
  get waiting(): number {
    return this.#queue.length - this.#head;
  }

  /** Room left, counting what is taken and not acknowledged. */
  get room(): number {
    return this.maxEvents - this.waiting - this.#taken;
  }

  /** Adds records, as many as there is room for; returns how many. */
  put(records: readonly MemoryRecord[]): number {
    const count = Math.min(this.room, records.length);
    for (let i = 0; i < count; i += 1) {
      this.#queue.push({ offset: this.#nextOffset, record: records[i] as MemoryRecord, attempt: 0 });
      this.#nextOffset += 1;
    }
    if (count > 0) for (const wake of this.#readers) wake();
    return count;
  }

  take(max: number): StoredRecord[] {
    const taken = this.#queue.slice(this.#head, this.#head + max);
    this.#head += taken.length;
    this.#taken += taken.length;
    // Let go of what was taken soon, or it outlives the young generation.
    if (this.#head * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    for (const record of taken) record.attempt += 1;
    return taken;
  }

  /** Taken records are done with. */
  acknowledge(count: number): void {
    this.#taken -= count;
    for (const wake of this.#writers) wake();
  }

  /** Taken records come again, in their old order before all that waits. */
  giveBack(records: readonly StoredRecord[]): void {
    if (records.length === 0) return;
    this.#taken -= records.length;
    const sorted = [...records].sort((a, b) => a.offset - b.offset);
    this.#queue = [...sorted, ...this.#queue.slice(this.#head)];
    this.#head = 0;
    for (const wake of this.#readers) wake();
  }

  /** `wake` is called whenever records came in; the returned function ends that. */
  onRecords(wake: () => void): () => void {
    this.#readers.add(wake);
    return () => this.#readers.delete(wake);
  }

  /** `wake` is called whenever room was made; the returned function ends that. */
  onRoom(wake: () => void): () => void {
    this.#writers.add(wake);
    return () => this.#writers.delete(wake);
  }
}

/** All topics of one `type: memory` broker. */
export class MemoryBroker implements BrokerHandle {
  readonly #topics = new Map<string, MemoryTopic>();
  readonly #maxEvents: number;

  constructor(maxEvents: number) {
    this.#maxEvents = maxEvents;
  }

  topic(name: string): MemoryTopic {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = new MemoryTopic(name, this.#maxEvents);
      this.#topics.set(name, topic);
    }
    return topic;
  }

  async close(): Promise<void> {
    this.#topics.clear();
  }
}
