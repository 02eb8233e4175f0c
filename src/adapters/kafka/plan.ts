import type { Message } from 'kafkajs';

/** Records for one partition in one request: accepted or refused by the broker as a whole. */
export interface Chunk {
  readonly topic: string;
  readonly partition: number;
  readonly messages: Message[];
  /** Indices of the legs behind the messages. */
  readonly legs: number[];
  bytes: number;
}

interface KeyPlace {
  chunk: Chunk;
  stage: number;
}

interface Slot {
  chunk: Chunk;
  stage: number;
}

/**
 * Sorts records into chunks, and chunks into stages that are sent one after the other, such that within a stage all legs of
 * one key stand in one chunk. A chunk is atomic at the broker, so when a leg fails none of its key after it is confirmed.
 * One stage is the rule; more are needed where a chunk would grow over `maxBytes`, or where a key's legs go to several partitions.
 */
export class Plan {
  readonly stages: Chunk[][] = [];
  readonly #maxBytes: number;
  readonly #open = new Map<string, Map<number, Slot>>();
  readonly #keys = new Map<string, KeyPlace>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(leg: number, key: string | undefined, topic: string, partition: number, message: Message, bytes: number): void {
    let partitions = this.#open.get(topic);
    if (partitions === undefined) {
      partitions = new Map();
      this.#open.set(topic, partitions);
    }
    let slot = partitions.get(partition);
    const place = key === undefined ? undefined : this.#keys.get(key);
    const earliest = place === undefined ? 0 : place.chunk === slot?.chunk ? place.stage : place.stage + 1;
    if (slot === undefined) {
      slot = this.#start(earliest, topic, partition);
      partitions.set(partition, slot);
    } else if (slot.stage < earliest || (slot.chunk.bytes + bytes > this.#maxBytes && slot.chunk.legs.length > 0)) {
      slot = this.#start(Math.max(earliest, slot.stage + 1), topic, partition);
      partitions.set(partition, slot);
    }
    slot.chunk.messages.push(message);
    slot.chunk.legs.push(leg);
    slot.chunk.bytes += bytes;
    if (key === undefined) return;
    if (place === undefined) this.#keys.set(key, { chunk: slot.chunk, stage: slot.stage });
    else {
      place.chunk = slot.chunk;
      place.stage = slot.stage;
    }
  }

  #start(stage: number, topic: string, partition: number): Slot {
    const chunk: Chunk = { topic, partition, messages: [], legs: [], bytes: 0 };
    while (this.stages.length <= stage) this.stages.push([]);
    this.stages[stage]?.push(chunk);
    return { chunk, stage };
  }
}

/** Both halves of a chunk, in order. */
export function halves(chunk: Chunk): [Chunk, Chunk] {
  const middle = chunk.legs.length >> 1;
  const part = (from: number, to: number): Chunk => ({
    topic: chunk.topic,
    partition: chunk.partition,
    messages: chunk.messages.slice(from, to),
    legs: chunk.legs.slice(from, to),
    bytes: 0,
  });
  return [part(0, middle), part(middle, chunk.legs.length)];
}
