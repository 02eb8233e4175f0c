import type { Random } from '../../core/clock.ts';
import type { SendOutcome } from '../../core/selector.ts';
import { ByScore } from './by-score.ts';
import type { Candidate } from './strategy.ts';

/** Default `decayTime` of Finagle's `Balancers.p2cPeakEwma`. */
const DECAY_MS = 10_000;
/** Score of a target that has sends under way and never answered: `Long.MaxValue >> 16` ns, so that it is tried once. */
const PENALTY_MS = 2 ** 47 / 1e6;

/**
 * The better of two by peak EWMA of latency × (sends under way + 1), after Finagle's `PeakEwma`: the mean jumps to a latency
 * above it at once and fades to lower ones with a time constant of 10 s. As there, a look at a target is an observation of
 * 0, so that without traffic the mean fades to nothing.
 * A failure counts with the time it took, and at least as the timeout, where Finagle leaves failures to other layers.
 */
export class PeakEwma extends ByScore {
  readonly name = 'p2c-ewma';
  readonly #timeoutMs: number;
  readonly #cost: number[] = [];
  readonly #at: number[] = [];

  constructor(options: { random: Random; timeoutMs: number }) {
    super('two', options.random);
    this.#timeoutMs = options.timeoutMs;
  }

  score({ index, window }: Candidate, now: number): number {
    const cost = this.#cost[index];
    if (cost === undefined) return window.inFlight === 0 ? 0 : PENALTY_MS + window.inFlight;
    const faded = cost * Math.exp(((this.#at[index] as number) - now) / DECAY_MS);
    return faded * (window.inFlight + 1);
  }

  override drawn({ index }: Candidate, now: number): void {
    const cost = this.#cost[index];
    if (cost === undefined) return;
    this.#cost[index] = cost * Math.exp(((this.#at[index] as number) - now) / DECAY_MS);
    this.#at[index] = now;
  }

  settled({ index }: Candidate, outcome: SendOutcome, latencyMs: number, now: number): void {
    const took = outcome === 'ok' ? latencyMs : Math.max(latencyMs, this.#timeoutMs);
    const cost = this.#cost[index] ?? 0;
    const elapsedMs = now - (this.#at[index] ?? now);
    this.#at[index] = now;
    // Answers that come together have no time between them, so the first of them is all that fades.
    const weight = elapsedMs === 0 ? 1 : Math.exp(-elapsedMs / DECAY_MS);
    this.#cost[index] = took > cost ? took : cost * weight + took * (1 - weight);
  }
}
