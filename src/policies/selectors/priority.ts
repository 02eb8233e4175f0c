import type { SelectorEvent } from '../../core/selector.ts';
import { silent } from '../../core/silence.ts';
import type { TargetWindow } from '../../core/target-window.ts';
import { type Candidate, Rule, type Scored, type Strategy } from './strategy.ts';

/** So high that a burst stays together: the limit is there for a target that is too slow for what it gets. */
const FIRST_LIMIT = 1_024;
const LEAST_LIMIT = 2;
const MOST_LIMIT = 1e6;
const MOST_ERRORS = 0.5;

/**
 * The first target in the order of the configuration that is not failing, silent or full; failing that the first that
 * still answers. Full is what is declared, or else a limit that grows while the target keeps its latency and shrinks
 * while it does not (additive increase, multiplicative decrease; Netflix concurrency-limits).
 */
export class Priority extends Rule implements Strategy {
  readonly name = 'priority';
  readonly #sloMs: number;
  readonly #timeoutMs: number;
  readonly #gateways: number;
  readonly #limits: number[] = [];
  #adaptedAt: number = Number.NEGATIVE_INFINITY;

  constructor(options: { sloMs: number; timeoutMs: number; gateways: number }) {
    super();
    this.#sloMs = options.sloMs;
    this.#timeoutMs = options.timeoutMs;
    this.#gateways = options.gateways;
  }

  pick(candidates: readonly Candidate[], _event: SelectorEvent, now: number): number {
    let answering = -1;
    for (let i = 0; i < candidates.length; i += 1) {
      const candidate = candidates[i] as Candidate;
      if (!this.#answers(candidate.window, now)) continue;
      if (candidate.window.inFlight < this.#limit(candidate)) return i;
      if (answering < 0) answering = i;
    }
    return Math.max(0, answering);
  }

  scores(candidates: readonly Candidate[], event: SelectorEvent, now: number): readonly Scored[] {
    const picked = this.pick(candidates, event, now);
    return candidates.map((candidate, i) => ({
      score: i,
      propensity: i === picked ? 1 : 0,
      parts: { limit: this.#limit(candidate), answers: Number(this.#answers(candidate.window, now)) },
    }));
  }

  tick(all: readonly Candidate[], now: number): void {
    if (now - this.#adaptedAt < 100) return;
    this.#adaptedAt = now;
    for (const { index, window } of all) {
      const limit = this.#limits[index] ?? FIRST_LIMIT;
      const slow = window.ack1sMs > this.#sloMs && window.inFlight > 0;
      const changed = slow ? limit * 0.9 : window.inFlight >= limit / 2 ? limit + 1 : limit;
      this.#limits[index] = Math.min(MOST_LIMIT, Math.max(LEAST_LIMIT, changed));
    }
  }

  #answers(window: TargetWindow, now: number): boolean {
    return window.errors < MOST_ERRORS && !silent(window, now, this.#timeoutMs);
  }

  #limit({ index, spec }: Candidate): number {
    const { concurrent, perSecond } = spec.capacity ?? {};
    const declared = concurrent ?? (perSecond === undefined ? undefined : (perSecond * this.#sloMs) / 1_000);
    if (declared !== undefined) return Math.max(1, declared / this.#gateways);
    return this.#limits[index] ?? FIRST_LIMIT;
  }
}
