import { type IdGenerator, RandomIdGenerator } from '@opentelemetry/sdk-trace';
import type { Random } from '../../core/clock.ts';

const WORD = 2 ** 32;

/**
 * Trace ids of events that bring none, and whether they are sampled: by the rule of the SDK's `TraceIdRatioBasedSampler`, which
 * asks for the id as text. Here it stays four numbers until it is wanted, since most events are not sampled.
 */
export class TraceIds implements IdGenerator {
  readonly #random: Random;
  readonly #bound: number;
  readonly #spans = new RandomIdGenerator();
  #words: readonly number[] = [];

  /** @param ratio Part of the events, 0 to 1. */
  constructor(ratio: number, random: Random) {
    this.#random = random;
    this.#bound = ratio >= 1 ? WORD : Math.floor(ratio * (WORD - 1));
  }

  /** Draws an id; true: it is sampled, and {@link generateTraceId} gives it. */
  draw(): boolean {
    const a = this.#word();
    const b = this.#word();
    const c = this.#word();
    const d = this.#word();
    if ((a ^ b ^ c ^ d) >>> 0 >= this.#bound) return false;
    this.#words = [a, b, c, d];
    return true;
  }

  generateTraceId(): string {
    const id = this.#words.map((word) => word.toString(16).padStart(8, '0')).join('');
    return /^0*$/.test(id) ? '1'.padStart(32, '0') : id;
  }

  generateSpanId(): string {
    return this.#spans.generateSpanId();
  }

  #word(): number {
    return Math.floor(this.#random() * WORD);
  }
}
