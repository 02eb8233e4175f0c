import type { Socket } from 'node:net';

/** What one direction of a connection suffers. All of it can change while bytes are under way. */
export interface LinkFaults {
  /** Added to every chunk, in ms. */
  latencyMs: number;
  /** Up to so much more, drawn per chunk. */
  jitterMs: number;
  bytesPerSecond: number;
  /** Writes of at most `bytes`, so far apart. */
  slice: { readonly bytes: number; readonly everyMs: number } | undefined;
  /** Nothing is read or written, and nobody is told: a half-open connection. What was under way goes on after it. */
  stalled: boolean;
  /** What comes is read and swallowed. A connection that has lost bytes so stays dead when this is over. */
  blackHole: boolean;
  /** The connection ends (FIN both ways) after so many bytes more in this direction. */
  dropAfterBytes: number;
}

export const HEALTHY: Readonly<LinkFaults> = Object.freeze({
  latencyMs: 0,
  jitterMs: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  slice: undefined,
  stalled: false,
  blackHole: false,
  dropAfterBytes: Number.POSITIVE_INFINITY,
});

export interface LinkCounts {
  /** Bytes forwarded. */
  passed: number;
  /** Bytes lost in a black hole. */
  swallowed: number;
}

export interface LinkOptions {
  readonly from: Socket;
  /** Undefined: there is nobody to forward to, everything is swallowed. */
  readonly to: Socket | undefined;
  /** Of this direction; read anew for every chunk. */
  readonly faults: Readonly<LinkFaults>;
  readonly counts: LinkCounts;
  readonly random: () => number;
  /** {@link LinkFaults.dropAfterBytes} is reached. */
  readonly onDrop: () => void;
}

/** Bytes held back in one direction of one connection, after which it is not read any more. */
const MAX_HELD_BYTES = 1024 * 1024;
/** With a bandwidth limit, one write carries what may pass in this time. */
const QUANTUM_MS = 20;

/** One direction of one connection: bytes leave in the order in which they came, or not at all. */
export class Link {
  readonly #o: LinkOptions;
  readonly #held: { bytes: Buffer; dueAt: number }[] = [];
  #heldBytes = 0;
  #lastDueAt = 0;
  #freeAt = 0;
  #dropIn = Number.POSITIVE_INFINITY;
  #ended = false;
  #lossy: boolean;
  #draining = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LinkOptions) {
    this.#o = options;
    this.#lossy = options.to === undefined;
    this.#dropIn = options.faults.dropAfterBytes;
    options.from.on('data', (bytes: Buffer) => this.#take(bytes));
    options.from.on('end', () => {
      this.#ended = true;
      this.#pump();
    });
    options.to?.on('drain', () => {
      this.#draining = false;
      this.#pump();
    });
    if (options.faults.stalled) options.from.pause();
  }

  /** True once bytes were lost: the rest of the stream would make no sense to the other side. */
  get lossy(): boolean {
    return this.#lossy;
  }

  /** The faults have changed. */
  changed(changes: Partial<LinkFaults>): void {
    if (changes.dropAfterBytes !== undefined) this.#dropIn = changes.dropAfterBytes;
    const now = performance.now();
    const latest = now + this.#delay();
    // What waits under a longer latency than now comes sooner; its order stays.
    this.#lastDueAt = Math.min(this.#lastDueAt, latest);
    for (const held of this.#held) held.dueAt = Math.min(held.dueAt, latest);
    this.#freeAt = now;
    this.#pump();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#held.length = 0;
    this.#lossy = true;
  }

  #delay(): number {
    const { latencyMs, jitterMs } = this.#o.faults;
    return latencyMs + jitterMs * this.#o.random();
  }

  #take(bytes: Buffer): void {
    const { faults, counts, from } = this.#o;
    if (this.#lossy || faults.blackHole) {
      this.#lossy = true;
      counts.swallowed += bytes.length;
      return;
    }
    this.#lastDueAt = Math.max(this.#lastDueAt, performance.now() + this.#delay());
    this.#held.push({ bytes, dueAt: this.#lastDueAt });
    this.#heldBytes += bytes.length;
    if (this.#heldBytes >= MAX_HELD_BYTES) from.pause();
    this.#pump();
  }

  #pump(): void {
    const { faults, from, to } = this.#o;
    clearTimeout(this.#timer);
    if (to === undefined || this.#lossy) {
      if (to === undefined) from.resume();
      return;
    }
    if (faults.stalled) {
      from.pause();
      return;
    }
    while (!this.#draining) {
      const head = this.#held[0];
      if (head === undefined) break;
      const wait = Math.max(head.dueAt, this.#freeAt) - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#pump(), Math.ceil(wait));
        break;
      }
      if (this.#pass(head, to)) return;
    }
    if (this.#heldBytes < MAX_HELD_BYTES) from.resume();
    if (this.#ended && this.#held.length === 0) to.end();
  }

  /** Writes the next piece; true when that was the last. */
  #pass(head: { bytes: Buffer }, to: Socket): boolean {
    const { faults, counts, onDrop } = this.#o;
    const { slice, bytesPerSecond } = faults;
    const limited = Number.isFinite(bytesPerSecond)
      ? Math.max(1, Math.floor((bytesPerSecond * QUANTUM_MS) / 1_000))
      : Infinity;
    const size = Math.min(head.bytes.length, slice?.bytes ?? Infinity, limited, this.#dropIn);
    const piece = head.bytes.subarray(0, size);
    if (size === head.bytes.length) this.#held.shift();
    else head.bytes = head.bytes.subarray(size);
    this.#heldBytes -= size;
    this.#dropIn -= size;
    counts.passed += size;
    this.#freeAt = performance.now() + Math.max((size / bytesPerSecond) * 1_000, slice?.everyMs ?? 0);
    if (size > 0 && !to.write(piece)) this.#draining = true;
    if (this.#dropIn > 0) return false;
    onDrop();
    return true;
  }
}
