import type { Message } from 'kafkajs';

/** Records for one partition in one request: accepted or refused by the broker as a whole. */
export interface Chunk {
  readonly topic: string;
  readonly partition: number;
  /** Keys that have failed in this partition during this send; shared by all its chunks. */
  readonly failed: Set<string>;
  readonly messages: Message[];
  /** Indices of the legs behind the messages. */
  readonly legs: number[];
  bytes: number;
}

/**
 * Sorts the records of a send by partition: one chunk each as a rule, more where it would grow over `maxBytes`. Partitions
 * are independent of each other, as they are for consumers; the chunks of one are sent one after the other.
 */
export class Plan {
  /** Chunks by partition, in the order in which they must be sent. */
  readonly queues: Chunk[][] = [];
  readonly #maxBytes: number;
  readonly #byTopic = new Map<string, Map<number, Chunk[]>>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(leg: number, topic: string, partition: number, message: Message, bytes: number): void {
    const queue = this.#queue(topic, partition);
    let chunk = queue.at(-1);
    if (chunk === undefined || (chunk.bytes + bytes > this.#maxBytes && chunk.legs.length > 0)) {
      chunk = { topic, partition, failed: chunk?.failed ?? new Set(), messages: [], legs: [], bytes: 0 };
      queue.push(chunk);
    }
    chunk.messages.push(message);
    chunk.legs.push(leg);
    chunk.bytes += bytes;
  }

  #queue(topic: string, partition: number): Chunk[] {
    let partitions = this.#byTopic.get(topic);
    if (partitions === undefined) {
      partitions = new Map();
      this.#byTopic.set(topic, partitions);
    }
    let queue = partitions.get(partition);
    if (queue === undefined) {
      queue = [];
      partitions.set(partition, queue);
      this.queues.push(queue);
    }
    return queue;
  }
}

/** Both halves of a chunk, in order. */
export function halves(chunk: Chunk): [Chunk, Chunk] {
  const middle = chunk.legs.length >> 1;
  const part = (from: number, to: number): Chunk => ({
    ...chunk,
    messages: chunk.messages.slice(from, to),
    legs: chunk.legs.slice(from, to),
    bytes: 0,
  });
  return [part(0, middle), part(middle, chunk.legs.length)];
}
