import type { Random } from '../../core/clock.ts';
import type { SelectorEvent, SendOutcome } from '../../core/selector.ts';
import { type Candidate, Rule, type Scored, type Strategy } from './strategy.ts';

/** Requests in flight above this quantile of what was seen of late make a target hot: 2^-0.25, as in the paper's tests (§5). */
const HOT_QUANTILE = 2 ** -0.25;
const SEEN = 128;
/** Size of the paper's pool of probes. */
const POOL = 16;
/** The paper's servers tell the median of recent answers at a like load; here a short mean stands for it. */
const LATENCY_GAIN = 0.2;

/**
 * Prequal (Wydrowski et al., NSDI'24): of the targets that are not hot the one with the lowest latency; if all are hot the
 * one with the fewest requests in flight. Servers of the paper answer probes with both. Brokers do not: in flight is what this
 * gateway has under way (a backlog that is polled every few seconds would send all the same way), latency that of recent answers. Up to 16 candidates stand in the pool,
 * drawn at random where there are more. With declared capacities in flight is counted in units of them.
 */
export class Prequal extends Rule implements Strategy {
  readonly name = 'prequal';
  readonly #random: Random;
  readonly #timeoutMs: number;
  readonly #gateways: number;
  readonly #latency: number[] = [];
  readonly #seen = new Float64Array(SEEN);
  readonly #sorted = new Float64Array(SEEN);
  #count = 0;
  #hot: number = Number.POSITIVE_INFINITY;

  constructor(options: { random: Random; timeoutMs: number; gateways: number }) {
    super();
    this.#random = options.random;
    this.#timeoutMs = options.timeoutMs;
    this.#gateways = options.gateways;
  }

  pick(candidates: readonly Candidate[]): number {
    const count = candidates.length;
    const pool = Math.min(count, POOL);
    const from = Math.floor(this.#random() * count);
    let cold = -1;
    let coldLatency = Number.POSITIVE_INFINITY;
    let least = from;
    let leastLoad = Number.POSITIVE_INFINITY;
    for (let i = 0; i < pool; i += 1) {
      const at = (from + i) % count;
      const candidate = candidates[at] as Candidate;
      const load = this.#load(candidate);
      if (i === 0) this.#see(load);
      if (load < leastLoad) {
        least = at;
        leastLoad = load;
      }
      const latency = this.#latency[candidate.index] ?? 0;
      if (load <= this.#hot && latency < coldLatency) {
        cold = at;
        coldLatency = latency;
      }
    }
    return cold < 0 ? least : cold;
  }

  scores(candidates: readonly Candidate[], _event: SelectorEvent, _now: number): readonly Scored[] {
    return candidates.map((candidate) => {
      const load = this.#load(candidate);
      const latency = this.#latency[candidate.index] ?? 0;
      const hot = load > this.#hot;
      return { score: hot ? 1e6 + load : latency, propensity: Number.NaN, parts: { load, latency, hot: Number(hot) } };
    });
  }

  settled({ index }: Candidate, outcome: SendOutcome, latencyMs: number): void {
    const took = outcome === 'ok' ? latencyMs : Math.max(latencyMs, this.#timeoutMs);
    const old = this.#latency[index];
    this.#latency[index] = old === undefined ? took : old + LATENCY_GAIN * (took - old);
  }

  tick(): void {
    const count = Math.min(this.#count, SEEN);
    if (count === 0) return;
    this.#sorted.set(this.#seen);
    const values = this.#sorted.subarray(0, count).sort();
    this.#hot = values[Math.min(count - 1, Math.floor(HOT_QUANTILE * count))] as number;
  }

  #see(load: number): void {
    this.#seen[this.#count % SEEN] = load;
    this.#count += 1;
  }

  #load({ spec, window }: Candidate): number {
    const { concurrent, perSecond } = spec.capacity ?? {};
    return window.inFlight / ((concurrent ?? perSecond ?? 1) / this.#gateways);
  }
}
